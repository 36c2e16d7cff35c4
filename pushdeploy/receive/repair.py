"""Finds and repairs a repository's own files that a loss of power has damaged."""

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pushdeploy.domain.names import CommitId
from pushdeploy.receive.git import Git, GitFailed
from pushdeploy.receive.packs import Packs
from pushdeploy.receive.updates import HEADS, PRIVATE, TAGS

CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[gc]
\tauto = 0
[receive]
\tautogc = false
[repack]
\twriteBitmaps = false
[transfer]
\thideRefs = refs/pushdeploy
"""

ATTRIBUTES = "* -export-ignore -export-subst\n"
"""An archive is the tree as it is, whatever the app's own .gitattributes say."""

_HEAD = re.compile(rb"ref: refs/heads/[^\s]+\n?|[0-9a-f]{40}\n?")
_COMMIT = re.compile(rb"[0-9a-f]{40}\n?")
_PACKED = re.compile(rb"#.*|\^[0-9a-f]{40}|[0-9a-f]{40} refs/[^\s]+|")
_BEGUN = re.compile(r"^\.?tmp[_-]|\.lock$")
"""How git, and Dulwich, call what they have not written to its end."""

_PUBLIC = (HEADS.rstrip("/"), TAGS.rstrip("/"))
_LOCKED = ("HEAD", "packed-refs", "config")
_DIRECTORIES = ("objects/pack", *_PUBLIC)
_KEPT = f"{PRIVATE}commits/"


