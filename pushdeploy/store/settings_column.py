"""The settings of an app are one JSON object, the fields of all sections side by side."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import partial
from typing import Any, TypeVar

from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.settings import AppSettings
from pushdeploy.domain.settings.deploy import DeploySettings
from pushdeploy.domain.settings.disks import DiskSettings
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.settings.run import RunSettings
from pushdeploy.domain.settings.setting import Setting, described
from pushdeploy.store.reading import Reading, count

_Section = TypeVar("_Section", DeploySettings, RunSettings, FrontSettings)


def settings_json(settings: AppSettings) -> dict[str, Any]:
    """Return the fields of all sections side by side, as they were before there were sections."""
    return {name: value for part in asdict(settings).values() for name, value in part.items()}


def settings_of(stored: object, reading: Reading) -> AppSettings:
    """Read the settings; the default holds for each that is damaged. A later version may have
    stored more than there are fields for."""
    found = reading.mapping("settings", stored)
    return AppSettings(
        _section(DeploySettings, found, reading),
        _section(RunSettings, found, reading),
        _section(FrontSettings, found, reading),
        _disks(found, reading),
    )


def _section(kind: type[_Section], found: Mapping[str, Any], reading: Reading) -> _Section:
    values: dict[str, Any] = {}
    for setting, held in described(kind()):
        if held.name in found:
            read = partial(_value, setting, held.default, found[held.name])
            values[held.name] = reading.whole(f"settings.{setting.name}", read, held.default)
    return kind(**values)


def _value(setting: Setting, default: object, stored: object) -> object:
    """Anything that nobody could have typed was not stored by us."""
    value = tuple(stored) if isinstance(stored, list) else stored
    if value == default and type(value) is type(default):
        return value
    read = setting.parse(setting.show(value))
    if read != value:
        raise ValueError(f"{value!r} is no value of {setting.name}")
    return read


def _disks(found: Mapping[str, Any], reading: Reading) -> DiskSettings:
    default = {held.name: getattr(DiskSettings(), held.name) for held in fields(DiskSettings)}
    wanted = {**default, **{name: found[name] for name in default if name in found}}
    cut_over, without = wanted["cut_over"], wanted["without_snapshots"]
    return DiskSettings(
        cut_over=reading.whole(
            "settings.cutover", lambda: None if cut_over is None else CutOver(cut_over), None
        ),
        without_snapshots=reading.whole(
            "settings.snapshots", lambda: tuple(DiskName.parse(each) for each in without), ()
        ),
        disk_limits_bytes=reading.entries(
            "settings.size", wanted["disk_limits_bytes"], DiskName.parse, count
        ),
    )
