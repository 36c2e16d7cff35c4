"""A push: what arrived over git, before anything was built."""

from dataclasses import dataclass

from pushdeploy.domain.names import AppName, CommitId, KeyName


@dataclass(frozen=True, slots=True)
class Push:
    """``old`` is the commit that the client believes the ref to be at, None for a new ref."""

    app: AppName
    ref: str
    old: CommitId | None
    commit: CommitId
    by: KeyName

    @property
    def branch(self) -> str:
        return self.ref.removeprefix("refs/heads/")
