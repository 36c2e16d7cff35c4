"""Shows its version at /, the journal on its disk at /journal; a POST adds a line to it.

/slow?2 takes two seconds. It waits at the gates before it listens and before it ends."""

import http.server
import os
import pathlib
import signal
import sys
import time

import gate

VERSION = pathlib.Path("VERSION").read_text().strip()


class Journal(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/slow?"):
            time.sleep(float(self.path.partition("?")[2]))
        if self.path == "/journal":
            journal = gate.DISK / "journal"
            self.answer(journal.read_text() if journal.exists() else "")
        else:
            self.answer(f"journal of version {VERSION}\n")

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        gate.note(self.rfile.read(size).decode())
        self.answer("noted\n")

    def answer(self, text):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def end(*_):
    gate.pass_gate("stop")
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
if os.environ.get("FAIL_BOOT"):
    print("web: the last words before it dies", flush=True)
    sys.exit(3)
gate.pass_gate("boot")
print(f"version {VERSION} listens", flush=True)
server = http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Journal)
server.serve_forever()
