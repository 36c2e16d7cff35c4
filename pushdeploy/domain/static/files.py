"""These rules tell which file of a site an address means, and which files are not for visitors."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from pushdeploy.domain.static.pattern import stem

INDEX = "index.html"
TEXT_EXTENSIONS = (
    *("html", "htm", "xhtml", "css", "js", "mjs", "cjs", "json", "geojson", "map", "webmanifest"),
    *("xml", "rss", "atom", "svg", "txt", "md", "csv", "tsv", "ics", "vtt", "yaml", "yml", "wasm"),
)
"""Files of these kinds become much smaller, and lie there encoded as well."""

RULE_FILES = ("_redirects", "_headers")
MOST_RULE_BYTES = 8 * 1024**2
TOP = "/app"
"""The folder of a slug where the repository lies."""

_OF_THE_REPOSITORY = re.compile(
    r"(?:"
    r"Procfile.*|(?:.*\.)?(?:Dockerfile|Containerfile)(?:\..*)?|(?:docker-)?compose.*\.ya?ml"
    r"|(?:app|static|vercel|firebase|package|composer)\.json|render\.yaml|(?:netlify|fly|wrangler)\.toml"
    r"|package-lock\.json|npm-shrinkwrap\.json|pnpm-(?:lock|workspace)\.yaml|bun\.lockb?|.*\.lock"
    r"|(?:js|ts)config.*\.json|.*\.config\.[cm]?[jt]s|_config\.yml|mkdocs\.yml"
    r"|requirements.*\.(?:txt|in)|constraints.*\.txt|pyproject\.toml|setup\.cfg|Pipfile|runtime\.txt"
    r"|Gemfile|Rakefile|go\.(?:mod|sum)|Cargo\.toml|[Mm]akefile|[Jj]ustfile|Vagrantfile"
    r"|node_modules|bin"
    r")"
)
"""What makes, starts or describes an app, by its name in the top directory."""

_PROGRAM = re.compile(
    r".*\.(?:py|pyc|rb|php|phtml|pl|sh|bash|sql|sqlite3?|db|env|ini|cfg|conf|pem|key|p12|pfx|bak|swp|log|orig)|.*~",
    re.IGNORECASE,
)
"""Programs and secrets, wherever they lie in a repository."""

_PUBLIC_HIDDEN = ".well-known"


@dataclass(frozen=True, slots=True)
class SiteFiles:
    """``paths`` are relative to the folder. ``clean``: ``/about`` may mean ``about.html``."""

    paths: Collection[str]
    clean: bool = True

    def has(self, path: str) -> bool:
        """Tell whether something is shown at an address, before any rule."""
        name = stem(path).strip("/")
        return (
            (name in self.paths and not path.endswith("/"))
            or (self.clean and f"{name}.html" in self.paths)
            or f"{name}/{INDEX}".lstrip("/") in self.paths
        )


def is_public(path: str, *, top: bool = False) -> bool:
    """Tell whether visitors may have a file: nothing hidden, and not what describes the site.

    ``top``: the folder is the repository itself, so that programs, secrets and what makes the app
    lie beside its pages. Programs of others look into ``.well-known`` (RFC 8615).
    """
    first, *others = parts = path.split("/")
    hidden = others if first == _PUBLIC_HIDDEN else parts
    describes = path in RULE_FILES or (top and _is_of_the_repository(first, parts[-1]))
    return not describes and not any(part.startswith(".") for part in hidden)


def _is_of_the_repository(first: str, name: str) -> bool:
    return bool(_OF_THE_REPOSITORY.fullmatch(first) or _PROGRAM.fullmatch(name))
