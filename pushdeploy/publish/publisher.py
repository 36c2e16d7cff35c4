"""``Publisher`` knows the published files of slugs, and takes them out of images where they lack.

What asks for a route reads what is there already and never waits: a release, a start and the
doctor see to it that it is."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pushdeploy.domain.app import App
from pushdeploy.domain.chunks import ChunkReader
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import BackendDown, BuildFailed, PushdeployError
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.published import (
    BY_SETTING,
    FORMERS,
    PublishedFolder,
    StaticFolder,
    folder_of,
)
from pushdeploy.domain.release import Release
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.static.deciding import Texts, decide
from pushdeploy.domain.static.description import description_of
from pushdeploy.domain.static.files import MOST_RULE_BYTES
from pushdeploy.domain.static.problems import Problem
from pushdeploy.domain.static.problems import shown as shown_problems
from pushdeploy.output import Quiet
from pushdeploy.publish.manifest import Manifest, asked_by, changed
from pushdeploy.publish.taking_out import TakenOut, shown, take_out
from pushdeploy.publish.trees import Trees
from pushdeploy.store import Store

_log = logging.getLogger(__name__)
_CORRECT = (
    "correct the name, commit and push; a folder that a build makes must be there when the build"
    " command has ended"
)
_SET_OTHERS = "apps:set APP static=  serves none, and static=/PATH/=FOLDER another"
_LOOK_BACK = 20
"""How many releases are looked at for those that were live before."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """The published folders of apps are found here by release."""

    store: Store
    engine: Engine
    trees: Trees

    def of(self, app: App, version: int | None) -> Sequence[StaticFolder]:
        """The folders of a release that are served now; one whose files lack is left out."""
        if version is None:
            return []
        release = self.store.releases.get(app.name, version)
        found = []
        for at, folder in folders_of(app, release.slug).items():
            digest = self.trees.digest_of(release.slug.image, folder.path)
            if digest is not None:
                former = [each for each in self._former(app, release, at) if each != digest]
                rules = self.trees.rules_of(release.slug.image, folder.path)
                found.append(StaticFolder(at, digest, former[:FORMERS], rules))
        return found

    def ensure(self, app: App, slug: Slug, output: Output) -> None:
        """Take the files of a slug that ``app`` serves out of its image, unless they were before.

        ``BuildFailed`` where a folder is missing, is empty, or cannot be published.
        """
        for folder in folders_of(app, slug).values():
            if self.trees.digest_of(slug.image, folder.path) is None:
                with output.step(f"Publishing {folder.shown}"):
                    self._take(slug.image, folder, output)

    def mend(self, app: App, slug: Slug) -> None:
        """Take the files of a slug out again where one lacks or is not as it was."""
        for folder in folders_of(app, slug).values():
            digest = self.trees.digest_of(slug.image, folder.path)
            wrong = self.trees.damage(digest) if digest else f"{folder.path} is not published"
            if wrong:
                _log.warning("%s: taken out of %s again", wrong, slug.image[:19])
                self._take(slug.image, folder, Quiet())

    def changed_paths(self, app: App, release: Release) -> Sequence[str]:
        """The paths, as visitors ask for them, of which a release has other files than the one
        that was live before it, in order."""
        before = next((r for r in self._lived_before(release) if r.version < release.version), None)
        old = self._manifests(app, before) if before else {}
        new = self._manifests(app, release)
        return sorted(
            asked
            for at in old.keys() | new.keys()
            for path in changed(old.get(at), new.get(at))
            for asked in asked_by(at, path)
        )

    def proofs(self, app: App, release: Release) -> tuple[Sequence[str], Sequence[str]]:
        """Read all that is served of a release: the digest of each folder, and a line for each
        that is not as its slug has it."""
        digests, wrong = [], []
        for folder in folders_of(app, release.slug).values():
            digest = self.trees.digest_of(release.slug.image, folder.path)
            if digest is None:
                wrong.append(f"the files of {folder.shown} of {release.label} are not there")
            elif self.trees.proof(digest) != digest:
                wrong.append(f"the files of {folder.shown} of {release.label} are damaged")
            else:
                digests.append(digest)
        return digests, wrong

    def _manifests(self, app: App, release: Release) -> Mapping[str, Manifest]:
        found = {}
        for at, folder in folders_of(app, release.slug).items():
            digest = self.trees.digest_of(release.slug.image, folder.path)
            if digest is not None:
                found[at] = self.trees.manifest(digest)
        return found

    def _take(self, image: ImageDigest, folder: PublishedFolder, output: Output) -> None:
        _digest, taken = self.trees.add(
            image, folder.path, lambda target: self._published(image, folder, target, output)
        )
        files = len(taken.manifest.files)
        many = "1 file" if files == 1 else f"{files:,} files"
        output.detail(f"{many}, {about_bytes(taken.manifest.size_bytes)}")
        for line in shown(taken.left_out):
            output.trouble(f"not served: {line}")

    def _published(
        self, image: ImageDigest, folder: PublishedFolder, target: Path, output: Output
    ) -> TakenOut:
        taken = self._taken_out(image, folder, target)
        if folder.why == BY_SETTING:
            return taken  # the process behind it has the say
        paths = [*taken.manifest.files, *taken.manifest.links]
        decided = decide(paths, texts_of(taken.texts), description_of(folder.described))
        if decided.problems:
            raise _refused(decided.problems)
        for line in decided.lines:
            output.detail(line)
        for line in shown_problems(decided.notices):
            output.trouble(line)
        return replace(taken, rules=decided.rules)

    def _taken_out(self, image: ImageDigest, folder: PublishedFolder, target: Path) -> TakenOut:
        """From a container that is never started."""
        container = self.engine.create(_container(image, self.engine.instance))
        try:
            taken = self._read(container, folder, target)
        finally:
            self.engine.remove(container)
        if not taken.manifest.files:
            raise BuildFailed(
                f"{folder.shown} is empty: there is nothing to serve",
                "let the build write its files there, or name another folder",
            )
        return taken

    def _read(self, container: str, folder: PublishedFolder, target: Path) -> TakenOut:
        try:
            with self.engine.get_archive(container, folder.path) as chunks:
                return take_out(ChunkReader(chunks), folder.path, target)
        except (BackendDown, BuildFailed):
            raise
        except PushdeployError as error:
            raise BuildFailed(
                f"there is no {folder.shown} in the slug ({folder.why} names it)",
                _SET_OTHERS if folder.why == BY_SETTING else _CORRECT,
            ) from error

    def _former(self, app: App, release: Release, at: str) -> Sequence[str]:
        """The same folder of the releases that were live before, as far as it is still here."""
        found: dict[str, None] = {}
        for other in self._lived_before(release):
            folder = folders_of(app, other.slug).get(at)
            digest = self.trees.digest_of(other.slug.image, folder.path) if folder else None
            if digest is not None:
                found[digest] = None
        return list(found)

    def _lived_before(self, release: Release) -> Sequence[Release]:
        """Releases that were live and are not this one, the newest first."""
        listed = self.store.releases.list(release.app, _LOOK_BACK)
        return [each for each in listed if each.live_at and each.version != release.version]


def texts_of(files: Mapping[str, bytes]) -> Texts:
    """The files of rules as texts; ``BuildFailed`` for one that is none."""
    found = {}
    for name, data in files.items():
        if len(data) > MOST_RULE_BYTES:
            raise BuildFailed(
                f"{name} is larger than {about_bytes(MOST_RULE_BYTES)}", "let a rule stand for many"
            )
        try:
            found[name] = data.decode()
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise BuildFailed(f"{name} line {line} is not UTF-8", "save it as UTF-8") from error
    return Texts(found.get("_redirects", ""), found.get("_headers", ""))


def _refused(problems: Sequence[Problem]) -> BuildFailed:
    first, *others = shown_problems(problems)
    return BuildFailed(first.partition("; ")[0], problems[0].remedy, details=others)


def folders_of(app: App, slug: Slug) -> Mapping[str, PublishedFolder]:
    """The folders of a slug that are served, by the path at which visitors find them."""
    own = {"/": slug.published} if slug.published else {}
    return {**own, **dict(map(folder_of, app.settings.front.static_folders))}


def _container(image: ImageDigest, instance: str) -> ContainerSpec:
    return ContainerSpec(
        image=image,
        name=f"pushdeploy-{instance}-publish-{uuid.uuid4().hex[:12]}",
        labels={"pushdeploy.role": "build"},
        command=["true"],
        network="none",
    )
