"""Wants visitors who come by https, as Django does with SECURE_SSL_REDIRECT.

/headers tells what it reads of a request. /events sends an event for each request to /next.
/silent says nothing for as long as anybody waits.
"""

import http.server
import json
import os
import threading


class Visitor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/events":
            self.tell_events()
        elif self.path == "/silent":
            threading.Event().wait(60)
        elif self.path == "/next":
            go_on.release()
            self.answer(200, "there it is")
        elif self.path == "/headers":
            self.answer(200, json.dumps(dict(self.headers.items())))
        elif self.headers["X-Forwarded-Proto"] == "https":
            self.answer(200, "welcome")
        else:
            self.answer(301, "by https, please", Location=f"https://{self.headers['Host']}/")

    def tell_events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in range(3):
            go_on.acquire(timeout=60)
            self.wfile.write(f"data: {number}\n\n".encode())

    def answer(self, status, text, **headers):
        body = f"{text}\n".encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


go_on = threading.Semaphore(0)
address = ("0.0.0.0", int(os.environ.get("PORT", "5000")))
http.server.ThreadingHTTPServer(address, Visitor).serve_forever()
