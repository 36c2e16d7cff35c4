"""A file beside the site describes it: static.json, or a static service of render.yaml."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pushdeploy.domain.static.headers import HeaderBlock
from pushdeploy.domain.static.pattern import Pattern
from pushdeploy.domain.static.redirects import Redirect


@dataclass(frozen=True, slots=True)
class Description:
    """``file`` says it. None where it says nothing of a thing; ``spa`` shows one page for every
    address without a file; ``error_page`` is relative to the folder.
    """

    file: str = ""
    clean_urls: bool | None = None
    spa: bool | None = None
    error_page: str = ""
    redirects: Sequence[Redirect] = ()
    headers: Sequence[HeaderBlock] = ()


def description_text(description: Description) -> str:
    """Write one line of JSON, which is kept with the slug; empty for one that says nothing."""
    if description == Description(description.file):
        return ""
    rules = [[rule.source.text, rule.to, rule.status] for rule in description.redirects]
    headers = [[block.path.text, *block.values[0]] for block in description.headers]
    return json.dumps(
        {
            "file": description.file,
            "clean_urls": description.clean_urls,
            "spa": description.spa,
            "error_page": description.error_page,
            "redirects": rules,
            "headers": headers,
        }
    )


def description_of(text: str) -> Description:
    """Read what was kept; it says nothing where that is empty or damaged."""
    try:
        stored: dict[str, Any] = json.loads(text) if text else {}
        file = str(stored.get("file", ""))
        rules = [
            Redirect(Pattern(source), to, status, file=file)
            for source, to, status in stored.get("redirects", [])
        ]
        headers = [
            HeaderBlock(Pattern(path), ((name, value),))
            for path, name, value in stored.get("headers", [])
        ]
        return Description(
            file,
            stored.get("clean_urls"),
            stored.get("spa"),
            str(stored.get("error_page", "")),
            rules,
            headers,
        )
    except (ValueError, TypeError, AttributeError):
        return Description()
