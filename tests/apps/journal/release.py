"""Writes a line into the journal before the new version runs; fails while a config var says so."""

import os
import sys

import gate

version = os.environ["RELEASE_VERSION"]
print(f"release of {version} begins", flush=True)
gate.pass_gate("release")
if os.environ.get("FAIL"):
    sys.exit(f"release of {version} fails: {os.environ['FAIL']}")
gate.note(f"release {version}")
print(f"release of {version} ends", flush=True)
