"""When is a task healthy? Decided from what was seen, with no I/O; ``boot`` does the looking."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.container import ContainerInfo
from pushdeploy.domain.manifest import Limits, ProcessSpec
from pushdeploy.domain.names import WEB
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.domain.task import Slot

UPTIME_SECONDS = 1.0
"""How long a process without checks of its own must stay up, where it is not web."""

ANSWER_SECONDS = 10.0
"""How long the first answer of web may take before it is asked again."""

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came to: a status with the body's beginning, or a problem in words."""

    status: int = 0
    body: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing to try until it goes well, within ``limit_seconds`` from the task's start.

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
    """How long the process must stay up; None for a check that asks."""
    if check.path is not None or check.command:
        return None
    return check.uptime_seconds or UPTIME_SECONDS


def complaint(trial: Trial, answer: Answer) -> str:
    """What is wrong with an HTTP answer; empty when it is good."""
    if answer.problem:
        return answer.problem
    if trial.any_answer:
        return f"it answered with status {answer.status}" if answer.status >= 500 else ""
    path = trial.check.path
    if not 200 <= answer.status < 400:
        return f"{path} answered with status {answer.status}"
    if trial.check.content and trial.check.content not in answer.body:
        return f"{path} did not contain {trial.check.content!r}"
    return ""


def death(slot: Slot, info: ContainerInfo | None, limits: Limits, waited_for: str) -> str:
    """Why the container is no more: ``web.1 exited with code 3 before it answered``."""
    if info is None:
        return f"{slot} was removed by somebody else"
    if info.out_of_memory:
        return f"{slot} was killed: out of memory ({limits.memory_bytes // _MEGABYTE} MB)"
    return f"{slot} exited with code {info.exit_code} before it {waited_for}"


def waited_for(check: Healthcheck) -> str:
    """The end of ``exited before it …``."""
    seconds = uptime_of(check)
    if seconds is not None:
        return f"had been up for {seconds:g} s"
    return "answered" if check.path is not None else f"passed its check {check.name}"


def too_late(slot: Slot, trial: Trial, port: int, seconds: float, last: str) -> str:
    """``web.1 did not answer on port 5000 within 60 s``, with what it did instead, if anything."""
    if trial.check.command:
        return f"{slot} did not pass its check {trial.check.name}: {last or 'no attempt ended'}"
    if trial.any_answer and last:
        return f"{slot} was not healthy on port {port} within {seconds:g} s: {last}"
    if trial.any_answer or not last:
        return f"{slot} did not answer on port {port} within {seconds:g} s"
    return f"{slot} did not pass its check {trial.check.name}: {last}"


def remedy(info: ContainerInfo | None, slot: Slot, app: str, last: str = "") -> str:
    """What to type next. ``last`` is what it did when it was asked, empty when nothing listened."""
    if info is not None and info.out_of_memory:
        return "give it more memory (PUSHDEPLOY_TASK_MEMORY_BYTES) or make it need less"
    running = info is not None and info.exit_code is None
    if running and slot.process_type == WEB and not last:
        return "let it listen on 0.0.0.0 and on the port that PORT names"
    return f"its last lines say why; mend it and push again, or:  releases:retry {app}"
