"""A Docker Engine that holds nothing and believes everything, on a unix socket: it keeps the bodies of POST /containers/create.

For tests/compose/regenerate-expectations: what docker compose asks of an engine is the expectation of drover's create body.
"""
import http.server, json, os, re, socketserver, threading, urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Api-Version", self.server.api_version)
        self.send_header("Ostype", "linux")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self):
        return "unix"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self.answer(200, "OK")

    def do_GET(self):
        path = re.sub(r"^/v[0-9.]+", "", urllib.parse.urlsplit(self.path).path)
        engine = self.server
        if path == "/_ping":
            return self.answer(200, "OK")
        if path in ("/version", "/info"):
            return self.answer(200, {"ApiVersion": engine.api_version, "MinAPIVersion": "1.24", "Os": "linux", "OSType": "linux", "Arch": "amd64"})
        if path in ("/containers/json", "/images/json"):
            return self.answer(200, [])
        if path == "/networks":
            return self.answer(200, list(engine.networks.values()))
        kind, name = path.strip("/").split("/", 1)
        name = urllib.parse.unquote(name.removesuffix("/json"))
        if kind == "images":
            return self.answer(200, {"Id": "sha256:" + "0" * 64, "Os": "linux", "Architecture": "amd64", "Config": {}, "RootFS": {}})
        if kind == "containers":
            return self.answer(200, {"Id": name, "Name": "/" + name, "State": {"Status": "created"}, "Config": {"Labels": {}},
                                     "NetworkSettings": {"Networks": {}}, "HostConfig": {}})
        known = {"networks": engine.networks, "volumes": engine.volumes}.get(kind, {})
        found = known.get(name) or (engine.external(name) if kind in ("networks", "volumes") else None)
        return self.answer(200, found) if found else self.answer(404, {"message": f"no such {kind}: {name}"})

    def do_POST(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            text = b""
            while size := int(self.rfile.readline(), 16):
                text += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        body = json.loads(text or b"{}")
        url = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v[0-9.]+", "", url.path)
        engine = self.server
        if path == "/networks/create":
            engine.networks[body["Name"]] = {"Id": "id-" + body["Name"], **body}
            return self.answer(201, {"Id": "id-" + body["Name"]})
        if path == "/volumes/create":
            engine.volumes[body["Name"]] = body
            return self.answer(201, body)
        if path == "/containers/create":
            name = urllib.parse.parse_qs(url.query)["name"][0]
            engine.created[name] = {"query": url.query, "body": body}
            return self.answer(201, {"Id": name, "Warnings": []})
        return self.answer(200, {})


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path, api_version):
        super().__init__(path, Handler)
        self.api_version, self.networks, self.volumes, self.created, self.externals = api_version, {}, {}, {}, set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        request, _ = super().get_request()
        return request, ("unix", 0)

    def handle_error(self, request, client_address):
        pass  # docker compose hangs up on what it no longer needs

    def external(self, name):
        return {"Id": "id-" + name, "Name": name} if name in self.externals else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
        os.unlink(self.server_address)
