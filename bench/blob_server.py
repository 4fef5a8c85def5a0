"""A registry of large random blobs behind nginx: plain HTTP, HTTPS, and HTTP with a limit for each connection.

Static files do as a read-only registry: /v2/NAME/manifests/TAG and /v2/NAME/blobs/DIGEST. Needs nginx and openssl.
"""
import hashlib, json, os, shutil, signal, socket, subprocess, time
from pathlib import Path

# Workers as whoever began it: the folder may be closed to others.
CONF = """daemon off; {user} worker_processes 2; pid {root}/nginx.pid; error_log {root}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;
  {servers}
}}
"""
SERVER = """server {{
    listen 127.0.0.1:{port}{ssl}; root {root}/tree; {more}
    location = /v2/ {{ return 200 "{{}}"; }}
    location ~ /manifests/ {{ default_type application/vnd.oci.image.manifest.v1+json; }}
    location ~ /blobs/ {{ default_type application/octet-stream; }}
  }}
"""
IMAGES = {"one": [1 << 30], "sixteen": [64 << 20] * 16, "limited": [200 << 20]}  # layers by name, bytes


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class BlobServer:
    """For the life of a `with`: .http, .https and .limited are HOST:PORT, .ca the certificate to trust."""

    def __init__(self, root: Path):
        self.root = root

    def put(self, name, media_type, chunks):
        folder = self.root / "tree/v2/bench" / name / "blobs"
        folder.mkdir(parents=True, exist_ok=True)
        digest, size, part = hashlib.sha256(), 0, folder / "part"
        with part.open("wb") as out:
            for chunk in chunks:
                digest.update(chunk)
                size += out.write(chunk)
        part.rename(folder / f"sha256:{digest.hexdigest()}")
        return {"mediaType": media_type, "digest": f"sha256:{digest.hexdigest()}", "size": size}

    def image(self, name):
        step = 8 << 20
        sizes = IMAGES[name]
        # Random bytes under a plain layer's name: nothing here is unpacked.
        layers = [self.put(name, "application/vnd.oci.image.layer.v1.tar", (os.urandom(min(step, size - at)) for at in range(0, size, step)))
                  for size in sizes]
        config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": self.put(name, "application/vnd.oci.image.config.v1+json", [json.dumps(config).encode()]), "layers": layers}
        folder = self.root / "tree/v2/bench" / name / "manifests"
        folder.mkdir(exist_ok=True)
        (folder / "1").write_text(json.dumps(manifest))
        return [layer["digest"] for layer in layers]

    def __enter__(self):
        self.root.mkdir(parents=True, exist_ok=True)
        self.blobs = {name: self.image(name) for name in IMAGES}
        key, self.ca = self.root / "key.pem", self.root / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.ca], check=True, capture_output=True)
        ports = free_ports(3)
        self.http, self.https, self.limited = (f"127.0.0.1:{port}" for port in ports)
        tls = f"ssl_certificate {self.ca}; ssl_certificate_key {key};"
        servers = "".join(SERVER.format(port=port, ssl=ssl, root=self.root, more=more)
                          for port, ssl, more in zip(ports, ["", " ssl", ""], ["", tls, "limit_rate 20m;"]))
        (self.root / "nginx.conf").write_text(CONF.format(root=self.root, servers=servers, user="user root;" if os.geteuid() == 0 else ""))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([nginx, "-p", self.root, "-c", self.root / "nginx.conf"], stderr=subprocess.DEVNULL)
        for _ in range(100):
            if self.process.poll() is not None:
                raise RuntimeError(f"nginx ended with {self.process.returncode}: {(self.root / 'error.log').read_text()[-500:]}")
            try:
                socket.create_connection(("127.0.0.1", ports[0]), 0.2).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("nginx does not listen")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)