@dataclass(frozen=True, slots=True)
class Repair:
    """``directory`` is that of a bare repository of ours. Nobody else writes to it meanwhile."""

    directory: Path

    def is_sound(self) -> bool:
        """Tell whether the files that every push and fetch reads first are sound. Quick."""
        wrong = chain(
            (name for name, whole in self._own_files() if not whole),
            (path for below in _PUBLIC for path in self._bad_refs(below)),
            self._hollow(),
            self._public_locks(),
            Packs(self.directory).damaged(),
            self._lost_branches(),
            (name for name in _DIRECTORIES if not (self.directory / name).is_dir()),
        )
        return next(wrong, None) is None

    def damages(self) -> Sequence[str]:
        """List the files that neither git nor we have written as they are, and change nothing."""
        found = [name for name in _DIRECTORIES if not (self.directory / name).is_dir()]
        found += [name for name, whole in self._own_files() if not whole]
        found += [self._name(path) for path in self._bad_refs()]
        found += [self._name(path) for path in self._hollow()]
        packs = Packs(self.directory)
        found += [self._name(path) for path in (*packs.damaged(), *packs.rotten())]
        return [*found, *map(self._name, sorted(self._empty_objects()))]

    def has_bad_objects(self) -> bool:
        """Look at every object, of which there may be very many, and at every byte of packs."""
        bad = chain(self._empty_objects(), Packs(self.directory).rotten())
        return next(bad, None) is not None

    def mend(self, known: Mapping[str, CommitId], *, objects: bool = True) -> Sequence[str]:
        """Repair the files that can be repaired, and return a sentence for each damage.

        ``known`` says where branches should be. Where one is lost, or its commit is, the next push
        brings it. Without ``objects`` those are looked at only where something else is wrong.
        """
        said = [*self._make_directories(), *self._mend_own_files(known)]
        bad = [*self._bad_refs()]
        for path in bad:
            path.unlink()
            said.append(f"{self._name(path)} was damaged")
        for path in [*self._hollow()]:
            path.rmdir()
            said.append(f"{self._name(path)} was an empty directory")
        torn = [*Packs(self.directory).mend(thorough=objects)] if objects or said else []
        said += torn
        for path in sorted(self._empty_objects()) if objects or said else ():
            path.unlink(missing_ok=True)
            said.append(f"{self._name(path)} was empty")
        for path in self._locks():
            path.unlink(missing_ok=True)
            said.append(f"{self._name(path)} was left by a program that is gone")
        lost = [*self._lost_branches()] if objects or said else []
        if said or lost:
            said += self._drop_refs_without_commits(whole=bool(torn or lost))
            said += self._bring_back({**known, **kept_commits(map(self._name, bad))})
        return said

    # ------------------------------------------------------------- what is wrong

    def _own_files(self) -> Iterator[tuple[str, bool]]:
        yield "HEAD", bool(_HEAD.fullmatch(self._read("HEAD")))
        config = self._read("config")
        yield "config", b"bare = true" in config and b"hideRefs" in config and b"\0" not in config
        yield "info/attributes", self._read("info/attributes") == ATTRIBUTES.encode()
        packed = self._read("packed-refs")
        begun = packed.startswith(b"#") or not (self.directory / "packed-refs").exists()
        yield "packed-refs", begun and all(map(_PACKED.fullmatch, packed.split(b"\n")))
        shallow = self._read("shallow").split(b"\n")
        yield "shallow", all(not line or _COMMIT.fullmatch(line) for line in shallow)

    def _bad_refs(self, below: str = "refs") -> Iterator[Path]:
        for path in self._files_below(below):
            whole = _COMMIT.fullmatch(_content(path)) and not path.name.startswith(".")
            if path.suffix != ".lock" and not whole:
                yield path

    def _hollow(self) -> Iterator[Path]:
        """Directories without a ref, the deepest first: where one is, no branch can be."""
        for below in _PUBLIC:
            for path in sorted((self.directory / below).rglob("*"), reverse=True):
                if path.is_dir() and not any(each.is_file() for each in path.rglob("*")):
                    yield path

    def _public_locks(self) -> Iterator[Path]:
        """What would keep a branch from moving. One that is held just now is gone soon."""
        yield from (self.directory / f"{name}.lock" for name in _LOCKED if self._is_locked(name))
        for below in _PUBLIC:
            yield from (p for p in self._files_below(below) if p.suffix == ".lock")

    def _lost_branches(self) -> Iterator[Path]:
        """Where nobody has the commit: loose, or in a pack."""
        named = {
            path: content.decode().strip()
            for path in self._files_below(HEADS.rstrip("/"))
            if _COMMIT.fullmatch(content := _content(path))
        }
        packed = [commit for commit in named.values() if not self._is_loose(commit)]
        missing = Packs(self.directory).missing(packed)
        yield from (path for path, commit in named.items() if commit in missing)

    def _is_loose(self, commit: str) -> bool:
        return (self.directory / "objects" / commit[:2] / commit[2:]).exists()

    def _is_locked(self, name: str) -> bool:
        return (self.directory / f"{name}.lock").exists()

    def _empty_objects(self) -> Iterator[Path]:
        """Not those that a program is just writing, which begin as empty files too."""
        for path in map(Path, _empty_files(str(self.directory / "objects"))):
            of_pack = path.suffix in {".pack", ".idx"}
            if path.parent.name != "info" and not of_pack and not _BEGUN.search(path.name):
                yield path

    def _locks(self) -> Iterator[Path]:
        """git-pack-refs(1), gitrepository-layout(5): beside the files that they are of."""
        yield from self.directory.glob("*.lock")
        for below in ("refs", "objects/info", "objects/pack"):
            yield from (p for p in self._files_below(below) if p.suffix == ".lock")

    def _files_below(self, name: str) -> Sequence[Path]:
        return [path for path in sorted((self.directory / name).rglob("*")) if path.is_file()]

    # ------------------------------------------------------------- putting it right

    def _make_directories(self) -> Iterator[str]:
        for name in _DIRECTORIES:
            if not (self.directory / name).is_dir():
                (self.directory / name).mkdir(parents=True)
                yield f"{name} was gone"
        for name in ("objects/info", "info"):
            (self.directory / name).mkdir(exist_ok=True)

    def _mend_own_files(self, known: Mapping[str, CommitId]) -> Iterator[str]:
        head = next(iter(sorted(known)), f"{HEADS}main")
        right = {
            "HEAD": f"ref: {head}\n".encode(),
            "config": CONFIG.encode(),
            "info/attributes": ATTRIBUTES.encode(),
            "packed-refs": _packed(self._read("packed-refs")),
            "shallow": _lines(_COMMIT, self._read("shallow")),
        }
        for name, whole in [*self._own_files()]:
            if not whole:
                _write_whole(self.directory / name, right[name])
                yield f"{name} was damaged"

    def _drop_refs_without_commits(self, *, whole: bool) -> Iterator[str]:
        """``whole`` asks for all that a public ref leads to, for which git reads its history."""
        for ref, commit in self._refs().items():
            public = ref.startswith((HEADS, TAGS))
            if not self._has(commit) or (whole and public and not self._leads_on(commit)):
                with suppress(GitFailed):
                    Git(self.directory).read("update-ref", "-d", ref)
                yield f"the commit of {ref} is lost: the next push brings it"

    def _bring_back(self, known: Mapping[str, CommitId]) -> Iterator[str]:
        there = self._refs()
        for ref, commit in known.items():
            if ref in there:
                continue
            if not self._has(commit) or not self._leads_on(commit):
                yield f"{commit.short}, which {ref} was at, is lost: the next push brings it"
                continue
            path = self.directory / ref
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, f"{commit}\n".encode())
            yield f"{ref} is at {commit.short} again"

    def _refs(self) -> Mapping[str, CommitId]:
        """Of files and of packed ones; the files win."""
        found = {}
        for line in self._read("packed-refs").split(b"\n"):
            commit, _, ref = line.partition(b" ")
            if _COMMIT.fullmatch(commit):
                found[ref.decode("utf-8", "surrogateescape")] = CommitId(commit.decode())
        for path in self._files_below("refs"):
            if _COMMIT.fullmatch(_content(path)):
                found[self._name(path)] = CommitId(_content(path).decode().strip())
        return found

    def _has(self, commit: CommitId) -> bool:
        try:
            Git(self.directory).read("cat-file", "-e", f"{commit}^{{tree}}")
        except GitFailed:
            return False
        return True

    def _leads_on(self, commit: CommitId) -> bool:
        """Tell whether nothing is missing below it: what a push may build upon."""
        try:
            Git(self.directory).read("rev-list", "--objects", "--quiet", commit)
        except GitFailed:
            return False
        return True

    def _read(self, name: str) -> bytes:
        return _content(self.directory / name)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.directory))


