"""An app's own Dockerfile is checked, built by the engine, and its failures are made clear."""

from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.environment import listed_environment
from pushdeploy.build.execution import Underway
from pushdeploy.build.languages.dockerfile.build_secrets import listed_for
from pushdeploy.build.languages.dockerfile.checking import check_images, text_as_sent
from pushdeploy.build.languages.dockerfile.features import clearer_failures, refuse_unknown
from pushdeploy.build.own_image import WantedImage
from pushdeploy.build.tree import Tree
from pushdeploy.domain.container import BuildOptions
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.ports.engine import Engine

DOCKERFILE = "Dockerfile"


def build_image(
    wanted: WantedImage, engine: Engine, settings: BuildSettings, underway: Underway
) -> ImageDigest:
    """Raise ``BuildFailed`` for a Dockerfile that reaches for another app's images, or does not
    build.
    """
    reader = underway.source.reader
    text = text_as_sent(Tree.of(reader), DOCKERFILE)
    tool = engine.build_tool()
    refuse_unknown(text, tool)
    listed = listed_for(text, listed_environment(wanted.config), tool)
    for notice in listed.notices:
        underway.output.detail(f"note: {notice}")
    check_images(text, listed.arguments, engine)
    options = BuildOptions(
        labels=wanted.labels,
        arguments=listed.arguments,
        secrets=listed.secrets,
        memory_bytes=settings.memory_bytes,
        cpus=settings.cpus,
        timeout_seconds=settings.timeout_seconds,
        ca_bundle=settings.ca_bundle,
        scope=wanted.scope,
        cached_from=wanted.cached_from,
    )
    hear, cancellation = underway.output.detail, underway.cancellation
    with reader.archive() as context, clearer_failures(text):
        return engine.build(context, DOCKERFILE, wanted.tag, options, hear, cancellation)
