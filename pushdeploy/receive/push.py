"""The receive-pack dialogue is Dulwich's, with push options, shallow clients and a deploy in it."""

import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from dulwich.objects import ObjectID
from dulwich.protocol import (
    CAPABILITY_ATOMIC,
    CAPABILITY_NO_DONE,
    CAPABILITY_PUSH_OPTIONS,
    CAPABILITY_SIDE_BAND_64K,
    SIDE_BAND_CHANNEL_FATAL,
    SIDE_BAND_CHANNEL_PROGRESS,
    capability_agent,
)
from dulwich.refs import Ref
from dulwich.server import ReceivePackHandler

from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.plain import plain_sink
from pushdeploy.domain.ports.git_session import GitSession
from pushdeploy.output import Output, Quiet
from pushdeploy.receive.admission import Admission, PendingPush
from pushdeploy.receive.incoming_pack import IncomingPack
from pushdeploy.receive.messages import one_line
from pushdeploy.receive.public_repository import OnlyRepository, PublicRepository
from pushdeploy.receive.updates import NO_COMMIT, RefUpdate, Verdicts
from pushdeploy.receive.wire import Keepalive, PushProtocol, Wire

_log = logging.getLogger(__name__)

AfterReceive = Callable[[AppName, str, str, str, KeyName, Output], None]
"""Called with app, ref, old, new (40 zeros for no commit), who, output; for each moved ref."""

Command = tuple[ObjectID, ObjectID, Ref]


@dataclass(frozen=True, slots=True)
class PushContext:
    """A push dialogue is given its app, its connection and the parts that it calls."""

    app: AppName
    session: GitSession
    admission: Admission
    after_receive: AfterReceive
    silence_seconds: float
    greeting: Sequence[str] = ()


class PushDialogue(ReceivePackHandler):
    """A dialogue serves one push.

    Dulwich's ``handle`` calls, in this order: ``capabilities``, ``_on_pre_receive`` when the
    commands are read, ``_apply_pack``, ``_on_post_receive`` with those that were accepted,
    ``_report_status``.
    """

    def __init__(
        self, context: PushContext, repository: PublicRepository, protocol: PushProtocol, wire: Wire
    ) -> None:
        super().__init__(OnlyRepository(repository), [context.app], protocol)
        self._context = context
        self._protocol = protocol
        self._keepalive = Keepalive(wire, context.silence_seconds)
        self._output: Output = Quiet()
        self.incoming = IncomingPack(protocol.recv)
        self.refused = False
        self._done: dict[Ref, RefUpdate] = {}

    def capabilities(self) -> Iterable[bytes]:
        stock = [name for name in super().capabilities() if name != CAPABILITY_NO_DONE]
        return [*stock, CAPABILITY_PUSH_OPTIONS, capability_agent()]

    def run(self) -> bool:
        """Run the whole dialogue, and tell whether every update was accepted."""
        try:
            self.handle()
        finally:
            self._keepalive.stop()
        return not self.refused

    def abort(self, reason: str) -> bool:
        """Tell the client the reason in an error band, and return False where it has no bands."""
        if not self._banded():
            return False
        self.proto.write_sideband(SIDE_BAND_CHANNEL_FATAL, f"{one_line(reason)}\n".encode())
        return True

    def _on_pre_receive(self, client_refs: list[Command]) -> None:
        del client_refs
        options = self._read_options()
        if self._banded():
            self._keepalive.start()
            self._output = self._client_output()
        for line in self._context.greeting:
            self._output.line(line)
        for option in options:
            self._output.trouble(f"push option {one_line(option)} has no meaning here")

    def _apply_pack(self, refs: list[Command]) -> Iterator[tuple[bytes, bytes]]:
        updates = [RefUpdate.of(old, new, ref) for old, new, ref in refs]
        verdicts = Verdicts(self._context.admission.as_meant(self._context.app, updates))
        push = PendingPush(
            app=self._context.app,
            by=self._context.session.by,
            cancellation=self._context.session.cancellation,
            output=self._output,
            incoming=self.incoming,
            client_shallow=self._protocol.client_shallow,
            atomic=self.has_capability(CAPABILITY_ATOMIC),
        )
        try:
            self._context.admission.admit(push, verdicts)
        except Exception as error:  # noqa: BLE001 - the border: an unforeseen error still gets its answer
            why = self._context.admission.no_room(error)
            if why is not None:
                self._output.failure(why)
            verdicts.refuse_pending(why.message if why else log_unforeseen(self._context.app))
        self.refused = verdicts.refused
        yield b"unpack", verdicts.unpacked.encode()
        for update, (_, _, name) in zip(verdicts.updates, refs, strict=True):
            self._done[name] = update
            yield name, verdicts.reason(update).encode() or b"ok"

    def _on_post_receive(self, client_refs: list[Command]) -> None:
        for update in (self._done[ref] for _, _, ref in client_refs):
            try:
                self._context.after_receive(
                    self._context.app,
                    update.ref,
                    update.old or NO_COMMIT,
                    update.new or NO_COMMIT,
                    self._context.session.by,
                    self._output,
                )
            except Exception:  # noqa: BLE001 - the ref has moved: its hook cannot undo that
                self._output.trouble(log_unforeseen(self._context.app))

    def _report_status(self, status: Sequence[tuple[bytes, bytes]]) -> None:
        self._keepalive.stop()
        super()._report_status(status)

    def _banded(self) -> bool:
        return bool(self._client_capabilities) and self.has_capability(CAPABILITY_SIDE_BAND_64K)

    def _read_options(self) -> list[str]:
        if not self.has_capability(CAPABILITY_PUSH_OPTIONS):
            return []
        return [option.decode("utf-8", "replace") for option in self.proto.read_pkt_seq()]

    def _client_output(self) -> Output:
        """Every line at once: git shows only whole ones.

        ``quiet`` changes nothing, as in git's own hosts: every client whose output is no terminal
        asks for it, and a CI job wants to read its build.
        """

        def show(line: str) -> None:
            data = line.encode("utf-8", "replace") + b"\n"
            self.proto.write_sideband(SIDE_BAND_CHANNEL_PROGRESS, data)

        return Output(plain_sink(show))


def log_unforeseen(app: AppName | None) -> str:
    """Log the exception that is being handled, and return the text for the client."""
    number = secrets.token_hex(4)
    _log.exception("id=%s app=%s git: unforeseen error", number, app)
    return f"internal error, see the server's log under id {number}"
