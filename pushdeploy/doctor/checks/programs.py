"""Whether the programs that the server starts are installed."""

import shutil
from collections.abc import Iterator

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.doctor.machine import said
from pushdeploy.domain.finding import Finding, check_version

MINIMUM_GIT = (2, 37)


def check_program(name: str, path: str | None, package: str) -> Finding:
    return Finding(name, path is not None, path or "missing", f"apt-get install {package}")


def _look(installation: Installation) -> Iterator[Finding]:
    del installation
    yield check_version("git", said("git", "--version"), MINIMUM_GIT, "apt-get install git")
    yield check_program("prlimit", shutil.which("prlimit"), "util-linux")
    yield check_program("iptables", shutil.which("iptables"), "iptables")


CHECK = Check(130, _look)
