"""Which config vars a build may see: an allow-list, and the names that the app itself lists."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

ALLOWED = re.compile(
    r"(UV|PIP|POETRY_HTTP_BASIC|NODE|NPM_CONFIG|YARN|PNPM)_[A-Z0-9_]+"
    r"|(DISABLE|DEBUG)_COLLECTSTATIC|PYTHON_VERSION|BUILD_ENV"
)
"""Names that every build may see. BUILD_ENV lists further ones, with commas between them."""

CA_BUNDLE_PATH = "/etc/pushdeploy/ca-bundle.crt"
"""Where a build container finds the operator's CA bundle."""

_CA_VARIABLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_CERT",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
_UV_NAMES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


def build_environment(config: Mapping[str, str]) -> Mapping[str, str]:
    """The part of the config vars that builds see; never written into an image."""
    allowed = {name: value for name, value in config.items() if ALLOWED.fullmatch(name)}
    return dict(sorted({**allowed, **listed_environment(config)}.items()))


def listed_environment(config: Mapping[str, str]) -> Mapping[str, str]:
    """The config vars that BUILD_ENV lists."""
    listed = listed_names(config)
    return {name: value for name, value in config.items() if name in listed}


def listed_names(config: Mapping[str, str]) -> Sequence[str]:
    """What BUILD_ENV says, with commas or spaces between the names."""
    return config.get("BUILD_ENV", "").replace(",", " ").split()


def environment_hash(environment: Mapping[str, str]) -> str:
    """Names the values without telling them."""
    return hashlib.sha256(json.dumps(sorted(environment.items())).encode()).hexdigest()


def for_uv(environment: Mapping[str, str]) -> Mapping[str, str]:
    """pip's names of the package indexes under uv's names too, which win where both are set."""
    translated = {
        ours: environment[theirs] for theirs, ours in _UV_NAMES.items() if theirs in environment
    }
    return {**translated, **environment}


def certificates(bundle: Path | None) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
    """Environment and read-only mounts that make a build container trust the operator's CA."""
    if bundle is None:
        return {}, []
    return dict.fromkeys(_CA_VARIABLES, CA_BUNDLE_PATH), [(str(bundle), CA_BUNDLE_PATH)]
