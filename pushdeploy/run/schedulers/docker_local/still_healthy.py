"""Tasks that were healthy once still are when they run as they were started, and listen."""

import socket
from collections.abc import Sequence
from contextlib import suppress

from pushdeploy.domain.container import ContainerInfo
from pushdeploy.domain.errors import BootFailed, PushdeployError
from pushdeploy.domain.names import WEB
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.task import Death, Task

_TAIL_LINES = 20
_CONNECT_SECONDS = 0.5


def confirm(engine: Engine, task: Task, death: Death | None) -> None:
    """Raise ``BootFailed`` when its container does not run on as it was started.

    ``death`` is what became of it, where that is known.
    """
    info = engine.inspect(task.container)
    if death is None and info is not None and runs_on(info, task):
        return
    raise BootFailed(
        f"{task.slot} was healthy, and ended when traffic went to it{_how(info, death)}",
        f"logs {task.app} -p {task.slot} shows its last lines",
        exit_code=death.exit_code if death else None,
        log_tail=_last_lines(engine, task),
    )


def runs_on(info: ContainerInfo, task: Task) -> bool:
    """The engine has not started it anew, and it is where traffic was sent."""
    return info.state == "running" and not info.restarts and info.address == task.address


def listens(task: Task) -> bool:
    """Tell whether its port takes a connection; what is not web has none."""
    if task.slot.process_type != WEB:
        return True
    if not task.address or task.state != "up":
        return False
    try:
        socket.create_connection((task.address, task.port), _CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


def _how(info: ContainerInfo | None, death: Death | None) -> str:
    if death is not None:
        return f": {death}"
    if info is None:
        return ": it was removed"
    return "" if info.exit_code is None else f": exit code {info.exit_code}"


def _last_lines(engine: Engine, task: Task) -> Sequence[str]:
    with suppress(PushdeployError), engine.logs(task.container, tail=_TAIL_LINES) as lines:
        return [line.text for line in lines]
    return []
