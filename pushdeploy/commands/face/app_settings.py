"""What ``apps:set`` can set: its names, how values are read and shown, what is sensible."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pushdeploy.commands.face.units import parse_bytes, parse_seconds, show_bytes, show_seconds
from pushdeploy.domain.app import AppSettings
from pushdeploy.domain.capabilities import parse_capabilities
from pushdeploy.domain.errors import UserError

_DAY = 86_400
_HOUR = 3600
_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$|\.$|/$))[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,199}")


@dataclass(frozen=True, slots=True)
class _Setting:
    field: str
    parse: Callable[[str], Any]
    show: Callable[[Any], str]


def _between(
    least: int, most: int, parse: Callable[[str], int], show: Callable[[int], str]
) -> Callable[[str], int]:
    def checked(text: str) -> int:
        amount = parse(text)
        if not least <= amount <= most:
            raise UserError(f"{text} is too much or too little", f"{show(least)} to {show(most)}")
        return amount

    return checked


def _seconds(field: str, least: int, most: int) -> _Setting:
    return _Setting(field, _between(least, most, parse_seconds, show_seconds), show_seconds)


def _branch(text: str) -> str:
    branch = text.removeprefix("refs/heads/")
    if not _BRANCH.fullmatch(branch):
        raise UserError(f"{text[:80]!r} is not a branch", "give its name, such as main")
    return branch


def _header_names(text: str) -> str:
    if text not in {"standard", "any"}:
        raise UserError(f"{text[:40]!r} is no kind of header names", "write standard, or any")
    return text


def _switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise UserError(f"{text[:40]!r} is neither on nor off", "write on, or off")
    return text == "on"


_SETTINGS: Mapping[str, _Setting] = {
    "deploy-branch": _Setting("deploy_branch", _branch, lambda branch: branch or ""),
    "release-timeout": _seconds("release_timeout_seconds", 1, 7 * _DAY),
    "boot-timeout": _seconds("boot_timeout_seconds", 1, _HOUR),
    "watch": _seconds("watch_seconds", 0, _HOUR),
    "push-waits": _Setting("push_waits", _switch, lambda on: "on" if on else "off"),
    "stop-grace": _seconds("stop_grace_seconds", 1, _HOUR),
    "drain": _seconds("drain_seconds", 0, _HOUR),
    "body-limit": _Setting(
        "body_limit_bytes", _between(1024, 1024**4, parse_bytes, show_bytes), show_bytes
    ),
    "read-timeout": _seconds("read_timeout_seconds", 1, _DAY),
    "buffering": _Setting("buffering", _switch, lambda on: "on" if on else "off"),
    "header-names": _Setting("header_names", _header_names, str),
    "capabilities": _Setting("capabilities", parse_capabilities, ",".join),
    "heroku-names": _Setting("heroku_names", _switch, lambda on: "on" if on else "off"),
}


def changed_settings(settings: AppSettings, words: Sequence[str]) -> AppSettings:
    """``settings`` with ``key=value`` words applied; an empty value gives back the default."""
    for word in words:
        key, equals, text = word.partition("=")
        setting = _SETTINGS.get(key)
        if setting is None:
            raise UserError(f"there is no setting {key[:40]}", f"there are {', '.join(_SETTINGS)}")
        if not equals:
            raise UserError(f"{key} has no value", f"write {key}=VALUE; {key}= is the default")
        value = setting.parse(text) if text else getattr(AppSettings(), setting.field)
        settings = replace(settings, **{setting.field: value})
    return settings


def shown_settings(settings: AppSettings) -> Mapping[str, str]:
    """Every setting as it can be typed."""
    return {
        name: setting.show(getattr(settings, setting.field)) for name, setting in _SETTINGS.items()
    }
