"""Says that it lives, until it is told to stop."""

import pathlib
import signal
import sys

version = pathlib.Path("VERSION").read_text().strip()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print(f"worker of version {version} is up", flush=True)
while True:
    signal.pause()
