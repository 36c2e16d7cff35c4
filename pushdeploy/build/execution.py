"""Commands run in a build container one after the other, are shown, and judged by how they end."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.build.containers import BuildSettings, run_to_end
from pushdeploy.build.plan import BuildCommand
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.known_secrets import secret_values
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.source import Source

_MARK = "\x1e"


@dataclass(frozen=True, slots=True)
class Underway:
    """All containers of a build that has begun have these in common.

    ``environment`` is for containers that run the app's code, never for images; ``deadline`` is a
    time of ``time.monotonic``.
    """

    source: Source
    app_id: int
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    output: Output
    cancellation: Cancellation
    deadline: float


@dataclass(frozen=True, slots=True)
class Executor:
    """Runs commands with the engine, as long as the settings allow."""

    engine: Engine
    settings: BuildSettings

    def execute(self, container: str, commands: Sequence[BuildCommand], underway: Underway) -> None:
        """Start a container that was made with ``script`` of the same commands.

        Each command and what it says is shown; ``BuildFailed`` names the one that failed.
        """
        running = commands[0]
        marks = {f"{_MARK}{index}": command for index, command in enumerate(commands)}

        def line(text: str) -> bool:
            nonlocal running
            if text in marks:
                running = marks[text]
                underway.output.detail(f"$ {running}")
                return False
            underway.output.detail(text)
            return True

        left = max(1.0, underway.deadline - time.monotonic())
        hidden = secret_values(underway.environment)
        ending = run_to_end(self.engine, container, line, left, underway.cancellation, hidden)
        ending.require_success(running, self.settings.timeout_seconds)


def script(commands: Sequence[BuildCommand]) -> Sequence[str]:
    """Write a shell script that marks where each command begins and ends with the first failure."""
    lines = [
        f"printf '\\036{index}\\n'; {shlex.join(command.arguments)}"
        for index, command in enumerate(commands)
    ]
    return ["sh", "-ec", "\n".join(lines)]
