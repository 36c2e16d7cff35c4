"""Python apps are known by their dependency files; uv installs what those name."""

from pushdeploy.build.languages.python.language import LANGUAGE

__all__ = ["LANGUAGE"]
