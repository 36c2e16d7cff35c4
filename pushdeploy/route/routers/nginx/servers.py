"""The hosts of an app are gathered in server blocks: what differs between hosts is told apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.names import HostName
from pushdeploy.domain.settings.front import hsts_header
from pushdeploy.domain.site import Site
from pushdeploy.route.routers.nginx.prefix import certificate_name
from pushdeploy.settings import Address


@dataclass(frozen=True, slots=True)
class Server:
    """``hosts`` share a server block.

    ``certificate`` is the file of a wildcard, empty for hosts whose file has the name that the
    visitor asks for. ``redirect`` is where requests by plain http are sent, ``refuses_plain`` that
    they are refused, ``hsts`` a header of answers by https; each empty where it is not so.
    """

    hosts: Sequence[HostName]
    certificate: str = ""
    redirect: str = ""
    refuses_plain: bool = False
    hsts: str = ""


def servers_of(site: Site, https: Address | None) -> Sequence[Server]:
    """Hosts with a certificate are apart from those without, and each wildcard or very long one is
    alone: the name that a visitor asks for is not that of its file.
    """
    hosts = [HostName.parse(host) for host in site.hosts]
    if https is None:
        return [Server(hosts)]
    exact = [host for host in hosts if certificate_name(host) == host]
    groups = [
        [host for host in exact if host in site.secured],
        [host for host in exact if host not in site.secured],
        *([host] for host in hosts if host not in exact),
    ]
    return [_server(site, group, https) for group in groups if group]


def _server(site: Site, hosts: Sequence[HostName], https: Address) -> Server:
    secured, settings = hosts[0] in site.secured, site.settings
    port = "" if https.port == 443 else f":{int(https.port)}"
    redirects = secured and settings.https == "redirect"
    return Server(
        hosts,
        certificate="" if certificate_name(hosts[0]) == hosts[0] else certificate_name(hosts[0]),
        redirect=f"https://$host{port}$request_uri" if redirects else "",
        refuses_plain=settings.https == "only",
        hsts=hsts_header(settings.hsts) if secured else "",
    )
