"""What the server does with a client's bytes on their way in."""

import socket
from typing import Any

from pushdeploy.ssh.packetizer import LimitedPacketizer


class Recorded(socket.socket):
    """Remembers the order of what was asked of it."""

    calls: list[str]

    def recv(self, *arguments: Any) -> bytes:
        self.calls.append("recv")
        return super().recv(*arguments)

    def setsockopt(self, *arguments: Any) -> None:
        if arguments == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1):
            self.calls.append("acknowledge")
        super().setsockopt(*arguments)


def test_every_read_is_acknowledged_at_once_regression() -> None:
    """A client that waits for an acknowledgement waited 40 ms, several times in each command."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    with listener, client, listener.accept()[0] as accepted, _recorded(accepted) as sock:
        client.sendall(b"SSH-2.0-client\r\n" + bytes(8))
        packetizer = LimitedPacketizer(sock)
        packetizer.readline(5)
        packetizer.read_all(8)
        client.sendall(bytes(8))
        packetizer.read_all(8)
        assert sock.calls[:4] == ["acknowledge", "recv", "acknowledge", "recv"]


def _recorded(sock: socket.socket) -> Recorded:
    recorded = Recorded(fileno=sock.detach())
    recorded.calls = []
    return recorded
