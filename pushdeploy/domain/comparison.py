"""A comparison shows the changes that a promotion would make, and the differences of two stages.

Never a config value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.formation import quantities
from pushdeploy.domain.names import RELEASE, AppName, ProcessType
from pushdeploy.domain.release import Release


@dataclass(frozen=True, slots=True)
class Side:
    """A side is an app of the comparison, with its live release and its next one's config."""

    app: AppName
    live: Release | None
    config: Mapping[str, str] = field(repr=False)
    disks: Sequence[Attachment]
    scaled: Mapping[ProcessType, int]

    @property
    def commands(self) -> Mapping[str, str]:
        """Return the commands of the Procfile, ``release`` among the process types."""
        if self.live is None:
            return {}
        slug = self.live.slug
        release = {str(RELEASE): slug.release_command} if slug.release_command else {}
        return {**{str(kind): command for kind, command in slug.process_types.items()}, **release}

    @property
    def formation(self) -> Mapping[str, str]:
        """Return the process types that run at all; a type of which none runs is as good as
        absent.
        """
        if self.live is None:
            return {}
        slug = self.live.slug
        counts = quantities(slug.process_types, self.scaled, slug.formation)
        return {str(kind): str(count) for kind, count in counts.items() if count}


@dataclass(frozen=True, slots=True)
class Difference:
    """Two stages have different values under one name; None where a side has no value."""

    name: str
    source: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison is made of a source with a target. ``config_*`` are names of config vars."""

    source: Side
    target: Side
    processes: Sequence[Difference]
    formation: Sequence[Difference]
    disks: Sequence[Difference]
    builder: Sequence[Difference]
    config_source_only: Sequence[str]
    config_target_only: Sequence[str]
    config_different: Sequence[str]

    @property
    def same_slug(self) -> bool:
        one, other = self.source.live, self.target.live
        return one is not None and other is not None and one.slug.image == other.slug.image

    @property
    def release_command(self) -> str | None:
        """Return the command that a promotion would run in the target before its traffic moves."""
        if self.source.live is None or self.same_slug:
            return None
        return self.source.live.slug.release_command

    @property
    def same(self) -> bool:
        """Tell whether nothing at all differs."""
        lists = (self.processes, self.formation, self.disks, self.builder)
        config = (self.config_source_only, self.config_target_only, self.config_different)
        return self.same_slug and not any(lists) and not any(config)


def compare(source: Side, target: Side) -> Comparison:
    ours, theirs = source.config, target.config
    return Comparison(
        source=source,
        target=target,
        processes=_differences(source.commands, target.commands) if target.live else (),
        formation=_differences(source.formation, target.formation) if target.live else (),
        disks=_differences(_mounted(source), _mounted(target)),
        builder=_differences(_made_with(source), _made_with(target)) if target.live else (),
        config_source_only=sorted(ours.keys() - theirs.keys()),
        config_target_only=sorted(theirs.keys() - ours.keys()),
        config_different=sorted(k for k in ours.keys() & theirs.keys() if ours[k] != theirs[k]),
    )


def _differences(source: Mapping[str, str], target: Mapping[str, str]) -> Sequence[Difference]:
    """By name: what is not the same on both sides."""
    return [
        Difference(name, source.get(name), target.get(name))
        for name in sorted(source.keys() | target.keys())
        if source.get(name) != target.get(name)
    ]


def _mounted(side: Side) -> Mapping[str, str]:
    return {str(attachment.disk): attachment.mount_path for attachment in side.disks}


def _made_with(side: Side) -> Mapping[str, str]:
    if side.live is None:
        return {}
    return {"builder": side.live.slug.builder, "stack": side.live.slug.stack}
