"""What ``disks:set`` can set, for the app as a whole and for one disk."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pushdeploy.commands.face.units import parse_bytes, show_bytes
from pushdeploy.domain.app import AppSettings
from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName

_OF_THE_APP = ("cutover",)
_OF_A_DISK = ("snapshots", "size")


def changed_disks(
    settings: AppSettings, disk: DiskName | None, words: Sequence[str]
) -> AppSettings:
    """``settings`` with ``key=value`` words applied; an empty value gives back the default."""
    for word in words:
        key, equals, text = word.partition("=")
        known = _OF_A_DISK if disk else _OF_THE_APP
        if key not in known:
            raise UserError(_unknown(key, disk), "disks:set APP cutover=overlap")
        if not equals:
            raise UserError(f"{key} has no value", f"write {key}=VALUE; {key}= is the default")
        if disk is None:
            settings = replace(settings, cut_over=_cut_over(text))
        elif key == "snapshots":
            settings = replace(settings, without_snapshots=_without(settings, disk, text))
        else:
            settings = replace(settings, disk_limits_bytes=_limits(settings, disk, text))
    return settings


def shown_disks(settings: AppSettings) -> Mapping[str, object]:
    """Every setting, sizes as they can be typed."""
    return {
        "cutover": str(settings.cut_over) if settings.cut_over else None,
        "without_snapshots": list(settings.without_snapshots),
        "sizes": {name: show_bytes(size) for name, size in settings.disk_limits_bytes.items()},
    }


def _unknown(key: str, disk: DiskName | None) -> str:
    if disk is None and key in _OF_A_DISK:
        return f"{key} is set for one disk: name it first"
    if disk and key in _OF_THE_APP:
        return f"{key} is set for the app as a whole, without a disk"
    return f"there is no setting {key[:40]}"


def _cut_over(text: str) -> CutOver | None:
    if text and text not in list(CutOver):
        raise UserError(f"{text[:40]!r} is no cut-over", "write overlap or exclusive")
    return CutOver(text) if text else None


def _without(settings: AppSettings, disk: DiskName, text: str) -> Sequence[str]:
    if text not in {"", "on", "off"}:
        raise UserError(f"{text[:40]!r} is neither on nor off", "write on, or off")
    others = [name for name in settings.without_snapshots if name != disk]
    return tuple(sorted([*others, str(disk)] if text == "off" else others))


def _limits(settings: AppSettings, disk: DiskName, text: str) -> Mapping[str, int]:
    others = {name: size for name, size in settings.disk_limits_bytes.items() if name != disk}
    return {**others, str(disk): parse_bytes(text)} if text else others
