"""A proxy tells an app by these header names who asks; nobody else may use them.

An app believes them, for it cannot see who has sent them. So each is written by us, or passed on
from a proxy that the operator trusts, or removed.
"""

from collections.abc import Iterator, Sequence
from itertools import product

WRITTEN = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Pushdeploy-App",
    "X-Real-IP",
    "X-Request-Start",
)
"""Ours in every request. A trusted proxy's word on the first four decides what stands in them."""

NEVER = (
    # They say the scheme a second time. Gunicorn refuses a request whose schemes differ.
    "Front-End-Https",
    "HTTPS",
    "X-ARR-SSL",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Ssl",
    "X-Scheme",
    "X-Url-Scheme",
    # Hardly any proxy writes it (RFC 7239), so hardly any takes a visitor's away.
    "Forwarded",
    # CGI makes HTTP_PROXY of it, and many an HTTP client obeys that (CVE-2016-5385).
    "Proxy",
    # Rack lets the server send any file that they name.
    "X-Accel-Mapping",
    "X-Sendfile-Type",
    # An upgrade to HTTP/2 would lead whatever follows past all of this.
    "HTTP2-Settings",
)
"""Removed from every request, also from those of a trusted proxy."""

TRUSTED_ONLY = (
    # the visitor's address
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "CF-Pseudo-IPv4",
    "Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "Proxy-Client-IP",
    "True-Client-IP",
    "WL-Proxy-Client-IP",
    "X-Appengine-User-IP",
    "X-Azure-ClientIP",
    "X-Azure-SocketIP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Envoy-External-Address",
    "X-Forwarded",
    "X-Forwarded-Client-IP",
    "X-Forwarded-For-Original",
    "X-Original-Forwarded-For",
    "X-Originating-IP",
    "X-ProxyUser-IP",
    "X-Remote-Addr",
    "X-Remote-IP",
    "X-True-IP",
    # what was asked for
    "X-Forwarded-Base",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-Original-Host",
    "X-Original-Method",
    "X-Original-Uri",
    "X-Original-Url",
    "X-Rewrite-Url",
    "X-Script-Name",
    # which proxies it came by
    "CF-IPCountry",
    "CF-Visitor",
    "X-Forwarded-By",
    "X-Forwarded-Server",
    # who has logged in there, and with which certificate
    "Cf-Access-Authenticated-User-Email",
    "Cf-Access-Jwt-Assertion",
    "Remote-Email",
    "Remote-Groups",
    "Remote-Name",
    "Remote-User",
    "Tailscale-User-Login",
    "Tailscale-User-Name",
    "X-Auth-Request-Access-Token",
    "X-Auth-Request-Email",
    "X-Auth-Request-Groups",
    "X-Auth-Request-User",
    "X-Authenticated-User",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-User",
    "X-Goog-Authenticated-User-Email",
    "X-Goog-Authenticated-User-Id",
    "X-Goog-IAP-JWT-Assertion",
    "X-Remote-User",
    "X-SSL-Client-Cert",
    "X-SSL-Client-DN",
    "X-SSL-Client-Verify",
    "X-WebAuth-User",
)
"""Passed on from a trusted proxy, removed from the requests of all others."""

_FRAMING = ("Content-Length", "Content-Type", "Transfer-Encoding", "X-Request-Id")
"""Harmless as they are, but not when something else is taken for them."""


def twins(names: Sequence[str] = (*WRITTEN, *NEVER, *TRUSTED_ONLY, *_FRAMING)) -> Sequence[str]:
    """Other spellings that CGI and WSGI cannot tell from ``names``: some dashes as underscores."""
    return sorted({twin for name in names for twin in _spellings(name) if twin != name})


def variable(name: str) -> str:
    """The nginx variable that holds a request's header."""
    return "$http_" + name.lower().replace("-", "_")


def _spellings(name: str) -> Iterator[str]:
    first, *rest = name.split("-")
    for separators in product("-_", repeat=len(rest)):
        yield first + "".join(map("".join, zip(separators, rest, strict=True)))
