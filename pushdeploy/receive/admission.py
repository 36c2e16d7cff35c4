"""A push is stored in quarantine, checked and deployed; only then are its refs moved."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError, StageFailed, UserError
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.ports.push_receiver import PushReceiver
from pushdeploy.domain.push import Push
from pushdeploy.domain.source import Source
from pushdeploy.no_room import no_room_behind
from pushdeploy.output import Output
from pushdeploy.receive.incoming_pack import IncomingPack, store_pack
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.messages import reason
from pushdeploy.receive.object_checks import check_connected, check_modes, commit_of, types_of
from pushdeploy.receive.pushed_apps import PushedApps
from pushdeploy.receive.quarantine import Quarantine
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.source import GitSource
from pushdeploy.receive.tree_checks import check_tree
from pushdeploy.receive.updates import HEADS, TAGS, RefUpdate, Verdicts, as_meant, refusals


@dataclass(frozen=True, slots=True)
class PendingPush:
    """The commands of a pending push have been read, and its pack follows in ``incoming``."""

    app: AppName
    by: KeyName
    cancellation: Cancellation
    output: Output
    incoming: IncomingPack
    client_shallow: set[CommitId]
    atomic: bool


class Admission:
    """``admit`` fills in the verdicts; a refused update leaves no trace in the repository."""

    def __init__(
        self,
        repositories: Repositories,
        receiver: PushReceiver,
        limits: PackLimits,
        pushed_apps: PushedApps,
    ) -> None:
        self._repositories = repositories
        self._receiver = receiver
        self._limits = limits
        self._pushed_apps = pushed_apps

    def as_meant(self, app: AppName, updates: Sequence[RefUpdate]) -> Sequence[RefUpdate]:
        """Return the updates that the pusher meant, where git has guessed them wrong."""
        return as_meant(updates, self._deploys(app, updates), self._repositories.refs(app))

    def admit(self, push: PendingPush, verdicts: Verdicts) -> None:
        app = push.app
        for line in self._repositories.news(app):
            push.output.trouble(f"the repository was mended: {line}")
        deploys = self._deploys(app, verdicts.updates)
        existing = self._repositories.refs(app)
        for update, why in refusals(app, verdicts.updates, deploys, existing):
            verdicts.refuse(update, why)
        with Quarantine(
            self._repositories.path(app),
            self._limits,
            lambda commits: self._repositories.add_shallow(app, commits),
        ).opened() as quarantine:
            if self._stored(push, verdicts, quarantine):
                self._peel(push.output, verdicts, quarantine)
                self._apply(push, verdicts, deploys, quarantine)

    def no_room(self, error: Exception) -> PushdeployError | None:
        """Return the error to tell when ``error`` comes of a file system without room."""
        return no_room_behind(error, self._repositories.root)

    def _deploys(self, app: AppName, updates: Sequence[RefUpdate]) -> str:
        offered = [update.short for update in updates if update.new]
        return HEADS + self._receiver.deploy_branch(app, offered)

    def _stored(self, push: PendingPush, verdicts: Verdicts, quarantine: Quarantine) -> bool:
        """Read the pack, if one comes, and see whether it is whole. A refusal is of the push."""
        if all(update.new is None for update in verdicts.updates):
            return True
        tips = [update.new for update in verdicts.pending if update.new]
        try:
            if push.client_shallow:
                quarantine.assume_shallow(push.client_shallow)
            store_pack(quarantine.git, push.incoming, push.cancellation)
            check_connected(quarantine, tips, push.client_shallow, push.cancellation)
        except (PushdeployError, OSError) as error:
            told = self._told(error)
            push.output.failure(told)
            verdicts.unpacked = reason(told)
            verdicts.refuse_pending(reason(told))
            return False
        return True

    def _peel(self, output: Output, verdicts: Verdicts, quarantine: Quarantine) -> None:
        """A branch gets the commit that a tag points to; what leads to none is refused."""
        tips = [(update, update.new) for update in verdicts.pending if update.branch and update.new]
        kinds = types_of(quarantine.git, [new for _, new in tips])
        for (update, new), kind in zip(tips, kinds, strict=True):
            if kind == "commit":
                continue
            commit = commit_of(quarantine.git, new) if kind == "tag" else None
            if commit is None:
                what = "a tag of no commit" if kind == "tag" else f"a {kind}"
                verdicts.refuse(update, f"a branch is a commit, this is {what}")
                continue
            verdicts.point(update, commit)
            output.detail(f"a tag was pushed: {update.short} becomes its commit {commit.short}")

    def _apply(
        self, push: PendingPush, verdicts: Verdicts, deploys: str, quarantine: Quarantine
    ) -> None:
        """The deploy first, for the others are worth nothing to an atomic push without it."""
        for update in sorted(verdicts.pending, key=lambda update: update.ref != deploys):
            if push.atomic and verdicts.refused:
                break
            try:
                if update.ref == deploys:
                    self._deploy(push, update, quarantine)
                else:
                    self._store(push, update, deploys, quarantine)
            except (PushdeployError, OSError) as error:
                told = self._told(error)
                if update.ref == deploys:
                    push.output.failure(told)
                    self._settle(push, told)
                verdicts.refuse(update, reason(told))
            else:
                verdicts.accept(update)
        verdicts.refuse_pending("atomic push failed")

    def _told(self, error: PushdeployError | OSError) -> PushdeployError:
        """That nothing can be written, where that is why."""
        told = no_room_behind(error, self._repositories.root)
        if isinstance(error, PushdeployError):
            if told is not None:
                told.serving = error.serving
            return told or error
        if told is None:
            raise error
        return told

    def _deploy(self, push: PendingPush, update: RefUpdate, quarantine: Quarantine) -> None:
        source = self._checked(push, update, quarantine)
        deployed = Push(push.app, update.ref, update.old, source.commit, push.by)
        self._receiver.deploy(deployed, source, Asker(push.by, push.output, push.cancellation))
        if self._repositories.read(push.app, update.ref) != update.new:
            raise _lost(update)
        self._repositories.point_head(push.app, update.ref)

    def _settle(self, push: PendingPush, error: PushdeployError) -> None:
        """A new app whose build, release or boot failed stays: its pusher may have to set config,
        attach a disk or read its output."""
        if isinstance(error, StageFailed) and self._pushed_apps.settle(push.app):
            push.output.detail(
                f"app {push.app} is there from now on: push again when it is mended;"
                f" ssh deploy apps:destroy {push.app} removes it"
            )

    def _checked(self, push: PendingPush, update: RefUpdate, quarantine: Quarantine) -> Source:
        """The source in quarantine, fit to be built. ``UserError`` otherwise."""
        commit, git = _new(update), quarantine.git

        def keep() -> None:
            quarantine.move_in()
            self._repositories.keep(push.app, commit)

        reader = GitSource(git, commit, keep)
        for warning in check_tree(reader.entries(), self._limits):
            push.output.trouble(warning)
        tree = check_modes(git, commit, [entry.object_id for entry in reader.directories()])
        return Source(push.app, commit, tree, reader)

    def _store(
        self, push: PendingPush, update: RefUpdate, deploys: str, quarantine: Quarantine
    ) -> None:
        if update.new:
            quarantine.move_in()
            moved = self._repositories.move(push.app, update.ref, update.old, update.new)
        else:
            assert update.old is not None, "refused before: there is no such ref"
            moved = self._repositories.delete(push.app, update.ref, update.old)
        if not moved:
            raise _lost(update)
        done = "Stored" if update.new else "Deleted"
        deploying = deploys.removeprefix(HEADS)
        only = f"; only {deploying} deploys" if update.new else ""
        push.output.line(f"-----> {done} {_called(update)}{only}")
        # By its commit: what was pushed may be called otherwise where it came from.
        if commit := _deployable(update, quarantine):
            push.output.detail(f"to deploy it:  git push deploy {commit.short}:{deploys}")


def _deployable(update: RefUpdate, quarantine: Quarantine) -> CommitId | None:
    """The commit that could be deployed: a branch, or that which a tag leads to."""
    if update.new and update.ref.startswith(TAGS):
        return commit_of(quarantine.git, update.new)
    return update.new if update.branch else None


def _called(update: RefUpdate) -> str:
    if update.branch:
        return f"branch {update.branch}"
    if update.ref.startswith(TAGS):
        return f"tag {update.ref.removeprefix(TAGS)}"
    return update.ref


def _new(update: RefUpdate) -> CommitId:
    assert update.new is not None, "a deploy branch is never deleted"
    return update.new


def _lost(update: RefUpdate) -> UserError:
    return UserError(
        "fetch first: the ref has moved meanwhile", f"git fetch, then push {update.ref}"
    )
