"""The examination: every check that is found, in its order."""

from collections.abc import Sequence
from pathlib import Path

import pushdeploy.doctor.checks
from pushdeploy.discover import discover
from pushdeploy.doctor.check import Check, Installation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.finding import Finding
from pushdeploy.instance import Home
from pushdeploy.settings import load_settings, lost_settings


def examine(home: Path | None) -> Sequence[Finding]:
    """Make every check in turn; settings that cannot be read leave nothing else to look at."""
    try:
        settings = load_settings(home=home) if home else load_settings()
    except PushdeployError as error:
        return [Finding("settings", False, error.message, error.hint)]
    installation = Installation(settings, Home(settings.home))
    return [
        _settings(installation),
        *(finding for check in found_checks() for finding in check.look(installation)),
    ]


def found_checks() -> Sequence[Check]:
    found = discover(pushdeploy.doctor.checks, "CHECK").values()
    return sorted((each for each in found if isinstance(each, Check)), key=lambda each: each.order)


def _settings(installation: Installation) -> Finding:
    lost = lost_settings(installation.settings)
    detail = lost or _source(installation.home)
    mend = "put a backup of it back; where the defaults are meant, remove it"
    return Finding("settings", not lost, detail, mend)


def _source(home: Home) -> str:
    return str(home.settings_file) if home.settings_file.exists() else "environment and defaults"
