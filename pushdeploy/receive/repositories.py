"""Each app has a bare repository, whose refs move here; each deployed commit has a private ref."""

import logging
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dulwich.errors import NotGitRepository
from dulwich.file import FileLocked
from dulwich.objects import ZERO_SHA, ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

from pushdeploy.domain.errors import BackendDown, Busy, UnknownApp, UserError
from pushdeploy.domain.history import Divergence
from pushdeploy.domain.names import AppName, CommitId, TreeId
from pushdeploy.domain.source import Source
from pushdeploy.receive import quarantine
from pushdeploy.receive.divergence import divergence, joined
from pushdeploy.receive.git import Git, GitFailed
from pushdeploy.receive.public_repository import PublicRepository
from pushdeploy.receive.repair import ATTRIBUTES, CONFIG, Repair
from pushdeploy.receive.source import GitSource
from pushdeploy.receive.updates import PRIVATE

Known = Callable[[AppName], Mapping[str, CommitId]]
"""Gives the commits at which an app's branches should be."""

_log = logging.getLogger(__name__)


class Repositories:
    """``Repositories`` implement the port ``Refs`` over ``<root>/<app>.git``.

    Thread-safe; one server at a time per root.
    """

    def __init__(self, root: Path, known: Known | None = None) -> None:
        """``known`` tells where an app's branches should be, should their files be damaged."""
        self._known = known or (lambda _: {})
        self._news: dict[AppName, Sequence[str]] = {}
        self._unseen: set[AppName] = set()
        self._root = root.resolve()
        self._writing = threading.Lock()

    @property
    def root(self) -> Path:
        return self._root

    def path(self, app: AppName) -> Path:
        """Return the path of the app's repository; only a validated name becomes part of it."""
        return self._root / f"{AppName.parse(app)}.git"

    def exists(self, app: AppName) -> bool:
        return self.path(app).is_dir()

    def ensure(self, app: AppName) -> bool:
        """Make the app's repository where there is none, and tell whether it was made now."""
        if self.exists(app):
            return False
        self._root.mkdir(parents=True, exist_ok=True)
        draft = self._draft()
        with Repo.init_bare(draft, mkdir=True, default_branch=b"main"):
            (draft / "config").write_text(CONFIG)
        (draft / "info").mkdir(exist_ok=True)
        (draft / "info" / "attributes").write_text(ATTRIBUTES)
        (draft / quarantine.FOLDER).mkdir()
        with self._writing, self._usable(app):
            if not self.exists(app):
                draft.rename(self.path(app))
                return True
        shutil.rmtree(draft)
        return False

    def read(self, app: AppName, ref: str) -> CommitId | None:
        if not self.exists(app):
            return None
        with self.opened(app) as repository:
            return _read(repository, ref)

    def move(self, app: AppName, ref: str, old: CommitId | None, new: CommitId) -> bool:
        with self._changing(app) as repository:
            if ObjectID(new.encode()) not in repository.object_store:
                raise UserError(f"{new.short} is not in the repository of {app}", "push it again")
            return repository.refs.set_if_equals(
                _name(ref), ObjectID(old.encode()) if old else ZERO_SHA, ObjectID(new.encode())
            )

    def delete(self, app: AppName, ref: str, old: CommitId) -> bool:
        """Delete the ref, or return False when the ref is not at ``old``."""
        with self._changing(app) as repository:
            return repository.refs.remove_if_equals(_name(ref), ObjectID(old.encode()))

    def keep(self, app: AppName, commit: CommitId) -> None:
        """Hold a commit for ever, whatever becomes of the branches."""
        with self._changing(app) as repository:
            name = _name(f"{PRIVATE}commits/{commit}")
            repository.refs.set_if_equals(name, None, ObjectID(commit.encode()))

    def point_head(self, app: AppName, ref: str) -> None:
        """Make ``ref`` what a clone checks out."""
        with self._changing(app) as repository:
            if repository.refs.get_symrefs().get(HEADREF) != ref.encode():
                repository.refs.set_symbolic_ref(HEADREF, _name(ref))

    def add_shallow(self, app: AppName, commits: set[CommitId]) -> None:
        with self._changing(app) as repository:
            repository.update_shallow({ObjectID(commit.encode()) for commit in commits}, None)

    def refs(self, app: AppName) -> dict[str, CommitId]:
        """Return every public ref, without HEAD."""
        with self.opened(app, head=False) as repository:
            return {
                name.decode("utf-8", "surrogateescape"): CommitId(found.decode("ascii"))
                for name, found in repository.get_refs().items()
            }

    def shallow(self, app: AppName) -> set[CommitId]:
        """Return the commits whose parents this repository does not have."""
        with self.opened(app) as repository:
            return {CommitId(commit.decode("ascii")) for commit in repository.get_shallow()}

    def is_empty(self, app: AppName) -> bool:
        """Tell whether nothing was ever stored, public or private."""
        with self.opened(app) as repository:
            return not repository.refs.allkeys() - {HEADREF}

    def source(self, app: AppName, commit: CommitId) -> Source | None:
        if not self.exists(app):
            return None
        git = Git(self.path(app))
        try:
            tree = git.read("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}")
        except GitFailed:
            return None
        reader = GitSource(git, commit, lambda: self.keep(app, commit))
        return Source(app, commit, TreeId(tree.decode().strip()), reader)

    def related(self, app: AppName, commit: CommitId, other: AppName, base: CommitId) -> bool:
        if not (self.exists(app) and self.exists(other)):
            return False
        try:
            with self._joined(app, other) as git:
                return bool(git.read("merge-base", commit, base).strip())
        except GitFailed:
            return False

    def divergence(
        self, app: AppName, commit: CommitId, other: AppName, base: CommitId | None
    ) -> Divergence:
        try:
            with self._joined(app, other) as git:
                return divergence(git, commit, base)
        except (GitFailed, UnknownApp) as error:
            raise UserError(
                f"the commits of {app} and {other} cannot be compared: {error.message}",
                f"git push deploy main brings those of {app} again",
            ) from error

    def share(self, app: AppName, other: AppName, commit: CommitId) -> None:
        self.ensure(other)
        kept = f"{PRIVATE}commits/{commit}"
        if self.read(other, kept) is None:
            git = Git(self.path(other))
            source, spec = str(self.path(app)), f"{commit}:{kept}"
            git.read("fetch", "--quiet", "--no-tags", "--update-shallow", source, spec)

    def rename(self, app: AppName, new: AppName) -> None:
        """Move the repository, or raise ``UserError`` when the new name has one."""
        with self._writing:
            if self.exists(new):
                raise UserError(f"app {new} has a repository already", "choose another name")
            if self.exists(app):
                self.path(app).rename(self.path(new))

    def remove(self, app: AppName) -> None:
        draft = self._draft()
        with self._writing:
            if not self.exists(app):
                return
            self.path(app).rename(draft)
        shutil.rmtree(draft, ignore_errors=True)

    def sweep(self) -> None:
        """Remove the files of a killed server, and mend the files that every push and fetch reads.

        Of objects there may be very many: ``look_over`` looks at them when all is served, or who
        comes before. A repository that cannot be mended is named in the log, and its app's next
        push is told.
        """
        for draft in self._root.glob(".draft-*"):
            shutil.rmtree(draft, ignore_errors=True)
        for repository in self._root.glob("*.git"):
            try:
                self._sweep(repository)
            except Exception:  # noqa: BLE001 - one bad repository must not keep a server from starting
                _log.exception("app=%s its repository cannot be mended", repository.stem)

    def _sweep(self, repository: Path) -> None:
        quarantine.sweep(repository)
        if AppName.fits(repository.stem):
            app = AppName(repository.stem)
            self._unseen.add(app)
            self._mend(app, objects=False)

    def look_over(self, stopping: threading.Event) -> str:
        """Look at the objects of all repositories that nobody has come to since the start.

        Names those that cannot be looked at.
        """
        failed: list[str] = []
        for app in sorted(self._unseen):
            if stopping.is_set():
                break
            try:
                self.look_after(app)
            except Exception:  # noqa: BLE001 - one bad repository must not keep it from the others
                _log.exception("app=%s its repository cannot be looked at", app)
                failed.append(f"the repository of {app} cannot be looked at")
        return "; ".join(failed)

    def look_after(self, app: AppName) -> None:
        """Mend the repository where a loss of power, or somebody, has damaged it."""
        if not self.exists(app):
            return
        repair = Repair(self.path(app))
        with self._usable(app):
            if not repair.is_sound() or (app in self._unseen and repair.has_bad_objects()):
                self._mend(app)
        self._unseen.discard(app)

    def news(self, app: AppName) -> Sequence[str]:
        """Return the repairs since the last call, for the person who pushes next."""
        with self._writing:
            return self._news.pop(app, ())

    def damages(self) -> Sequence[str]:
        """List the damages of all repositories for the doctor, and change nothing."""
        found = {path.stem: Repair(path).damages() for path in sorted(self._root.glob("*.git"))}
        return [f"{name} of {app}" for app, names in found.items() for name in names]

    def _mend(self, app: AppName, *, objects: bool = True) -> None:
        with self._writing:
            said = Repair(self.path(app)).mend(self._known(app), objects=objects)
            if said:
                self._news[app] = said
        for line in said:
            _log.warning("app=%s repository: %s", app, line)

    @contextmanager
    def opened(self, app: AppName, head: bool = True) -> Iterator[PublicRepository]:
        """Open the app's repository, or raise ``UnknownApp`` where there is none.

        Without ``head``: as a push may see it.
        """
        if not self.exists(app):
            raise UnknownApp(app)
        with self._usable(app):
            repository = PublicRepository(str(self.path(app)), bare=True)
        repository.shows_head = head
        with repository:
            yield repository

    @contextmanager
    def _usable(self, app: AppName) -> Iterator[None]:
        """Raise ``BackendDown`` for what only somebody on the server can put right."""
        try:
            yield
        except (OSError, NotGitRepository) as error:
            path = self.path(app)
            raise BackendDown(
                f"the repository of {app} is damaged and cannot be mended: {error}",
                f"on the server:  mv {path} {path}.damaged; then git push deploy main",
            ) from error

    @contextmanager
    def _joined(self, app: AppName, other: AppName) -> Iterator[Git]:
        """Both repositories as one."""
        with self.opened(app) as one, self.opened(other) as two:
            cut = _cut(one, two) | _cut(two, one)
            shallow = bool(one.get_shallow() or two.get_shallow())
        with joined(self.path(app), self.path(other), cut if shallow else None) as git:
            yield git

    @contextmanager
    def _changing(self, app: AppName) -> Iterator[PublicRepository]:
        with self._writing, self.opened(app) as repository:
            try:
                yield repository
            except FileLocked as error:
                raise Busy(f"a ref of {app} is locked by another program", "try again") from error
            except OSError as error:
                raise UserError(f"the ref cannot be written: {error.strerror}") from error

    def _draft(self) -> Path:
        return self._root / f".draft-{secrets.token_hex(8)}"


def _cut(repository: Repo, other: Repo) -> set[CommitId]:
    """Where history ends in ``repository`` and does not go on in the other one either."""
    ends = repository.get_shallow()
    whole = {end for end in ends if end in other.object_store} - set(other.get_shallow())
    return {CommitId(end.decode("ascii")) for end in ends - whole}


def _name(ref: str) -> Ref:
    return Ref(ref.encode("utf-8", "surrogateescape"))


def _read(repository: Repo, ref: str) -> CommitId | None:
    try:
        return CommitId(repository.refs[_name(ref)].decode("ascii"))
    except KeyError:
        return None
