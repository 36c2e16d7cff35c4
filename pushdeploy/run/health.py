"""Pure rules decide from what was seen whether a task is healthy; schedulers do the looking."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.cause import Cause
from pushdeploy.domain.container import ContainerInfo
from pushdeploy.domain.manifest import ProcessSpec
from pushdeploy.domain.names import WEB
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.domain.task import Slot

UPTIME_SECONDS = 1.0
"""How long a process without checks of its own must stay up, where it is not web."""

ANSWER_SECONDS = 10.0
"""How long the first answer of web may take before it is asked again."""

MOVE = "let it listen on 0.0.0.0 and on the port that PORT names, and push again"

CUT_SHORT = "no answer before the time was over"
"""What an attempt has to say that the boot time-out has ended: less than any whole one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A request came to a status with the body's beginning, or to a problem in words."""

    status: int = 0
    body: str = ""
    problem: str = ""
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial is repeated until it goes well, within ``limit_seconds`` from the task's start.

    ``any_answer`` takes every status below 500, as the app's own answer to a stranger. ``pause``
    is how long to wait after a bad answer; nothing listening is asked again at once.
    """

    check: Healthcheck
    limit_seconds: float
    pause_seconds: float
    attempts: int | None = None
    any_answer: bool = False


def trials(slot: Slot, process: ProcessSpec, boot_timeout_seconds: float) -> Sequence[Trial]:
    """The app's own checks in their order, else: web answers HTTP, the others stay up.

    A check of the app's own has the time that its attempts take; nothing listening yet is no
    failed attempt until the boot time-out.
    """
    if process.checks:
        return [_own(check, boot_timeout_seconds) for check in process.checks]
    if slot.process_type == WEB:
        check = Healthcheck(path="/", timeout_seconds=ANSWER_SECONDS)
        return [Trial(check, boot_timeout_seconds, pause_seconds=0.2, any_answer=True)]
    return [Trial(Healthcheck(uptime_seconds=UPTIME_SECONDS), boot_timeout_seconds, 0)]


def _own(check: Healthcheck, boot_timeout_seconds: float) -> Trial:
    takes = check.attempts * (check.wait_seconds + check.timeout_seconds)
    limit = max(boot_timeout_seconds, check.initial_delay_seconds + takes)
    return Trial(check, limit, check.wait_seconds, check.attempts)


def uptime_of(check: Healthcheck) -> float | None:
    """Return how long the process must stay up; None for a check that asks."""
    if check.path is not None or check.command:
        return None
    return check.uptime_seconds or UPTIME_SECONDS


def complaint(trial: Trial, answer: Answer) -> str:
    """Tell the fault of an HTTP answer; empty when it is good."""
    if answer.problem:
        return answer.problem
    if trial.any_answer:
        return f"status {answer.status}" if answer.status >= 500 else ""
    path = trial.check.path
    if not 200 <= answer.status < 400:
        return f"{path} answered with status {answer.status}"
    if trial.check.content and trial.check.content not in answer.body:
        return f"{path} did not contain {trial.check.content!r}"
    return ""


def remark(slot: Slot, trial: Trial, answer: Answer, host: str) -> str:
    """Tell what a visitor of ``host`` would get in place of a page; empty where all is well.

    Frameworks that are told which hosts are theirs answer all others with 400 (Django, Flask,
    Starlette), 403 (Rails) or 421 (RFC 9110 §15.5.20).
    """
    if not trial.any_answer or slot.index != 1 or not 400 <= answer.status < 500:
        return ""
    said = f"a visitor of http://{host}/ gets status {answer.status}"
    if answer.status in {400, 403, 421}:
        return f"{said}: does the app allow this host? Django's ALLOWED_HOSTS must have {host}"
    return said


def death(slot: Slot, info: ContainerInfo | None, cause: Cause | None, waited_for: str) -> str:
    """Tell why the container is no more: ``web.1 does not start: SyntaxError: ...``.

    What is not certain stands behind the plain facts.
    """
    if info is None:
        return f"{slot} was removed by somebody else"
    if cause is not None and cause.certain:
        return f"{slot} does not start: {cause.what}"
    said = f": {cause.what}" if cause is not None else ""
    return f"{slot} exited with code {info.exit_code} before it {waited_for}{said}"


def waited_for(check: Healthcheck) -> str:
    """The end of ``exited before it …``."""
    seconds = uptime_of(check)
    if seconds is not None:
        return f"had been up for {seconds:g} s"
    return "answered" if check.path is not None else f"passed its check {check.name}"


@dataclass(frozen=True, slots=True)
class TooLate:
    """A task runs and has not passed ``trial`` within ``seconds``.

    ``last`` is what it did when it was asked, empty when nothing listened; ``cause`` what its log
    ends with, if that is certain; ``listens`` completes "it listens on ", where that is known.
    """

    slot: Slot
    trial: Trial
    port: int
    seconds: float
    last: str = ""
    cause: Cause | None = None
    listens: str = ""

    def message(self) -> str:
        """``web.1 did not answer on port 5000 within 60 s``, with what it did instead, if any."""
        why = f": {self.cause.what}" if self.cause else ""
        if not self.last and not self.trial.check.command:
            where = f": it listens on {self.listens}" if self.listens else why
            return (
                f"{self.slot} did not answer on port {self.port} within {self.seconds:g} s{where}"
            )
        if self.trial.any_answer and self.last.startswith("status "):
            return f"{self.slot} answers with {self.last}{why}"
        if self.trial.any_answer:
            return (
                f"{self.slot} was not healthy on port {self.port} within {self.seconds:g} s:"
                f" {self.last}{why}"
            )
        last = self.last or "no attempt ended"
        return f"{self.slot} did not pass its check {self.trial.check.name}: {last}{why}"

    def hint(self, app: str) -> str:
        """Return the text to do or to type next."""
        if self.cause is not None:
            return self.cause.hint(app)
        slow = f"if it is only slow:  apps:set {app} boot-timeout=5m  and  releases:retry {app}"
        if self.trial.check.command or self.trial.check.path is None:
            return f"mend it or its check in app.json, and push again; {slow}"
        if not self.last and self.listens:
            return MOVE
        if not self.last or self.last == CUT_SHORT:
            return f"let it listen on 0.0.0.0 and on the port that PORT names; {slow}"
        if not self.trial.any_answer:
            return f"mend {self.trial.check.path} or its check in app.json, and push again"
        return UNKNOWN.hint(app)


UNKNOWN = Cause("")
"""Of what says nothing about itself."""
