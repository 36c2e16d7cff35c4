"""A push names all that a source brings along for other platforms and that has no effect here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from pushdeploy.build.app_json import AppJson
from pushdeploy.build.app_json_keys import told
from pushdeploy.build.language import Language
from pushdeploy.build.near_misses import files_read, misspelled
from pushdeploy.build.tree import NO_DATA, Tree
from pushdeploy.domain.errors import BuildFailed

_FILES: Mapping[str, str] = {
    "Aptfile": "is not read: packages of Debian need a Dockerfile",
    ".profile": "is not sourced: begin a command of the Procfile with  . ./.profile &&",
    ".slugignore": "is not read: everything that is committed is in the slug",
    ".buildpacks": "is not read: one builder makes the slug; several languages need a Dockerfile",
    "heroku.yml": "is not read: a Dockerfile in the top directory is built",
}
_LFS_HEAD = b"version https://git-lfs.github.com/spec/v1"
_LFS_MOST_BYTES = 1024
_LFS_SHOWN = 5
_LFS_LOOKS = 200
_DATABASE_FILES = ("*.sqlite3", "*.sqlite", "*.db")


def unread(
    tree: Tree, facts: AppJson, decided: Sequence[Language], languages: Sequence[Language]
) -> Iterator[str]:
    """A line for each thing that has no effect here, with what to do instead.

    ``decided`` build the source on a stack; none do where it brings an image of its own.
    """
    if decided:
        alone = [each.files.unread for each in decided]
        others = {name for each in decided for name in each.files.read}
        for files in (*alone, _FILES):
            yield from (
                f"{name} {why}"
                for name, why in files.items()
                if tree.has(name) and name not in others
            )
    yield from misspelled(tree, files_read(languages))
    yield from told(facts)


def refuse_lfs_pointers(tree: Tree) -> None:
    """Raise ``BuildFailed`` that names files of which only Git LFS's pointer was pushed."""
    patterns = [
        pattern for path in tree.named(".gitattributes", 5) for pattern in _lfs_patterns(tree, path)
    ]
    if not patterns:
        return
    small = [
        entry.path
        for entry in tree.reader.entries()
        if (entry.size_bytes or _LFS_MOST_BYTES) < _LFS_MOST_BYTES
        and any(_matches(entry.path, *pattern) for pattern in patterns)
    ]
    found = [path for path in small[:_LFS_LOOKS] if tree.read(path).startswith(_LFS_HEAD)]
    if not found:
        return
    more = f" and {len(found) - _LFS_SHOWN} more" if len(found) > _LFS_SHOWN else ""
    raise BuildFailed(
        f"these files are pointers of Git LFS, their content was not pushed:"
        f" {', '.join(found[:_LFS_SHOWN])}{more}",
        f"store them in git itself:  git lfs migrate export --include={patterns[0][1]} ,"
        " and push; or take them out of .gitattributes and of the commit",
    )


def _lfs_patterns(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    """The directory of a .gitattributes file and a pattern in it."""
    below = path.removesuffix(".gitattributes")
    for line in tree.read(path).decode(errors="replace").splitlines():
        pattern, *attributes = line.split() or [""]
        if "filter=lfs" in attributes and not pattern.startswith("#"):
            yield below, pattern


def _matches(path: str, below: str, pattern: str) -> bool:
    """As gitattributes(5) as far as it matters: a pattern without a slash is of the name alone."""
    if not path.startswith(below):
        return False
    inner = path.removeprefix(below)
    if "/" not in pattern:
        return fnmatchcase(PurePosixPath(inner).name, pattern)
    return fnmatchcase(inner, pattern.lstrip("/").replace("**/", "*"))


def sqlite_in(tree: Tree, languages: Sequence[Language]) -> str:
    """Name the place where a source keeps an SQLite database, as a file or in code; else empty."""
    for path in sorted(tree.paths):
        top, _, name = path.rpartition("/")
        if "/" in top or top in NO_DATA or name == "Thumbs.db":
            continue
        if any(fnmatchcase(name, pattern) for pattern in _DATABASE_FILES):
            return path
    return next(filter(None, (each.opens_sqlite(tree) for each in languages)), "")


def first_config(
    facts: AppJson, config: Mapping[str, str], new_secret: Callable[[], str]
) -> Mapping[str, str]:
    """Return values and secrets that app.json wants set before a first build and that are
    missing.

    ``new_secret`` is called for each secret: whoever learns one knows no other.
    """
    made: dict[str, str] = {}
    for name, entry in facts.env.items():
        value = new_secret() if entry.generator == "secret" else entry.value
        if value is not None and name not in config:
            made[name] = value
    return made


def missing_config(facts: AppJson, config: Mapping[str, str]) -> Sequence[str]:
    """Config vars that app.json requires and that nobody has set."""
    return [name for name, entry in facts.env.items() if entry.required and name not in config]
