"""These tools of Python are uv, which installs dependencies, and the share of every stack."""

from collections.abc import Mapping

from uv import find_uv_bin

from pushdeploy.build.language import StackShare, Tools

VENV = "/opt/venv"
"""Where an app's packages lie in a slug."""

STACK = StackShare(
    versions={"bookworm": "3.11", "trixie": "3.13"},
    run_packages=("python3",),
    build_packages=("python3-dev",),
    paths=(f"{VENV}/bin",),
    environment={"PYTHONUNBUFFERED": "1"},
    script="ln -s /usr/bin/python3 /usr/local/bin/python\n",
)
PYTHONS = STACK.versions

_UV_NAMES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


def for_uv(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Put pip's names of package indexes under uv's names too, which win where both are set."""
    translated = {
        ours: environment[theirs] for theirs, ours in _UV_NAMES.items() if theirs in environment
    }
    return {**translated, **environment}


def _programs() -> Mapping[str, str]:
    return {"/usr/local/bin/uv": find_uv_bin()}


TOOLS = Tools(
    programs=_programs,
    caches={"UV_CACHE_DIR": "uv"},
    environment=for_uv,
    certificates=("REQUESTS_CA_BUNDLE", "PIP_CERT"),
)
