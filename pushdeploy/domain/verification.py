"""A verification compares running tasks with the ledger, and stages that should agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.release import Release
from pushdeploy.domain.task import Slot, Specimen


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence is all that is known of an app.

    ``recorded`` are the images of the releases that its containers name; ``promoted`` is the
    image that its live release was promoted with, None where it was not. ``shipping`` are the
    versions that a deploy is bringing up at this moment; ``wanted`` the slots that should run.
    ``changing`` tells that somebody holds the app's lock: former tasks may still be retiring.
    ``files`` are the digests of what visitors get without a task, each read byte by byte, and
    ``damaged`` says what is wrong with them.
    """

    app: AppName
    live: Release | None
    running: Sequence[Specimen]
    recorded: Mapping[int, ImageDigest]
    wanted: Sequence[Slot] = ()
    shipping: frozenset[int] = frozenset()
    promoted: ImageDigest | None = None
    changing: bool = False
    files: Sequence[str] = ()
    damaged: Sequence[str] = ()

    @property
    def in_between(self) -> bool:
        """Tell whether more or less than what is live may run for a moment."""
        return self.changing or bool(self.shipping)

    @property
    def images(self) -> Sequence[str]:
        """Return the images of all tasks that run: one, when everything is well.

        Where files are served in place of tasks, it is the image that they were taken out of.
        """
        running = {each.image for each in self.running if each.is_task}
        if not running and self.files and self.live is not None:
            return [self.live.slug.image]
        return sorted(running)


def troubles_of(evidence: Evidence) -> Sequence[str]:
    """List the faults of one app, a line each; empty when it runs the images of the ledger."""
    lines = [line for each in evidence.running if (line := _foreign(evidence, each))]
    live = evidence.live
    if live is None:
        return lines
    if evidence.promoted not in {None, live.slug.image}:
        lines.append(
            f"{live.label} is {short(live.slug.image)}, and was promoted from"
            f" {short(str(evidence.promoted))}"
        )
    up = {each.place for each in evidence.running if each.version == live.version}
    missing = [str(slot) for slot in evidence.wanted if str(slot) not in up]
    if missing and not evidence.in_between:
        lines.append(f"{', '.join(missing)} of {live.label} does not run")
    return [*lines, *evidence.damaged]


def disagreements(all_of_them: Sequence[Evidence]) -> Sequence[str]:
    """Apps at one commit with slugs of their own: it was built more than once."""
    lines = []
    first: dict[str, Release] = {}
    for evidence in all_of_them:
        live = evidence.live
        if live is None:
            continue
        other = first.setdefault(live.slug.commit, live)
        if other.slug.image != live.slug.image:
            lines.append(
                f"{live.slug.commit.short} is {short(other.slug.image)} in {other.app} and"
                f" {short(live.slug.image)} in {live.app}: it was built twice"
            )
    return lines


def short(image: str) -> str:
    """The first digits of a digest, enough to tell slugs apart."""
    return image.removeprefix("sha256:")[:12]


def _foreign(evidence: Evidence, found: Specimen) -> str:
    """Why this container should not run; empty when it should."""
    named = f"container {found.name} ({found.container[:12]})"
    if found.version is None or not found.place:
        return f"{named} runs {short(found.image)}, and no release says so"
    recorded = evidence.recorded.get(found.version)
    if recorded is None:
        return f"{named} calls itself v{found.version}, and the ledger has no such release"
    if recorded != found.image:
        return (
            f"{named} calls itself {found.place} of v{found.version} and runs"
            f" {short(found.image)}; v{found.version} is {short(recorded)}"
        )
    live = evidence.live.version if evidence.live else None
    expected = found.version in {live, *evidence.shipping} or evidence.changing
    if found.is_task and not expected:
        return f"{named} is {found.place} of v{found.version}, which is not live"
    return ""
