"""Retention: which slugs and dependency layers stay and which go, decided without touching any."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.release import ReleaseStatus

LAYER_REST = timedelta(days=7)
"""How long a dependency layer that no slug needs waits for a build that uses it again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Retention looks at this of a release: ``image`` is its slug's."""

    app: AppName
    version: int
    status: ReleaseStatus
    image: ImageDigest

    def __str__(self) -> str:
        return f"{self.app} v{self.version}"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of ours; ``layer`` is the key of the dependency layer that it is, or stands on.

    ``owner`` is the app by whose build it was made.
    """

    id: ImageDigest
    kind: Literal["slug", "dependencies"]
    layer: str = ""
    owner: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict says whether an image stays, and why."""

    image: StoredImage
    stays: bool
    why: str


@dataclass(frozen=True, slots=True)
class Rule:
    """``keep`` releases of each app stay: the last ones, and the last that ever were live.

    ``apps`` are the ids of all apps: no build comes back for what another one has made.
    """

    keep: int
    now: datetime
    apps: Collection[int] = ()


def verdicts(
    entries: Sequence[Entry],
    images: Sequence[StoredImage],
    in_use: Collection[ImageDigest],
    rule: Rule,
) -> Sequence[Verdict]:
    """Return a verdict for each image: slugs first, so that the layers below can go after them.

    ``entries`` are all releases of every app that has one of these ``images`` in any release.
    ``in_use`` are the images of all containers. Nothing may be building meanwhile: a slug without
    a release goes.
    """
    needed = _needed(entries, in_use, rule.keep)
    former = _by_image(entries)
    slugs = [
        Verdict(image, image.id in needed, needed.get(image.id) or _why_not(former[image.id], rule))
        for image in images
        if image.kind == "slug"
    ]
    layers = {verdict.image.layer for verdict in slugs if verdict.stays}
    return [
        *slugs,
        *(
            _layer_verdict(image, image.layer in layers or image.id in in_use, rule)
            for image in images
            if image.kind == "dependencies"
        ),
    ]


def beyond(entries: Sequence[Entry], keep: int) -> Sequence[ImageDigest]:
    """The slugs of an app's ``entries`` that none of the last ``keep`` has, newest first."""
    newest_first = sorted(entries, key=lambda entry: -entry.version)
    kept = {entry.image for entry in newest_first[:keep]}
    later = (entry.image for entry in newest_first[keep:] if entry.image not in kept)
    return list(dict.fromkeys(later))


def _needed(
    entries: Sequence[Entry], in_use: Collection[ImageDigest], keep: int
) -> Mapping[ImageDigest, str]:
    """Why an image stays, the strongest reason of each."""
    why: dict[ImageDigest, str] = {}
    for entry in entries:
        if entry.status is ReleaseStatus.LIVE:
            why.setdefault(entry.image, f"{entry} is live")
    for image in in_use:
        why.setdefault(image, "a container runs it")
    for entry in entries:
        if entry.status.unfinished:
            why.setdefault(entry.image, f"{entry} is {entry.status}")
    for entry in _recent(entries, keep):
        why.setdefault(entry.image, f"{entry} is one of the last {keep}")
    return why


def _recent(entries: Sequence[Entry], keep: int) -> Iterator[Entry]:
    """The last of each app, and the last that were live: failures do not push these out."""
    by_app: dict[AppName, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: -entry.version):
        by_app[entry.app].append(entry)
    for newest_first in by_app.values():
        yield from newest_first[:keep]
        yield from [entry for entry in newest_first if entry.status.went_live][:keep]


def _by_image(entries: Sequence[Entry]) -> Mapping[ImageDigest, list[Entry]]:
    found: dict[ImageDigest, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.app, -entry.version)):
        found[entry.image].append(entry)
    return found


def _why_not(former: Sequence[Entry], rule: Rule) -> str:
    if not former:
        return "no release has it"
    more = f" and {len(former) - 1} more" if len(former) > 1 else ""
    return f"{former[0]}{more}: behind the last {rule.keep}"


def _layer_verdict(image: StoredImage, needed: bool, rule: Rule) -> Verdict:
    if needed:
        return Verdict(image, True, "a slug that stays stands on it")
    if image.owner is not None and image.owner not in rule.apps:
        return Verdict(image, False, "its app was destroyed")
    if image.created_at is None or rule.now - image.created_at < LAYER_REST:
        return Verdict(image, True, "it is younger than a week")
    return Verdict(image, False, "no slug that stays stands on it")
