"""The commands of a push are values, some of which are refused before any work is done."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dulwich.refs import check_ref_format

from pushdeploy.domain.names import AppName, CommitId

HEADS = "refs/heads/"
TAGS = "refs/tags/"
PRIVATE = "refs/pushdeploy/"
"""The server's own refs: hidden from every client and refused in pushes."""

NO_COMMIT = CommitId("0" * 40)

NAME_BYTES = 200
"""Between two slashes; git's own lock file of it must fit into a Linux file name."""


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """An update without ``old`` makes the ref, one without ``new`` deletes it.

    ``new`` of a tag may be any object.
    """

    ref: str
    old: CommitId | None
    new: CommitId | None

    @classmethod
    def of(cls, old: bytes, new: bytes, ref: bytes) -> "RefUpdate":
        return cls(ref.decode("utf-8", "surrogateescape"), _id(old), _id(new))

    @property
    def short(self) -> str:
        """Return the name of a branch or tag as people type it."""
        return self.ref.removeprefix(HEADS).removeprefix(TAGS)

    @property
    def branch(self) -> str | None:
        """Return the short name of a branch, or None for another ref."""
        return self.ref.removeprefix(HEADS) if self.ref.startswith(HEADS) else None


class Verdicts:
    """Verdicts say of each update whether it is accepted, in the order of the push.

    Only the first word counts.
    """

    def __init__(self, updates: Sequence[RefUpdate]) -> None:
        self.updates = tuple(updates)
        self.unpacked = "ok"
        self._reasons: dict[RefUpdate, str] = {}

    def point(self, update: RefUpdate, commit: CommitId) -> None:
        """Let ``update`` bring ``commit``, which the tag that was pushed points to."""
        pointed = replace(update, new=commit)
        self.updates = tuple(pointed if each == update else each for each in self.updates)

    def accept(self, update: RefUpdate) -> None:
        self._reasons.setdefault(update, "")

    def refuse(self, update: RefUpdate, reason: str) -> None:
        self._reasons.setdefault(update, reason or "refused")

    def refuse_pending(self, reason: str) -> None:
        for update in self.pending:
            self.refuse(update, reason)

    @property
    def pending(self) -> list[RefUpdate]:
        return [update for update in self.updates if update not in self._reasons]

    @property
    def refused(self) -> bool:
        """Tell whether any update was refused."""
        return any(self._reasons.values())

    def reason(self, update: RefUpdate) -> str:
        """Return the reason of a refusal, or empty text when the update was accepted."""
        return self._reasons.get(update, "nothing was done")


def as_meant(
    updates: Sequence[RefUpdate], deploys: str, existing: Mapping[str, CommitId]
) -> Sequence[RefUpdate]:
    """Let ``git push deploy v1:main`` bring a branch, also where there is none of that name yet.

    git then guesses that what comes from a tag is to be a tag (gitrevisions(7) and "refspec" of
    git-push(1)): a tag main would deploy nothing and make every later ``main`` ambiguous.
    """
    tag = TAGS + deploys.removeprefix(HEADS)
    if deploys in existing or any(update.ref == deploys for update in updates):
        return updates
    return [
        replace(update, ref=deploys) if update.ref == tag and update.new else update
        for update in updates
    ]


def refusals(
    app: AppName, updates: Sequence[RefUpdate], deploys: str, existing: Mapping[str, CommitId]
) -> Iterator[tuple[RefUpdate, str]]:
    """List the updates that can be refused by looking at them, each with the reason.

    ``deploys`` is the ref of the deploy branch, ``existing`` all public refs of the repository.
    """
    times = Counter(update.ref for update in updates)
    taken = _directories([*existing, *times])
    for update in updates:
        why = (
            _bad_name(update.ref)
            or ("the same ref twice in one push" if times[update.ref] > 1 else "")
            or _impossible(app, update, deploys, existing)
            or _clash(update, {*existing, *times}, taken)
        )
        if why:
            yield update, why


def _bad_name(ref: str) -> str:
    if ref.startswith(PRIVATE) or ref == PRIVATE.rstrip("/"):
        return f"{PRIVATE} is the server's own"
    if any(len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES for name in ref.split("/")):
        return "the name is too long"
    if not ref.isprintable() or ref.count("/") < 2 or not ref.startswith("refs/"):
        return "not a valid ref name"
    if not check_ref_format(ref.encode()):  # type: ignore[arg-type]
        return "not a valid ref name"
    return ""


def _impossible(
    app: AppName, update: RefUpdate, deploys: str, existing: Mapping[str, CommitId]
) -> str:
    if update.new is None and update.ref == deploys:
        return f"{deploys.removeprefix(HEADS)} is deployed; apps:destroy {app} removes the app"
    if update.new is None and update.old is None:
        return "there is no such ref"
    if update.new and update.ref in _namesakes(deploys):
        kind = "branch" if update.branch else "tag"
        deploying = deploys.removeprefix(HEADS)
        return f"a {kind} {update.short} would make pushes of the branch {deploying} ambiguous"
    if existing.get(update.ref) != update.old:
        return "fetch first: the ref has moved meanwhile"
    return ""


def _namesakes(deploys: str) -> set[str]:
    """Other refs that git, too, takes for the deploy branch however it is named (gitrevisions(7)):
    ``main``, ``heads/main`` and ``refs/heads/main``."""
    names = [deploys, deploys.removeprefix("refs/"), deploys.removeprefix(HEADS)]
    return {f"{place}{name}" for place in (HEADS, TAGS) for name in names} - {deploys}


def _clash(update: RefUpdate, names: set[str], directories: set[str]) -> str:
    """A name cannot be a ref and a directory of refs."""
    if update.new is None:
        return ""
    if update.ref in directories:
        return f"there are refs below {update.ref}/"
    above = next((name for name in sorted(_directories([update.ref])) if name in names), None)
    return f"{above} is a ref already" if above else ""


def _directories(refs: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for ref in refs:
        while "/" in ref:
            ref = ref.rpartition("/")[0]  # noqa: PLW2901 - walks up
            found.add(ref)
    return found


def _id(text: bytes) -> CommitId | None:
    commit = CommitId.parse(text.decode("ascii", "replace"))
    return None if commit == NO_COMMIT else commit