def kept_commits(names: Iterable[str]) -> Mapping[str, CommitId]:
    """Read the commits of private refs from the names of the refs."""
    found = {}
    for name in names:
        commit = name.removeprefix(_KEPT)
        if name.startswith(_KEPT) and _COMMIT.fullmatch(commit.encode()):
            found[name] = CommitId(commit)
    return found


def _packed(content: bytes) -> bytes:
    """What can still be read, behind a line that says that nothing is peeled."""
    lines = _lines(_PACKED, content).split(b"\n")
    return b"# pack-refs with:\n" + b"".join(
        line + b"\n" for line in lines if _COMMIT.fullmatch(line.partition(b" ")[0])
    )


def _lines(wanted: "re.Pattern[bytes]", content: bytes) -> bytes:
    lines = [line for line in content.split(b"\n") if line and wanted.fullmatch(line)]
    return b"".join(line + b"\n" for line in lines)


def _empty_files(directory: str) -> Iterator[str]:
    """The paths of all below, in no order. What vanishes meanwhile is passed over."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _empty_files(entry.path)
            elif entry.is_file() and _is_empty(entry):
                yield entry.path


def _is_empty(entry: "os.DirEntry[str]") -> bool:
    with suppress(FileNotFoundError):
        return not entry.stat().st_size
    return False


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write_whole(path: Path, content: bytes) -> None:
    if path.is_dir():
        path.rename(path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}"))
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    beside.write_bytes(content)
    beside.replace(path)
