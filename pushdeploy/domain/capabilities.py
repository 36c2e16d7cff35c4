"""Capabilities say how far a root process of somebody else's image reaches beyond its own files."""

from collections.abc import Collection, Sequence

from pushdeploy.domain.errors import UserError

ORDINARY = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETPCAP",
    "SETUID",
)
"""What images need that start as root: chown a folder, listen on 80, become another user."""

GRANTABLE = (
    "AUDIT_WRITE",
    "IPC_LOCK",
    "LEASE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SYS_CHROOT",
    "SYS_NICE",
    "SYS_PTRACE",
)
"""What may be added for one app: none of them reaches beyond the container by itself."""

NEVER = frozenset(
    {
        "AUDIT_CONTROL",
        "AUDIT_READ",
        "BLOCK_SUSPEND",
        "BPF",
        "CHECKPOINT_RESTORE",
        "DAC_READ_SEARCH",
        "LINUX_IMMUTABLE",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
        "PERFMON",
        "SYSLOG",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_PACCT",
        "SYS_RAWIO",
        "SYS_RESOURCE",
        "SYS_TIME",
        "SYS_TTY_CONFIG",
        "WAKE_ALARM",
    }
)
"""The rest of capabilities(7): each is the machine itself, or half of the way to it."""

_FORGING = frozenset({"NET_ADMIN", "NET_RAW"})


def parse_capabilities(text: str) -> Sequence[str]:
    """Sort ``net_raw, CAP_MKNOD``, without CAP_; ``UserError`` for those that cannot be had."""
    words = {word.strip().upper().removeprefix("CAP_") for word in text.split(",")}
    for name in sorted(words):
        if name in NEVER:
            raise UserError(
                f"no app is given {name}: whoever has it has the machine",
                f"there are {', '.join(GRANTABLE)}",
            )
        if name not in GRANTABLE and name not in ORDINARY:
            raise UserError(
                f"there is no capability {name[:40]!r}", f"there are {', '.join(GRANTABLE)}"
            )
    return tuple(sorted(words - set(ORDINARY)))


def forges(capabilities: Collection[str]) -> bool:
    """Tell whether a container with these can send frames in another's name."""
    return not _FORGING.isdisjoint(capabilities)
