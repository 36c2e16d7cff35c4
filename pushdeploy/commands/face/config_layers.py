"""Config vars lie in two layers: those of an app, and below them those that all apps share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from pushdeploy.commands.face.arguments import find_app
from pushdeploy.commands.face.command import Command
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.store import Store

GLOBAL = "--global"
_ALL_APPS = "(all apps)"
_Body = TypeVar("_Body", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Layer:
    """``app`` None: the layer that all apps share."""

    app: App | None

    @property
    def name(self) -> str:
        """Return the layer's name as it is typed after a command."""
        return GLOBAL if self.app is None else str(self.app.name)

    def own(self, store: Store) -> Mapping[str, str]:
        """Return the vars of this layer."""
        return store.config.shared() if self.app is None else store.config.get(self.app.name)

    def whole(self, store: Store) -> Mapping[str, str]:
        """Return the vars of this layer with those below it."""
        return store.config.shared() if self.app is None else store.config.whole(self.app.name)


class LayerCommand(Command):
    """Takes ``--global`` in the place of an app."""

    def words_of(self, rest: str, app: str | None) -> list[str]:
        """``--global`` wins over an app that a client has put before the command by itself."""
        return super().words_of(rest, None if GLOBAL in rest.split() else app)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        words = args[: args.index("--")] if "--" in args else args
        return super().parse_args(ctx, [_ALL_APPS, *args] if GLOBAL in words else args)


def layer_argument(body: _Body) -> _Body:
    """``app``: a ``Layer``; for a ``LayerCommand``."""
    option = click.option(
        GLOBAL, is_flag=True, expose_value=False, help="The vars that all apps share."
    )
    argument = click.argument("app", callback=_layer, metavar="APP|--global")
    return argument(option(body))


def _layer(context: click.Context, parameter: click.Parameter, text: str) -> Layer:
    del parameter
    request: Request = context.obj
    return Layer(None if text == _ALL_APPS else find_app(request.store, text))
