"""Jinja2 is used here only: a template prints, Python decides."""

from collections.abc import Callable
from pathlib import Path

import jinja2

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.resources import search_path


class Templates:
    """``Templates`` render templates/ with the operator's own in front.

    Unknown variables are errors.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._environment = jinja2.Environment(
            loader=_FirstWins([str(path) for path in search_path("templates", home)]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=jinja2.select_autoescape(["html"]),
        )

    def render(self, name: str, /, **values: object) -> str:
        """Render the template ``name``, relative to templates/, as in ``nginx/app.conf``."""
        try:
            return self._environment.get_template(name).render(**values)
        except (jinja2.TemplateError, UnicodeDecodeError) as error:
            raise PushdeployError(
                f"template {name} cannot be rendered: {error}", "correct it under <home>/templates"
            ) from error


class _FirstWins(jinja2.FileSystemLoader):
    """Notices also a file of the operator's that appears in front of a shipped one."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        source, path, unchanged = super().get_source(environment, template)
        return source, path, lambda: unchanged() and self._first(template) == Path(path)

    def _first(self, template: str) -> Path | None:
        places = (Path(directory, template) for directory in self.searchpath)
        return next((place for place in places if place.is_file()), None)
