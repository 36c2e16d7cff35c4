"""Python apps: versions, dependency files, Django."""

from pushdeploy.build.languages.python.language import LANGUAGE

__all__ = ["LANGUAGE"]
