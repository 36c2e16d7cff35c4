"""The stacks of the languages that are installed, as several checks ask for them."""

from pushdeploy.build.language import load_languages
from pushdeploy.build.stacks import Stacks
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.settings import Settings


def stacks_of(engine: Engine, settings: Settings) -> Stacks:
    source, bundle = settings.stack_source, settings.ca_bundle
    return Stacks(engine, source, settings.home, bundle, load_languages())
