"""Config vars have allowed names, and several changes of them come to one new config."""

import re
from collections.abc import Mapping, Sequence

from pushdeploy.domain.contract import RESERVED
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.release import Release

MOST_BYTES = 64 * 1024
"""All keys and values of an app together."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_key(key: str) -> None:
    """Raise ``UserError`` when ``key`` cannot be a config var's name."""
    if not _KEY.fullmatch(key):
        raise UserError(
            f"{key[:80]!r} is not a config var's name",
            "use letters, digits and '_', no digit first",
        )
    if key in RESERVED or key.startswith("DISK_PATH_"):
        raise UserError(f"{key} is set by pushdeploy for each release", "choose another name")


def changed_config(
    config: Mapping[str, str], changes: Mapping[str, str | None]
) -> tuple[Mapping[str, str], str]:
    """Return the new config and a line that names the keys, empty when nothing changes.

    None as a value unsets. ``UserError`` for a bad key, a NUL, or more than 64 KB in all.
    """
    for key, value in changes.items():
        if value is not None:
            check_key(key)
            if "\0" in value:
                raise UserError(f"the value of {key} holds a NUL byte", "environments cannot")
    merged = {key: value for key, value in config.items() if changes.get(key, "") is not None}
    merged.update({key: value for key, value in changes.items() if value is not None})
    size = sum(len(key.encode()) + len(value.encode()) for key, value in merged.items())
    if size > MOST_BYTES:
        raise UserError(f"the config would hold {size} bytes", f"{MOST_BYTES} are possible")
    return merged, described_change(config, merged)


def described_change(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Write ``Set A, B and Unset C``: names only; empty when nothing changes."""
    changed = differing_keys(before, after)
    parts = [
        f"{verb} {', '.join(keys)}"
        for verb, keys in (
            ("Set", [key for key in changed if key in after]),
            ("Unset", [key for key in changed if key not in after]),
        )
        if keys
    ]
    return " and ".join(parts)


def differing_keys(before: Mapping[str, str], after: Mapping[str, str]) -> Sequence[str]:
    """List the keys that were added, changed or removed, in order."""
    return sorted(k for k in {*before, *after} if before.get(k) != after.get(k))


def staged_keys(live: Release | None, wanted: Mapping[str, str]) -> Sequence[str]:
    """List the config vars that differ between ``live`` and the next release with ``wanted``.

    Empty where nothing is live: then all of them simply wait for the first release.
    """
    return differing_keys(live.whole_config, wanted) if live else []
