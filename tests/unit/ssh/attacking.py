"""Messages that no honest client sends, and what they cost the server."""

import struct
from pathlib import Path

import paramiko


def send(transport: paramiko.Transport, *parts: bytes) -> None:
    message = paramiko.Message()
    for part in parts:
        message.add_bytes(part)
    transport._send_message(message)  # type: ignore[attr-defined]


def string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
