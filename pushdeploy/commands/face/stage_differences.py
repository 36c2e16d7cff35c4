"""Differences of two stages are shown to people and programs. Config values never come here."""

from collections.abc import Sequence

from pushdeploy.domain.comparison import Comparison, Difference
from pushdeploy.domain.history import Commit, Divergence
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Release
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.output import columns
from pushdeploy.reads.pipelines import StageDifference

_MOST_SHOWN = 20
"""Commits of a direction; JSON has more."""


def tell_difference(output: Output, difference: StageDifference) -> None:
    comparison, divergence = difference.comparison, difference.divergence
    source, target = comparison.source, comparison.target
    names = f"{source.app} {_label(source.live)} → {target.app} {_label(target.live)}"
    output.headline(f"{names}: {_verdict(comparison, divergence)}")
    _tell_commits(output, f"only in {source.app}", divergence.ahead)
    _tell_commits(output, f"only in {target.app}", divergence.behind)
    _tell(output, "Procfile", comparison.processes, source.app, target.app)
    _tell(output, "formation", comparison.formation, source.app, target.app)
    _tell_config(output, comparison)
    _tell(output, "disks", comparison.disks, source.app, target.app)
    _tell(output, "built with", comparison.builder, source.app, target.app)
    _tell_slug(output, comparison)


def difference_json(difference: StageDifference) -> dict[str, object]:
    comparison, divergence = difference.comparison, difference.divergence
    source, target = comparison.source, comparison.target
    return {
        "source": _side_json(str(source.app), source.live),
        "target": _side_json(str(target.app), target.live),
        "up_to_date": comparison.same,
        "same_slug": comparison.same_slug,
        "ahead": [_commit_json(commit) for commit in divergence.ahead],
        "behind": [_commit_json(commit) for commit in divergence.behind],
        "complete": divergence.complete,
        "processes": _differences_json(comparison.processes),
        "formation": _differences_json(comparison.formation),
        "disks": _differences_json(comparison.disks),
        "built_with": _differences_json(comparison.builder),
        "config": {
            "source_only": list(comparison.config_source_only),
            "target_only": list(comparison.config_target_only),
            "different": list(comparison.config_different),
        },
        "release_command": comparison.release_command,
    }


def _verdict(comparison: Comparison, divergence: Divergence) -> str:
    if comparison.target.live is None:
        return "nothing is live there yet"
    if comparison.same:
        return "up to date"
    if comparison.same_slug:
        return "the same slug"
    return divergence.summary or "the same commit, another slug"


def _tell_commits(output: Output, title: str, commits: Sequence[Commit]) -> None:
    if not commits:
        return
    output.detail(f"commits {title}:")
    rows = [
        (commit.id.short, f"{commit.at:%Y-%m-%d %H:%M}", commit.author, commit.subject)
        for commit in commits[:_MOST_SHOWN]
    ]
    for line in columns(rows):
        output.detail(f"  {line}")
    if len(commits) > _MOST_SHOWN:
        output.detail(f"  … and {len(commits) - _MOST_SHOWN} more")


def _tell(
    output: Output, title: str, differences: Sequence[Difference], source: str, target: str
) -> None:
    if not differences:
        return
    output.detail(f"{title}:")
    for each in differences:
        output.detail(f"  {each.name}")
        output.detail(f"    {source}: {_or_nothing(each.source)}")
        output.detail(f"    {target}: {_or_nothing(each.target)}")


def _tell_config(output: Output, comparison: Comparison) -> None:
    lines = [
        (f"only in {comparison.source.app}", comparison.config_source_only),
        (f"only in {comparison.target.app}", comparison.config_target_only),
        ("different values", comparison.config_different),
    ]
    shown = [f"  {title}: {', '.join(names)}" for title, names in lines if names]
    if shown:
        output.detail("\n".join(["config:", *shown]))


def _tell_slug(output: Output, comparison: Comparison) -> None:
    """What a promotion brings; nothing where the slug is there already."""
    live, former = comparison.source.live, comparison.target.live
    if live is None or comparison.same_slug:
        return
    size = about_bytes(live.slug.size_bytes)
    before = f", now {about_bytes(former.slug.size_bytes)}" if former else ""
    output.detail(f"slug: {size}{before}")
    output.detail(f"release command: {live.slug.release_command or 'none'}")


def _label(live: Release | None) -> str:
    return f"{live.label} {live.slug.commit.short}" if live else "-"


def _or_nothing(text: str | None) -> str:
    if text is None:
        return "-"
    return text or "(what the image starts)"


def _side_json(app: str, live: Release | None) -> dict[str, object]:
    return {
        "app": app,
        "version": live.version if live else None,
        "commit": str(live.slug.commit) if live else None,
        "slug": str(live.slug.image) if live else None,
        "slug_bytes": live.slug.size_bytes if live else None,
    }


def _commit_json(commit: Commit) -> dict[str, object]:
    return {
        "commit": str(commit.id),
        "at": commit.at,
        "author": commit.author,
        "subject": commit.subject,
    }


def _differences_json(differences: Sequence[Difference]) -> list[dict[str, object]]:
    return [
        {"name": each.name, "source": each.source, "target": each.target} for each in differences
    ]
