"""The door of an app: pure functions turn the rules of its front into what templates print.

All values that stand in nginx's files are checked here once more, whoever has made the rules.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.front.network import Network
from pushdeploy.domain.names import AppName
from pushdeploy.domain.site import Site

_NETWORK = re.compile(r"[0-9a-f.:]+/[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Door:
    """``name`` stands in the names of the app's variables.

    ``pages`` are the places below /.pushdeploy/ by the status that they are shown for. ``files``
    are those of the app's own, by name.
    """

    name: str
    maintenance: bool = False
    insiders: Sequence[str] = ()
    pages: Mapping[int, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def answers(self) -> bool:
        """Tell whether a visitor may get an answer of nginx in place of the app's."""
        return self.maintenance


def door_of(site: Site) -> Door:
    """Raise ``ValueError`` for a value that is not what it should be."""
    maintenance = site.rules.maintenance
    pages: dict[int, str] = {}
    files: dict[str, bytes] = {}
    if maintenance is not None:
        pages[503] = _page("maintenance", maintenance.page, files)
    return Door(
        # No app's name has an underscore, so no two apps share one.
        name=AppName.parse(site.app).replace("-", "_"),
        maintenance=maintenance is not None,
        insiders=_networks(maintenance.allowed if maintenance else ()),
        pages=pages,
        files=files,
    )


def _page(name: str, own: str | None, files: dict[str, bytes]) -> str:
    """The place of the app's ``own`` page, which is put among ``files``, else of ours."""
    if own is None:
        return f"{name}$pushdeploy_page"
    content = own.encode()
    file = f"{name}-{_digest(content)}.html"
    files[file] = content
    return f"own/{file}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _networks(networks: Sequence[Network]) -> Sequence[str]:
    return [_network(network) for network in networks]


def _network(network: Network) -> str:
    text = str(network)
    if not _NETWORK.fullmatch(text):
        raise ValueError(f"{text!r} is no network")
    return text
