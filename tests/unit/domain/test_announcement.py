"""What is told of a release that has gone live: its address only where that answers."""

from collections.abc import Mapping

import pytest

from pushdeploy.domain.announcement import announced
from pushdeploy.domain.names import ProcessType
from tests.unit.samples import app, release, slug


@pytest.mark.parametrize(
    ("types", "formation", "stopped", "headline", "warnings"),
    [
        ({"web": "w"}, {}, False, "shop v1 is live: ADDRESS", []),
        ({"web": "w"}, {}, True, "shop v1 is released, but shop is stopped", ["ps:start shop"]),
        ({"web": "w"}, {"web": 0}, False, "without web", ["ps:scale shop web=1"]),
        ({"worker": "w"}, {"worker": 1}, False, "without web", ["web: COMMAND"]),
        ({"Web": "w"}, {}, False, "without web", ["says Web: did you mean web?"]),
        ({"web": "w", "Web": "v"}, {}, False, "is live: ADDRESS", []),
        ({"web": "w", "RELEASE": "r"}, {}, False, "is live", ["did you mean release?"]),
        ({"WEB": "w", "Release": "r"}, {}, False, "without web", ["mean web?", "mean release?"]),
    ],
)
def test_the_address_is_told_where_it_answers_else_what_to_type(
    types: Mapping[str, str],
    formation: Mapping[str, int],
    stopped: bool,
    headline: str,
    warnings: list[str],
) -> None:
    found = announced(
        app(
            stopped=stopped,
            formation={ProcessType(kind): count for kind, count in formation.items()},
        ),
        release(
            slug(
                process_types={ProcessType(kind): text for kind, text in types.items()},
                release_command=None,
                formation={},
            )
        ),
        "ADDRESS",
    )
    assert headline in found.headline
    assert len(found.warnings) == len(warnings)
    for told, expected in zip(found.warnings, warnings, strict=True):
        assert expected in told
