"""These settings of an app decide what becomes of its disks; ``disks:set`` changes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.settings.setting import parse_switch, without_value
from pushdeploy.domain.units import parse_bytes, show_bytes

OF_THE_APP = ("cutover",)
OF_A_DISK = ("snapshots", "size")
"""The keys that can be set, without a disk and for one disk."""


@dataclass(frozen=True, slots=True)
class DiskSettings:
    """``cut_over`` None: exclusive where there is a disk. ``disk_limits_bytes`` are by disk name,
    and the disks in ``without_snapshots`` are never copied.
    """

    cut_over: CutOver | None = None
    without_snapshots: Sequence[str] = ()
    disk_limits_bytes: Mapping[str, int] = field(default_factory=dict)

    def limit_of(self, disk: DiskName) -> int | None:
        """Return how many bytes the disk may hold, None where only its file system limits it."""
        return self.disk_limits_bytes.get(disk)

    def with_limit(self, disk: DiskName, size_bytes: int | None) -> Self:
        """Return settings with this limit of the disk, or without one for None."""
        others = {name: size for name, size in self.disk_limits_bytes.items() if name != disk}
        sizes = others if size_bytes is None else {**others, str(disk): size_bytes}
        return replace(self, disk_limits_bytes=sizes)

    def with_snapshots(self, disk: DiskName, wanted: bool) -> Self:
        others = [name for name in self.without_snapshots if name != disk]
        return replace(self, without_snapshots=tuple(others if wanted else sorted([*others, disk])))


def changed_disks(
    settings: DiskSettings, disk: DiskName | None, words: Sequence[str]
) -> DiskSettings:
    """``settings`` with ``key=value`` words applied; an empty value gives back the default."""
    for word in words:
        key, equals, text = word.partition("=")
        known = OF_A_DISK if disk else OF_THE_APP
        if key not in known:
            raise UserError(_unknown(key, disk), "disks:set APP cutover=overlap")
        if not equals:
            raise without_value(key)
        if disk is None:
            settings = replace(settings, cut_over=_cut_over(text))
        elif key == "snapshots":
            settings = settings.with_snapshots(disk, not text or parse_switch(text))
        else:
            settings = settings.with_limit(disk, parse_bytes(text) if text else None)
    return settings


def shown_disks(settings: DiskSettings) -> Mapping[str, object]:
    """Every setting, sizes as they can be typed."""
    return {
        "cutover": str(settings.cut_over) if settings.cut_over else None,
        "without_snapshots": list(settings.without_snapshots),
        "sizes": {name: show_bytes(size) for name, size in settings.disk_limits_bytes.items()},
    }


def _unknown(key: str, disk: DiskName | None) -> str:
    if disk is None and key in OF_A_DISK:
        return f"{key} is set for one disk: name it first"
    if disk and key in OF_THE_APP:
        return f"{key} is set for the app as a whole, without a disk"
    return f"there is no setting {key[:40]}"


def _cut_over(text: str) -> CutOver | None:
    if text and text not in list(CutOver):
        raise UserError(f"{text[:40]!r} is no cut-over", "write overlap or exclusive")
    return CutOver(text) if text else None
