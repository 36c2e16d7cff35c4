"""Symbolic links are followed by rule, whether they lie in a commit or in a tar: no file system is
asked, so that none can lead where nobody has looked."""

from collections.abc import Callable

_MOST_LINKS = 40
"""As Linux has it (MAXSYMLINKS of path_resolution(7))."""


class LeadsOut(Exception):
    """A link leads out of its tree; ``target`` is an absolute one that it names, else empty."""

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        self.target = target


class LeadsRound(Exception):
    """Links lead back to themselves, or there are too many of them."""


def followed(
    path: str,
    target_of: Callable[[str], str | None],
    inside: Callable[[str], str | None] = lambda _: None,
) -> str:
    """Return where ``path`` leads, links in its directories and chains of links included.

    Paths are relative to the top, empty for itself. ``target_of`` a path is what the link there
    says, None where there is no link; ``inside`` makes an absolute target relative to the top, None
    where it leads elsewhere. ``LeadsOut`` or ``LeadsRound`` for links that lead nowhere good.
    """
    done: list[str] = []
    rest = path.split("/")
    left = _MOST_LINKS
    while rest:
        name = rest.pop(0)
        if name == "..":
            if not done:
                raise LeadsOut
            done.pop()
        elif name not in {"", "."}:
            target = target_of("/".join([*done, name]))
            if target is None:
                done.append(name)
                continue
            left -= 1
            if left < 0:
                raise LeadsRound
            if target.startswith("/"):
                below = inside(target)
                if below is None:
                    raise LeadsOut(target)
                done, target = [], below
            rest = [*target.split("/"), *rest]
    return "/".join(done)
