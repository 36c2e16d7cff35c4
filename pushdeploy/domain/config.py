"""Config vars: which names are allowed, and what a change of several of them comes to."""

import re
from collections.abc import Mapping

from pushdeploy.domain.contract import RESERVED
from pushdeploy.domain.errors import UserError

MOST_BYTES = 64 * 1024
"""All keys and values of an app together."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


def check_key(key: str) -> None:
    """``UserError`` when ``key`` cannot be a config var's name."""
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
    """The new config and a line that names the keys, empty when nothing changes.

    None as a value unsets. ``UserError`` for a bad key, a NUL, or more than 64 KB in all.
    """
    for key, value in changes.items():
        if value is not None:
            check_key(key)
            if "\0" in value:
                raise UserError(f"the value of {key} holds a NUL byte", "environments cannot")
    set_keys = sorted(k for k, v in changes.items() if v is not None and config.get(k) != v)
    unset_keys = sorted(k for k, v in changes.items() if v is None and k in config)
    merged = {key: value for key, value in config.items() if key not in unset_keys}
    merged.update({key: value for key, value in changes.items() if value is not None})
    size = sum(len(key.encode()) + len(value.encode()) for key, value in merged.items())
    if size > MOST_BYTES:
        raise UserError(f"the config would hold {size} bytes", f"{MOST_BYTES} are possible")
    parts = [
        f"{verb} {', '.join(keys)}"
        for verb, keys in (("Set", set_keys), ("Unset", unset_keys))
        if keys
    ]
    return merged, " and ".join(parts)
