"""POST / adds a line and answers with its number; DELETE / removes all of them; GET / counts them,
GET /notes shows them.

Every answer ends with the version that gave it. /slow?2 takes two seconds. With STUBBORN set it
does not listen to SIGTERM; with a file FAIL_BOOT in the repository it does not start. On SIGTERM it
writes as many bytes to its disk as the file cache-bytes there says."""

import http.server
import os
import signal
import sys
import time

import data

lock = data.claim()
data.connect().close()


class Tally(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/slow?"):
            time.sleep(float(self.path.partition("?")[2]))
        database = data.connect()
        notes = [note for (note,) in database.execute("SELECT note FROM entries ORDER BY id")]
        database.close()
        self.answer("\n".join(notes) if self.path == "/notes" else str(len(notes)))

    def do_POST(self):
        note = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        database = data.connect()
        with database:
            added = database.execute("INSERT INTO entries (note) VALUES (?)", [note]).lastrowid
        database.close()
        self.answer(str(added))

    def do_DELETE(self):
        database = data.connect()
        with database:
            database.execute("DELETE FROM entries")
        database.close()
        self.answer("none")

    def answer(self, text):
        body = f"{text}\nversion {data.VERSION}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def leave(*_):
    wanted = data.DISK / "cache-bytes"
    if wanted.exists():
        (data.DISK / "cache").write_bytes(bytes(int(wanted.read_text())))
    os._exit(0)


if os.path.exists("FAIL_BOOT"):
    sys.exit("web: it does not start")
signal.signal(signal.SIGTERM, signal.SIG_IGN if os.environ.get("STUBBORN") else leave)
http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer.request_queue_size = 256
print(f"version {data.VERSION} listens", flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Tally).serve_forever()
