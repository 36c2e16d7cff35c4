"""A person gives an app these settings, apart from its config vars; each concern has a section.

To add one, add a described field to the section that owns it: what ``apps:set`` reads, shows and
explains, and what follows a change, come from there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.settings.deploy import DeploySettings
from pushdeploy.domain.settings.disks import DiskSettings
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.settings.run import RunSettings
from pushdeploy.domain.settings.setting import Affects, Setting, described, without_value


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Times are in seconds, sizes in bytes. No field of one section has the name of another's."""

    deploy: DeploySettings = field(default_factory=DeploySettings)
    run: RunSettings = field(default_factory=RunSettings)
    front: FrontSettings = field(default_factory=FrontSettings)
    disks: DiskSettings = field(default_factory=DiskSettings)


def all_settings() -> Sequence[Setting]:
    """List the settings that ``apps:set`` knows, in the order of their sections."""
    return [setting for setting, _, _ in _places()]


def changed_settings(settings: AppSettings, words: Sequence[str]) -> AppSettings:
    """``settings`` with ``key=value`` words applied; an empty value gives back the default.

    ``UserError`` for a word that is no setting or no value of it.
    """
    known = {setting.name: (setting, section, held) for setting, section, held in _places()}
    for word in words:
        key, equals, text = word.partition("=")
        if key not in known:
            raise UserError(f"there is no setting {key[:40]}", f"there are {', '.join(known)}")
        if not equals:
            raise without_value(key)
        setting, section, held = known[key]
        value = setting.parse(text) if text else held.default
        changed = replace(getattr(settings, section), **{held.name: value})
        settings = replace(settings, **{section: changed})
    return settings


def shown_settings(settings: AppSettings) -> Mapping[str, str]:
    """Every setting as it can be typed."""
    return {
        setting.name: setting.show(getattr(getattr(settings, section), held.name))
        for setting, section, held in _places()
    }


def affected(former: AppSettings, settings: AppSettings) -> set[Affects]:
    """Tell which parts have to follow the change from ``former`` to ``settings``."""
    before, after = shown_settings(former), shown_settings(settings)
    return {each.affects for each in all_settings() if before[each.name] != after[each.name]}


def explained_settings() -> Sequence[str]:
    """A line of help for each setting, with its default in brackets."""
    lines = []
    for setting, _, held in _places():
        default = setting.show(held.default) or setting.unset
        brackets = f" ({default})" if default else ""
        lines.append(f"{setting.name:<16} {setting.about:<28}{brackets}")
    return lines


def _places() -> Iterator[tuple[Setting, str, Field[Any]]]:
    """Each setting with the name of its section and the field there that holds its value."""
    for section in fields(AppSettings):
        for setting, held in described(getattr(AppSettings(), section.name)):
            yield setting, section.name, held
