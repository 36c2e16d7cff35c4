"""Published files lie in nginx's directory, named by their content: equal folders lie there once.

    static/<digest>/files/…          what is served
    static/<digest>/manifest         what should lie there
    static/<digest>/br/…             the same in an encoding: variants.py
    static/slugs/<image>/<folder>    a link to the files of a folder of an image
    static/slugs/<image>/<folder>.rules    how they are served
    static/encoded/                  what was encoded, by content
    static/new/…                     what is being taken out

All of it is derived from images. nginx's workers may read it, and nobody writes to it: a folder
comes whole, by a rename, and goes whole.
"""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.static.site_rules import SiteRules, rules_json, rules_of
from pushdeploy.publish.manifest import FileEntry, Manifest, mtime_of
from pushdeploy.publish.taking_out import TakenOut
from pushdeploy.publish.variants import Variants

DIRECTORY = "static"
"""Its name in nginx's directory, and so in nginx's files."""

FILES = "files"
"""What is served of a folder lies in here."""

_MANIFEST = "manifest"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Trees:
    """``root`` is nginx's own directory. Threads may use it at the same time."""

    root: Path

    @property
    def _place(self) -> Path:
        return self.root / DIRECTORY

    @property
    def _new(self) -> Path:
        return self._place / "new"

    @property
    def _slugs(self) -> Path:
        return self._place / "slugs"

    def digest_of(self, image: ImageDigest, folder: str) -> str | None:
        """The digest of a folder's files; None where they were not taken out, or have gone."""
        try:
            digest = self._link(image, folder).readlink().name
        except OSError:
            return None
        return digest if self._is_there(digest) else None

    def rules_of(self, image: ImageDigest, folder: str) -> SiteRules:
        """How the files of a folder are served; as any files where nobody has said so."""
        try:
            return rules_of(json.loads(self._rules(image, folder).read_text()))
        except (OSError, ValueError):
            return SiteRules()

    @property
    def variants(self) -> Variants:
        return Variants(self._place / "encoded")

    def files(self, digest: str) -> Path:
        return self._place / digest / FILES

    def manifest(self, digest: str) -> Manifest:
        """Raise ``BackendDown`` where it is missing or damaged."""
        try:
            text = (self._place / digest / _MANIFEST).read_text()
        except (OSError, UnicodeError) as error:
            raise BackendDown(
                f"the list of the published files {digest[:12]} cannot be read: {error}",
                "pushdeploy doctor",
            ) from error
        return Manifest.parse(text)

    def add(
        self, image: ImageDigest, folder: str, take: Callable[[Path], TakenOut]
    ) -> tuple[str, TakenOut]:
        """``take`` writes the files into a directory; they are then whole and found by digest.

        The same files, wherever they came from, are kept once.
        """
        self._make()
        with self._aside() as aside:
            taken = take(aside / FILES)
            contents = {path: entry.digest for path, entry in taken.manifest.files.items()}
            self.variants.make(aside, contents)
            text = taken.manifest.text()
            (aside / _MANIFEST).write_text(text)
            digest = taken.manifest.digest
            # First of all, so that nobody takes them for what no image has.
            self._keep(self._rules(image, folder), taken.rules)
            self._point(self._link(image, folder), digest)
            self._put(aside, digest)
        return digest, taken

    def damage(self, digest: str) -> str:
        """Name the first file that is not as it should be; empty where all are.

        The time of a file is its content's: what was changed, torn or cut short shows. The bytes
        are not read.
        """
        try:
            manifest = self.manifest(digest)
        except BackendDown as error:
            return error.message
        if manifest.digest != digest:
            return f"the list of the published files {digest[:12]} is another one's"
        files = self.files(digest)
        for path, entry in manifest.files.items():
            if not _is_as_listed(files / path, entry):
                return f"{path!r} of the published files {digest[:12]} is damaged"
        for path, link in manifest.links.items():
            with suppress(OSError):
                if str((files / path).readlink()) == link.target:
                    continue
            return f"{path!r} of the published files {digest[:12]} is damaged"
        return ""

    def proof(self, digest: str) -> str:
        """Read every byte: the digest of what is really there, empty where something is missing."""
        try:
            manifest, files = self.manifest(digest), self.files(digest)
            found = {path: _read_entry(files / path) for path in manifest.files}
        except (BackendDown, OSError):
            return ""
        return Manifest(found, manifest.links).digest

    def forget(self, image: ImageDigest) -> None:
        """The image has gone: what only it had goes as well."""
        shutil.rmtree(self._link(image, "").parent, ignore_errors=True)

    def digests(self) -> Sequence[str]:
        """The digests of all files that lie here."""
        names = (path.name for path in _entries(self._place))
        return sorted(name for name in names if _DIGEST.fullmatch(name))

    def images(self) -> Sequence[ImageDigest]:
        """The images of which files were taken out."""
        return [ImageDigest(f"sha256:{path.name}") for path in _entries(self._slugs)]

    def clear(self) -> None:
        """Remove, at the start, what a killed server was about to add."""
        shutil.rmtree(self._new, ignore_errors=True)

    def sweep(self) -> Sequence[str]:
        """Remove the files that no image has any more, and return their digests."""
        links = [link for image in _entries(self._slugs) for link in _entries(image)]
        wanted = {link.readlink().name for link in links if link.is_symlink()}
        gone = [digest for digest in self.digests() if digest not in wanted]
        for digest in gone:
            shutil.rmtree(self._place / digest, ignore_errors=True)
        self.variants.sweep()
        return gone

    def _is_there(self, digest: str) -> bool:
        known = _DIGEST.fullmatch(digest) is not None
        return known and (self._place / digest / _MANIFEST).is_file()

    def _link(self, image: ImageDigest, folder: str) -> Path:
        name = hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return self._slugs / image.removeprefix("sha256:") / name

    def _rules(self, image: ImageDigest, folder: str) -> Path:
        link = self._link(image, folder)
        return link.with_name(f"{link.name}.rules")

    def _make(self) -> None:
        """Workers pass through to what they are told of, and list nothing."""
        for directory in (self._place, self._new, self._slugs):
            directory.mkdir(mode=0o711, parents=True, exist_ok=True)
            directory.chmod(0o711)

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        aside = self._new / uuid.uuid4().hex
        aside.mkdir(mode=0o755)
        aside.chmod(0o755)
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _put(self, aside: Path, digest: str) -> None:
        """Rename into place. What lies there already is the same, unless it is damaged."""
        place = self._place / digest
        if place.exists():
            if not self.damage(digest):
                return
            place.rename(self._new / uuid.uuid4().hex)
        with suppress(FileExistsError):
            aside.rename(place)
        if not self._is_there(digest):
            raise BackendDown(f"{place} cannot be written", "pushdeploy doctor")

    def _keep(self, place: Path, rules: SiteRules) -> None:
        place.parent.mkdir(mode=0o711, exist_ok=True)
        beside = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
        beside.write_text(json.dumps(rules_json(rules)))
        beside.replace(place)

    def _point(self, link: Path, digest: str) -> None:
        link.parent.mkdir(mode=0o711, exist_ok=True)
        beside = link.with_name(f"{link.name}.{uuid.uuid4().hex}")
        beside.symlink_to(f"../../{digest}")
        beside.replace(link)


def _is_as_listed(path: Path, entry: FileEntry) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return (status.st_size, int(status.st_mtime), status.st_mode) == (
        entry.size_bytes,
        mtime_of(entry.digest),
        0o100644,
    )


def _read_entry(path: Path) -> FileEntry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(digest, file.tell())


def _entries(directory: Path) -> Sequence[Path]:
    try:
        return list(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
