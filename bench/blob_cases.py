"""The cases of bench/compare about large blobs, served by nginx of its own, and about hashing a store."""
import shlex, shutil
from blob_server import BlobServer


class BlobCases:
    def blob_pull(self, host, image, *more):
        return self.timed(self.drover("pull", [f"{host}/bench/{image}:1"], self.fresh("store"), *more))

    def curl_blobs(self, server, url, image, then_hash=False):
        out = self.fresh("curl")
        config = out / "urls"
        config.write_text("".join(f'url = "{url}/v2/bench/{image}/blobs/{digest}"\noutput = "{out}/{digest[7:]}"\n' for digest in server.blobs[image]))
        fetch = f"curl -s -f -Z --parallel-max 16 --cacert {server.ca} -K {config}"
        return self.timed(fetch + (f" && openssl dgst -sha256 {' '.join(f'{out}/{d[7:]}' for d in server.blobs[image])}" if then_hash else ""))

    def aria2(self, url, image, server, connections):
        """With its own check of each digest; aria2 trusts the certificate it is given."""
        out = self.fresh("aria2")
        config = out / "urls"
        config.write_text("".join(f"{url}/v2/bench/{image}/blobs/{digest}\n  out={digest[7:]}\n  checksum=sha-256={digest[7:]}\n"
                                  for digest in server.blobs[image]))
        return self.timed(["aria2c", "-q", "-d", str(out), "-i", str(config), "-j16", f"-x{connections}", f"-s{connections}", "-k1M",
                           f"--ca-certificate={server.ca}", "--file-allocation=none"])

    def blob_rounds(self, server, case, url, host, image, *more):
        tools = {"drover": lambda: self.blob_pull(host, image, *more),
                 "curl, not verifying": lambda: self.curl_blobs(server, url, image),
                 "curl + openssl dgst": lambda: self.curl_blobs(server, url, image, then_hash=True)}
        if shutil.which("aria2c"):
            tools["aria2c, verifying"] = lambda: self.aria2(url, image, server, 1 if image == "sixteen" else 8)
        self.rounds(case, tools)

    def case_blobs(self):
        with BlobServer(self.work / "nginx") as server:
            tls = ("--cacert", str(server.ca))
            self.blob_rounds(server, "16 blobs of 64 MiB, HTTP", f"http://{server.http}", server.http, "sixteen", "--jobs", "16")
            self.blob_rounds(server, "16 blobs of 64 MiB, HTTPS", f"https://{server.https}", server.https, "sixteen", "--jobs", "16", *tls)
            self.blob_rounds(server, "1 blob of 1 GiB, HTTPS", f"https://{server.https}", server.https, "one", *tls)
            self.rounds("200 MiB, 20 MiB/s a connection", {
                "drover": lambda: self.blob_pull(server.limited, "limited", "--jobs", "16"),
                "drover --jobs 8": lambda: self.blob_pull(server.limited, "limited", "--jobs", "8"),
                "curl, one connection": lambda: self.curl_blobs(server, f"http://{server.limited}", "limited")})

    def case_verify(self):
        """A store in the page cache, one core each."""
        with BlobServer(self.work / "nginx") as server:
            store = self.fresh("store")
            for image in ("one", "sixteen"):
                self.timed(self.drover("pull", [f"{server.http}/bench/{image}:1"], store))
        ours = f"taskset -c 0 {shlex.quote(self.args.drover)} verify --store {store} -q --progress none"
        theirs = f"taskset -c 0 openssl dgst -sha256 {store}/blobs/sha256/*"
        tools = {"drover": lambda: self.timed(ours), "openssl dgst": lambda: self.timed(theirs), "sha256sum": lambda: self.timed(f"taskset -c 0 sha256sum {store}/blobs/sha256/*")}
        self.timed(theirs)  # into the cache
        self.rounds("verify 2 GiB, one core", tools)
