"""A client made of bytes, for what no git client would send: pkt-lines and packs by hand."""

import hashlib
import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName
from pushdeploy.receive.service import GitService
from tests.unit.receive.host import ALICE, APP

ZERO = "0" * 40
CAPABILITIES = "report-status side-band-64k"
KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
OFS_DELTA = 6


@dataclass
class BytesSession:
    """Says everything at once and keeps the answer."""

    given: io.BytesIO
    by: KeyName = ALICE
    cancellation: Cancellation = field(default_factory=Cancellation)
    answer: bytearray = field(default_factory=bytearray)

    def read(self, most: int = 65536) -> bytes:
        return self.given.read(most)

    def write(self, data: bytes) -> None:
        self.answer += data

    def write_error(self, data: bytes) -> None:
        self.answer += data


def say(service: GitService, data: bytes, *, git: str = "git-receive-pack") -> tuple[int, str]:
    """Exit status and answer, as text, of a client that says ``data``."""
    session = BytesSession(io.BytesIO(data))
    status = service.serve(git, APP, session)
    return status, session.answer.decode("utf-8", "replace")


def line(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return b"%04x" % (len(data) + 4) + data


def commands(*updates: tuple[str, str, str], capabilities: str = CAPABILITIES) -> bytes:
    """pkt-lines of (old, new, ref)."""
    lines = [f"{old} {new} {ref}" for old, new, ref in updates]
    lines[0] += f"\0 {capabilities}"
    return b"".join(line(text) for text in lines) + b"0000"


def name_of(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()


def pack(*entries: bytes, count: int | None = None) -> bytes:
    number = len(entries) if count is None else count
    body = b"PACK" + struct.pack(">II", 2, number) + b"".join(entries)
    return body + hashlib.sha1(body).digest()


def entry(kind: str | int, data: bytes, *, size: int | None = None, before: bytes = b"") -> bytes:
    """An object of a pack: a head with type and size, ``before`` (a delta's base), zlib."""
    number = KINDS[kind] if isinstance(kind, str) else kind
    left = len(data) if size is None else size
    head = bytearray([number << 4 | left & 15])
    left >>= 4
    while left:
        head[-1] |= 0x80
        head.append(left & 0x7F)
        left >>= 7
    return bytes(head) + before + zlib.compress(data)


def offset(distance: int) -> bytes:
    """The base of an ofs-delta, so many bytes before it."""
    digits = [distance & 0x7F]
    while distance := distance >> 7:
        distance -= 1
        digits.insert(0, 0x80 | distance & 0x7F)
    return bytes(digits)


def varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(0x80 | number & 0x7F)
        number >>= 7
    return bytes([*digits, number])


def copies(base_bytes: int, times: int) -> bytes:
    """A delta that repeats its whole base (at most 16 MiB) ``times``."""
    size = struct.pack("<I", base_bytes)[:3]
    return varint(base_bytes) + varint(base_bytes * times) + (b"\xf0" + size) * times


def tree(*entries: tuple[str, bytes, str]) -> bytes:
    """(mode, name, object id) as they are, in this order."""
    return b"".join(
        mode.encode() + b" " + name + b"\0" + bytes.fromhex(object_id)
        for mode, name, object_id in entries
    )


def commit(tree_id: str, parents: Sequence[str] = ()) -> bytes:
    who = "Alice <alice@example.com> 1700000000 +0000"
    above = "".join(f"parent {parent}\n" for parent in parents)
    return f"tree {tree_id}\n{above}author {who}\ncommitter {who}\n\nchange\n".encode()


BLOB = b"text\n"
BLOB_ID = name_of("blob", BLOB)


def push_of_tree(*trees: bytes, blobs: Sequence[bytes] = (BLOB,), ref: str = "main") -> bytes:
    """A push of a commit with the last of these trees."""
    data = commit(name_of("tree", trees[-1]))
    objects = [
        *(entry("blob", blob) for blob in blobs),
        *(entry("tree", one) for one in trees),
        entry("commit", data),
    ]
    return commands((ZERO, name_of("commit", data), f"refs/heads/{ref}")) + pack(*objects)
