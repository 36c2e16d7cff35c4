"""A build sees those config vars that are on a list, and those that the app itself lists."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

_SEEN = r"BUILD_ENV|(NODE|NPM_CONFIG|YARN|PNPM)_[A-Z0-9_]+"
"""What builds see whatever the languages are. BUILD_ENV lists further names."""

CA_BUNDLE_PATH = "/etc/pushdeploy/ca-bundle.crt"
"""Where a build container finds the operator's CA bundle."""

_CA_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS")


def build_environment(config: Mapping[str, str], seen: Iterable[str]) -> Mapping[str, str]:
    """The part of the config vars that builds see; never written into an image.

    ``seen`` are the patterns of all languages: what a build sees does not depend on its own.
    """
    pattern = re.compile("|".join([_SEEN, *filter(None, seen)]))
    allowed = {name: value for name, value in config.items() if pattern.fullmatch(name)}
    return dict(sorted({**allowed, **listed_environment(config)}.items()))


def listed_environment(config: Mapping[str, str]) -> Mapping[str, str]:
    """The config vars that BUILD_ENV lists."""
    listed = listed_names(config)
    return {name: value for name, value in config.items() if name in listed}


def listed_names(config: Mapping[str, str]) -> Sequence[str]:
    """Read the names in BUILD_ENV, with commas or spaces between them."""
    return config.get("BUILD_ENV", "").replace(",", " ").split()


def environment_hash(environment: Mapping[str, str]) -> str:
    """Names the values without telling them."""
    return hashlib.sha256(json.dumps(sorted(environment.items())).encode()).hexdigest()


def certificates(
    bundle: Path | None, variables: Iterable[str]
) -> tuple[Mapping[str, str], list[tuple[str, str]]]:
    """Environment and read-only mounts that make a build container trust the operator's CA."""
    if bundle is None:
        return {}, []
    names = (*_CA_VARIABLES, *variables)
    return dict.fromkeys(names, CA_BUNDLE_PATH), [(str(bundle), CA_BUNDLE_PATH)]
