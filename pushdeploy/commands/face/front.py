"""Commands of an app's front take networks as options, and pages on standard input."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import read_bytes
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.network import parse_network
from pushdeploy.domain.front.page import MOST_PAGE_BYTES, parse_page

_AT_ONCE_SECONDS = 1.0
_HINT = "give the page on standard input:  < page.html"
_Body = TypeVar("_Body", bound=Callable[..., Any])


def network_option(flag: str, name: str, about: str) -> Callable[[_Body], _Body]:
    """Networks, of which any number may be given."""
    return click.option(
        flag, name, multiple=True, metavar="CIDR", type=parse_network, help=f"{about} Repeatable."
    )


def networks_argument(body: _Body) -> _Body:
    """``networks``: one at least."""
    return click.argument(
        "networks", type=parse_network, nargs=-1, required=True, metavar="CIDR..."
    )(body)


def source_argument(body: _Body) -> _Body:
    """``source``: ``-`` for standard input, which is looked at without it too."""
    return click.argument("source", required=False, metavar="[-]")(body)


def page_from(request: Request, source: str | None) -> str | None:
    """The page on standard input; None where nothing comes at once, or a terminal is there.

    ``source`` is ``-`` where it is to be waited for.
    """
    if source not in {None, "-"}:
        raise UserError(f"{source!r} is a file of yours, which this server cannot see", _HINT)
    if request.session.terminal is not None:
        return None
    if source is None and not request.session.sends_within(_AT_ONCE_SECONDS):
        return None
    data = read_bytes(request.session, "", MOST_PAGE_BYTES)
    return parse_page(data) if data else None
