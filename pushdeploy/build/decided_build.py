"""A build that has been decided on is a value: it says what the image tells, and the slug."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pushdeploy.build.app_json import AppJson
from pushdeploy.build.containers import OWNER_LABEL, ROLE_LABEL
from pushdeploy.build.keys import KeyPrefix
from pushdeploy.build.language import Language, Plan
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.processes import ProcessCommands
from pushdeploy.build.publishing import published_folder
from pushdeploy.build.stack_definitions import path_of
from pushdeploy.build.stacks import Stack
from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.entrypoints import takes_commands
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import WEB
from pushdeploy.domain.published import PublishedFolder
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source


@dataclass(frozen=True, slots=True)
class Part:
    """A part is the plan of one language for an app."""

    language: Language
    plan: Plan


@dataclass(frozen=True, slots=True)
class DecidedBuild:
    """``parts`` are built in their order; the last is that of the app's main language.

    ``stack`` is None where the app brings its own image; ``environment`` is the build's.
    """

    app_id: int
    key: str
    key_prefix: KeyPrefix
    source: Source
    parts: Sequence[Part]
    stack: Stack | None
    processes: ProcessCommands
    facts: AppJson
    environment: Mapping[str, str]

    @property
    def stack_name(self) -> str:
        return self.stack.name if self.stack else ""

    @property
    def builder(self) -> str:
        return self.parts[-1].language.name

    @property
    def published(self) -> PublishedFolder | None:
        main = self.parts[-1].plan
        publication = main.publishes if isinstance(main, LayeredPlan) else None
        return published_folder(publication) if publication else None

    @property
    def is_only_a_folder(self) -> bool:
        """Tell whether nothing of the slug is ever needed but the folder that its build makes."""
        main = self.parts[-1].plan
        publication = main.publishes if isinstance(main, LayeredPlan) else None
        makes_it = publication is not None and bool(publication.command)
        return makes_it and not self.processes.types and self.processes.release is None

    def layered(self) -> Sequence[tuple[Language, LayeredPlan]]:
        """The parts that are layers on a stack: all, or none."""
        return [
            (part.language, part.plan) for part in self.parts if isinstance(part.plan, LayeredPlan)
        ]

    def slug_environment(self) -> Mapping[str, str]:
        """Return the image's environment beside its stack's; the main language's goes first."""
        plans = [plan for _language, plan in self.layered()]
        paths = [path for plan in reversed(plans) for path in plan.paths]
        made = {"PATH": path_of(paths)} if paths else {}
        for plan in plans:
            made |= plan.environment
        return made

    def labels(self) -> Mapping[str, str]:
        """Return the labels by which the image tells of itself."""
        return {
            ROLE_LABEL: "slug",
            OWNER_LABEL: str(self.app_id),
            "pushdeploy.slug": self.key,
            "pushdeploy.commit": self.source.commit,
            "pushdeploy.tree": self.source.tree,
            "pushdeploy.builder": self.builder,
            "pushdeploy.stack": self.stack_name,
            "pushdeploy.process-types": json.dumps(dict(self.processes.types), sort_keys=True),
            "org.opencontainers.image.revision": self.source.commit,
        }

    def notices(self, image: ImageInfo) -> Sequence[str]:
        """Tell how the Procfile's commands run in an image with an entrypoint."""
        commands = [*self.processes.types.values(), self.processes.release or ""]
        if self.stack is not None or not image.entrypoint or not any(commands):
            return []
        if takes_commands(image.entrypoint):
            entrypoint = shlex.join(image.entrypoint)
            return [f"commands of the Procfile are handed to the image's ENTRYPOINT: {entrypoint}"]
        dropped = (
            "the shell form of ENTRYPOINT takes no command: those of the Procfile run in its place"
        )
        return [f'{dropped}; ENTRYPOINT ["program"] would get them']

    def slug(self, image: ImageInfo, now: datetime) -> Slug:
        """Raise ``BuildFailed`` when web would start the image's own command and it has none."""
        ours = self.stack is not None
        if not ours and not self.processes.types.get(WEB, "-"):
            _require_command(image)
        return Slug(
            image=image.id,
            key=self.key,
            commit=self.source.commit,
            tree=self.source.tree,
            builder=self.builder,
            stack=self.stack_name,
            process_types=self.processes.types,
            release_command=self.processes.release,
            runs_as="app" if ours else "image",
            size_bytes=image.size_bytes,
            created_at=now,
            port=None if ours or not image.exposed_ports else image.exposed_ports[0],
            checks=self.facts.checks(),
            formation=self.facts.quantities(),
            published=self.published,
        )


def _require_command(image: ImageInfo) -> None:
    if not image.command and not image.entrypoint:
        raise BuildFailed(
            "the image has neither CMD nor ENTRYPOINT, so nobody knows what to start",
            "add a CMD to the Dockerfile, or a Procfile",
        )
