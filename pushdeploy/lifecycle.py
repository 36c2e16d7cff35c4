"""Runs the lifecycle scripts of hooks/ on the host, with facts as environment variables."""

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.output import Output
from pushdeploy.resources import find

_TIMEOUT_SECONDS = 300


class Lifecycle:
    """``Lifecycle`` finds and runs ``pre-build``, ``post-deploy`` and ``post-receive``."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def script(self, event: str) -> Path | None:
        return find("hooks", event, self._home)

    def run(
        self,
        event: str,
        facts: Mapping[str, str],
        output: Output,
        cancellation: Cancellation | None = None,
    ) -> None:
        """Raise ``PushdeployError`` when the script fails or takes over five minutes.

        A cancel kills the script and whatever it has started. The script sees PATH, LANG,
        PUSHDEPLOY_HOME and ``facts``, and nothing else of ours.
        """
        path = self.script(event)
        if path is None:
            return
        process = subprocess.Popen(
            ["/bin/sh", str(path)],
            env={
                "PATH": os.defpath + ":/usr/local/bin:/usr/sbin:/sbin",
                "LANG": "C.UTF-8",
                "PUSHDEPLOY_HOME": str(self._home),
                "EVENT": event,
                **facts,
            },
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        cancellation = cancellation or Cancellation()
        with process:
            try:
                with cancellation.stopping(lambda: _kill(process)):
                    said, _ = process.communicate(timeout=_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired as error:
                raise PushdeployError(
                    f"the {event} hook took over {_TIMEOUT_SECONDS} s", f"look at {path}"
                ) from error
            finally:
                _kill(process)
        cancellation.check()
        for line in said.decode(errors="replace").splitlines():
            output.detail(line)
        if process.returncode:
            raise PushdeployError(
                f"the {event} hook failed with exit code {process.returncode}", f"look at {path}"
            )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a script that still runs, with its children."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
