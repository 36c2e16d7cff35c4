"""The upload-pack dialogue is Dulwich's, mended for shallow clients, and git makes the pack."""

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID
from dulwich.protocol import (
    CAPABILITY_FILTER,
    CAPABILITY_INCLUDE_TAG,
    CAPABILITY_NO_DONE,
    COMMAND_DEEPEN,
    COMMAND_SHALLOW,
    SIDE_BAND_CHANNEL_FATAL,
    capability_agent,
)
from dulwich.server import UploadPackHandler, _ProtocolGraphWalker

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.receive.git import Git, GitFailed, kill, running
from pushdeploy.receive.messages import reason
from pushdeploy.receive.public_repository import OnlyRepository, PublicRepository
from pushdeploy.receive.wire import GitProtocol, Keepalive

PIECE_BYTES = 65_000


class Negotiation(_ProtocolGraphWalker):
    """A shallow client may fetch again without a depth, which Dulwich's own does not allow."""

    repository: PublicRepository

    def all_wants_satisfied(self, haves: object) -> bool:
        """Say no: the client knows when to stop, and Dulwich would walk the history each time."""
        del haves
        return False

    def _handle_shallow_request(self, wants: Sequence[ObjectID]) -> None:
        depth = 0
        lines = (COMMAND_DEEPEN, COMMAND_SHALLOW, None)
        command, value = self.read_proto_line(lines)
        while command is not None:
            if isinstance(value, int):
                depth = value
            elif value is not None:
                self.client_shallow.add(ObjectID(value))
            command, value = self.read_proto_line(lines)
        if depth <= 0:
            return
        inside, boundary = within(self.repository, wants, depth)
        self.shallow = boundary
        self.unshallow = self.client_shallow & inside
        self.update_shallow(boundary - self.client_shallow, self.unshallow)


class FetchDialogue(UploadPackHandler):
    """A dialogue serves one clone, fetch or ls-remote.

    Dulwich advertises, reads the wants and negotiates. The objects are chosen and packed by
    ``git pack-objects``, as git's own upload-pack does: Dulwich would walk every tree in this
    process, with all object ids in its memory.
    """

    def __init__(
        self, name: str, repository: PublicRepository, protocol: GitProtocol, git: Git
    ) -> None:
        super().__init__(OnlyRepository(repository), [name], protocol)
        self._repository = repository
        self._git = git

    def capabilities(self) -> list[bytes]:
        absent = {CAPABILITY_FILTER, CAPABILITY_NO_DONE}
        stock = [name for name in super().capabilities() if name not in absent]
        return [*stock, capability_agent()]

    def run(self, keepalive: Keepalive, cancellation: Cancellation) -> bool:
        """Tell whether the client got the objects that it asked for; it is told when it did not."""
        negotiation = Negotiation(
            self,
            self._repository.object_store,
            self._repository.get_peeled,
            self._repository.refs.get_symrefs,
        )
        negotiation.repository = self._repository
        wants = negotiation.determine_wants(self._repository.get_refs())
        if not wants:
            return True
        haves = list(self._common(negotiation))
        if not negotiation.handle_done(True, self._done_received):
            return True
        self._start_pack_send_phase()
        keepalive.start()
        try:
            self._send_pack(self._revisions(negotiation, wants, haves), cancellation)
        except PushdeployError as error:
            self.proto.write_sideband(SIDE_BAND_CHANNEL_FATAL, f"{reason(error)}\n".encode())
            return False
        finally:
            keepalive.stop()
        self.proto.write_pkt_line(None)
        return True

    def _common(self, negotiation: Negotiation) -> Iterator[ObjectID]:
        while have := negotiation.next():
            if have in self._repository.object_store:
                negotiation.ack(have)
                yield have

    def _revisions(
        self, negotiation: Negotiation, wants: Iterable[ObjectID], haves: Iterable[ObjectID]
    ) -> bytes:
        """For ``git pack-objects --revs --shallow``; see write_one_shallow in upload-pack.c.

        The walk ends where the client's history ends; what it is about to get behind that is
        wanted expressly.
        """
        ends = negotiation.shallow | negotiation.client_shallow | self._repository.get_shallow()
        behind = [
            parent
            for commit in negotiation.unshallow
            for parent in parents(self._repository.object_store, commit)
        ]
        lines = [
            *(b"--shallow " + commit for commit in sorted(ends)),
            *wants,
            *behind,
            b"--not",
            *haves,
            *negotiation.unshallow,
        ]
        return b"\n".join(lines) + b"\n\n"

    def _send_pack(self, revisions: bytes, cancellation: Cancellation) -> None:
        arguments = ["pack-objects", "--revs", "--thin", "--stdout", "--shallow", "-q"]
        arguments.append("--delta-base-offset")
        if self.has_capability(CAPABILITY_INCLUDE_TAG):
            arguments.append("--include-tag")
        with running(self._git.start(*arguments, stdin=subprocess.PIPE)) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            with cancellation.stopping(lambda: kill(child)):
                with suppress(BrokenPipeError):  # it has failed: its exit status says so
                    child.stdin.write(revisions)
                with suppress(BrokenPipeError):
                    child.stdin.close()
                while data := child.stdout.read(PIECE_BYTES):
                    self.write_pack_data(data)
        cancellation.check()
        if child.returncode != 0:
            raise GitFailed("the objects cannot be packed")


def within(
    repository: PublicRepository, wants: Iterable[ObjectID], depth: int
) -> tuple[set[ObjectID], set[ObjectID]]:
    """Return the commits nearer than ``depth`` to the wants, and those at it, where history is cut.

    The server's own shallow commits are cuts too.
    """
    store, shallow = repository.object_store, repository.get_shallow()
    peeled = (store.peel(want)[1] for want in wants)
    level = {found.id for found in peeled if isinstance(found, Commit)}
    inside: set[ObjectID] = set()
    boundary: set[ObjectID] = set()
    while level and depth > 1:
        depth -= 1
        boundary |= level & shallow
        inside |= level - shallow
        further = {parent for commit in level - shallow for parent in parents(store, commit)}
        level = further - inside - boundary
    return inside, boundary | level


def parents(store: BaseObjectStore, commit: ObjectID) -> list[ObjectID]:
    found = store[commit]
    return list(found.parents) if isinstance(found, Commit) else []
