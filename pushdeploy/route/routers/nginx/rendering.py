"""Pure functions make the text that nginx reads, strict about the values that stand in it."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.domain.front.network import Network
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.published import StaticFolder
from pushdeploy.domain.route import Route, Target
from pushdeploy.domain.static.files import TEXT_EXTENSIONS
from pushdeploy.domain.static.hashed import HASHED
from pushdeploy.domain.static.pattern import MOST_PARTS
from pushdeploy.route.routers.nginx import forwarding
from pushdeploy.route.routers.nginx.door import door_of
from pushdeploy.route.routers.nginx.program import Features
from pushdeploy.route.routers.nginx.quoting import quoted_pattern
from pushdeploy.route.routers.nginx.servers import servers_of
from pushdeploy.route.routers.nginx.static.site import SiteText, site_text
from pushdeploy.settings import Address, Settings
from pushdeploy.templating import Templates

KEEPALIVE_MIN_TIMEOUT_SECONDS = 5
"""How long a worker that a reload has left behind waits for idle clients' next requests."""

HOLD_SECONDS = 25
"""Less than the 30 s after which many a client or a proxy in front gives up."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"/([A-Za-z0-9._~-]+/)*")
_PAGES = (
    *("400", "401", "403", "404", "404-page", "413", "414", "421", "429", "431"),
    *("502", "502-broken", "502-large", "504"),
    *("stopped", "empty", "held", "https-only", "maintenance"),
)


@dataclass(frozen=True, slots=True)
class SharedFront:
    """The operator sets this for all apps alike.

    ``trusted`` are the proxies in front of ours; ``https`` is None where TLS is not served.
    """

    http: Address
    hold_seconds: int = HOLD_SECONDS
    trusted: Sequence[Network] = ()
    log_query_strings: bool = False
    https: Address | None = None
    proxy_protocol: bool = False


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """``user``: the workers' user and group, empty where nginx may not choose."""

    user: str
    open_files: int


def shared_front(settings: Settings) -> SharedFront:
    return SharedFront(
        settings.http,
        settings.hold_seconds,
        settings.trusted_proxies,
        settings.log_query_strings,
        settings.https_address,
        settings.proxy_protocol,
    )


def main_file(
    templates: Templates,
    shared: SharedFront,
    workers: WorkerLimits,
    features: Features,
    apps: str = "apps",
) -> str:
    """``apps`` is the directory whose files are read: the present ones or those to be tried."""
    seconds = KEEPALIVE_MIN_TIMEOUT_SECONDS if features.keepalive_min_timeout else 0
    return templates.render(
        "nginx/nginx.conf",
        apps=apps,
        http=str(shared.http),
        https=_text(shared.https),
        proxy_protocol=shared.proxy_protocol,
        tls=features,
        user=workers.user,
        open_files=workers.open_files,
        keepalive_min_timeout_seconds=seconds,
        other_temp_paths=features.temp_paths,
        hold_seconds=shared.hold_seconds,  # for operators' templates that name it
        text_extensions="|".join(TEXT_EXTENSIONS),
        hashed=quoted_pattern(HASHED),
        places=range(1, MOST_PARTS + 1),
        log_query_strings=shared.log_query_strings,
    )


def forwarding_file(templates: Templates, shared: SharedFront, features: Features) -> str:
    """The headers by which apps are told who asks, the same for all of them.

    A proxy that writes PROXY lines passes on what visitors write: its headers are not believed.
    """
    networks = [str(network) for network in dict.fromkeys(shared.trusted)]
    return templates.render(
        "nginx/forwarding.conf",
        trusted=[] if shared.proxy_protocol else networks,
        proxy_lines_from=networks if shared.proxy_protocol else [],
        names_ports=features.names_ports,
        set_headers=["proxy_set_header", *(["grpc_set_header"] if features.http2_to_apps else [])],
        never=forwarding.NEVER,
        trusted_only={name: forwarding.variable(name) for name in forwarding.TRUSTED_ONLY},
        twins=forwarding.twins(),
    )


def app_file(templates: Templates, shared: SharedFront, route: Route) -> str:
    """Render one app's file; ``UserError`` or ``ValueError`` for what is no name or address."""
    told = shared.trusted and not shared.proxy_protocol
    site, targets = route.site, [_target(target) for target in route.targets]
    return templates.render(
        "nginx/app.conf",
        app=AppName.parse(route.app),
        version=route.version,
        http=str(shared.http),
        https=_text(shared.https),
        proxy_protocol=shared.proxy_protocol,
        hosts=[HostName.parse(host) for host in site.hosts],  # for operators' templates
        servers=servers_of(site, shared.https),
        scheme="$pushdeploy_scheme" if told else "$scheme",
        targets=targets,
        held=route.is_held,
        hold_seconds=shared.hold_seconds,
        page="empty" if site.state == "empty" else "stopped",
        static=[_folder(site.app, folder) for folder in site.static],
        is_static=site.is_static,
        body_limit_bytes=int(site.settings.body_limit_bytes),
        read_timeout_seconds=int(site.settings.read_timeout_seconds),
        buffers_answers=site.settings.buffering,
        sticky=site.settings.sticky,
        caches_answers=site.settings.cache,
        speaks_http2=site.settings.protocol == "h2c",
        any_header_names=site.settings.header_names == "any",
        door=door_of(site),
    )


@dataclass(frozen=True, slots=True)
class FolderText:
    """A folder as templates print it; ``site`` is there for one at ``/``."""

    at: str
    digest: str
    former: Sequence[str]
    site: SiteText | None


def page_files(templates: Templates) -> Mapping[str, str]:
    """The pages that nginx shows by itself, HTML and plain, by file name."""
    names = [f"{page}.{kind}" for page in _PAGES for kind in ("html", "txt")]
    return {name: templates.render(f"pages/{name}") for name in names}


def _text(address: Address | None) -> str:
    return "" if address is None else str(address)


def _folder(app: AppName, folder: StaticFolder) -> FolderText:
    """Digests and a plain path; anything else would be a piece of configuration."""
    for digest in (folder.digest, *folder.former):
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest[:80]!r} is no digest")
    if not _PATH.fullmatch(folder.at):
        raise ValueError(f"{folder.at[:80]!r} is no path for files")
    site = site_text(AppName.parse(app), folder.rules) if folder.at == "/" else None
    return FolderText(folder.at, folder.digest, folder.former, site)


def _target(target: Target) -> str:
    """An IP address and a port; anything else would be a piece of configuration."""
    address = ipaddress.ip_address(target.address)
    if not 0 < int(target.port) < 65536:
        raise ValueError(f"{target.port} is not a port")
    return str(Address(str(address), int(target.port)))
