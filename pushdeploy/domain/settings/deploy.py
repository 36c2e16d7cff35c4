"""These settings of an app decide how a new version of it goes live."""

from dataclasses import dataclass, field

from pushdeploy.domain.settings.setting import DAY, HOUR, Affects, branch, seconds, switch


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """``deploy_branch`` None: see ``deploy_branch_of``.

    ``watch_seconds``: how long after it went live a release is told of processes that end;
    ``push_waits``: whoever asked for the release waits so long.
    """

    deploy_branch: str | None = field(
        default=None,
        metadata=branch(
            "deploy-branch",
            "the branch that deploys",
            Affects.NOTHING,
            unset="main, or that of the first push",
        ),
    )
    release_timeout_seconds: int = field(
        default=HOUR,
        metadata=seconds("release-timeout", "of the release command", Affects.RELEASE, 1, 7 * DAY),
    )
    watch_seconds: int = field(
        default=10,
        metadata=seconds("watch", "of a new release's processes", Affects.RELEASE, 0, HOUR),
    )
    push_waits: bool = field(
        default=False,
        metadata=switch("push-waits", "for the end of that watch", Affects.RELEASE),
    )
