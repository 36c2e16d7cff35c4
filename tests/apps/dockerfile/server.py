"""Answers on the port that the Dockerfile exposes."""

import http.server
import os


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello from a Dockerfile\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


address = ("0.0.0.0", int(os.environ.get("PORT", "8000")))
http.server.ThreadingHTTPServer(address, Hello).serve_forever()
