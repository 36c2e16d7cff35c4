"""Answers with the VERSION file, and with what the environment says of the release.

/slow?2 takes two seconds; /held?1 is not answered by version 1 until /tmp/answer is there."""

import http.server
import json
import os
import pathlib
import time

ANSWER = pathlib.Path("/tmp/answer")
VERSION = os.environ.get("VERSION") or pathlib.Path("VERSION").read_text().strip()


class Hello(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/environment":
            names = ("APP", "DYNO", "RELEASE_VERSION", "SLUG_COMMIT", "PORT")
            self.answer(json.dumps({name: os.environ.get(name) for name in names}))
        else:
            if self.path.startswith("/slow?"):
                time.sleep(float(self.path.partition("?")[2]))
            elif self.path == f"/held?{VERSION}":
                print("a request is held", flush=True)
                while not ANSWER.exists():
                    time.sleep(0.05)
            self.answer(f"hello from version {VERSION}")

    def answer(self, text):
        body = f"{text}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


address = ("0.0.0.0", int(os.environ.get("PORT", "5000")))
print(f"version {VERSION} listens on port {address[1]}", flush=True)
http.server.ThreadingHTTPServer(address, Hello).serve_forever()
