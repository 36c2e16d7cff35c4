"""Just enough of HTTP/2 to say what no library would, and to be an app that speaks nothing else."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pushdeploy.domain.route import Target
from pushdeploy.settings import Address

DATA, HEADERS, RESET, SETTINGS, GOAWAY, CONTINUATION = 0, 1, 3, 4, 7, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def literal(name: str, value: str) -> bytes:
    """A header field never indexed, without Huffman's code: RFC 7541, 6.2.3."""
    return b"\x10" + _string(name) + _string(value)


def _string(text: str) -> bytes:
    data, length = text.encode("latin-1"), len(text)
    if length < 127:
        return bytes([length]) + data
    rest, parts = length - 127, [127]
    while rest >= 128:
        parts.append(rest % 128 + 128)
        rest //= 128
    return bytes([*parts, rest]) + data


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def fields(*more: tuple[str, str], path: str = "/first", method: str = "GET") -> bytes:
    pseudo = [(":method", method), (":scheme", "https"), (":path", path)]
    return b"".join(literal(*each) for each in [*pseudo, (":authority", "shop.localhost"), *more])


@contextmanager
def speaking(https: Address) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection((https.host, https.port), timeout=20)
    with context.wrap_socket(plain, server_hostname="shop.localhost") as talk:
        assert talk.selected_alpn_protocol() == "h2"
        talk.sendall(PREFACE + frame(SETTINGS, 0, 0))
        yield talk


def frames_of(talk: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each, until the connection ends."""
    data = b""
    while True:
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            size = int.from_bytes(data[:3], "big")
            yield data[3], data[4], int.from_bytes(data[5:9], "big"), data[9 : 9 + size]
            data = data[9 + size :]
        try:
            more = talk.recv(65536)
        except OSError:
            return
        if not more:
            return
        data += more


class Http2App:
    """An app that speaks HTTP/2 from the first byte on, and answers with a trailer as gRPC does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def target(self) -> Target:
        return Target(*self._socket.getsockname())

    def kill(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            begun = b""
            while len(begun) < len(PREFACE):
                begun += connection.recv(len(PREFACE) - len(begun))
            if begun != PREFACE:
                return
            connection.sendall(frame(SETTINGS, 0, 0))
            for kind, flags, stream, _ in frames_of(connection):
                if kind == SETTINGS and not flags & ACK:
                    connection.sendall(frame(SETTINGS, ACK, 0))
                if kind in {HEADERS, DATA} and flags & END_STREAM:
                    self.asked += 1
                    connection.sendall(self._answer(stream))

    def _answer(self, stream: int) -> bytes:
        begun = literal(":status", "200") + literal("content-type", "application/grpc")
        return (
            frame(HEADERS, END_HEADERS, stream, begun)
            + frame(DATA, 0, stream, self.name.encode())
            + frame(HEADERS, END_HEADERS | END_STREAM, stream, literal("grpc-status", "0"))
        )
