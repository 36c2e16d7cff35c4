"""A one-off: a command that is run once, in a container of its own beside the tasks of an app."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pushdeploy.domain.manifest import Manifest

TIMED_OUT = 124
"""The exit code of a command that was stopped at its time-out, as timeout(1) has it."""


@dataclass(frozen=True, slots=True)
class OneOff:
    """``command`` goes to a shell, ``environment`` beside that of the manifest.

    ``name`` becomes DYNO (``release.17``, ``run.9157``). Without ``timeout_seconds`` it may take
    for ever. ``beside`` may name the container of a task whose network it is to share: one of its
    own takes longer to make than everything else.
    """

    manifest: Manifest
    command: str
    name: str
    timeout_seconds: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    beside: str = ""
