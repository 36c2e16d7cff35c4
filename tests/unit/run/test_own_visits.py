"""The lines that our own checks leave in access logs, in the forms in which servers write them."""

import pytest

from pushdeploy.run.http_check import AGENT
from pushdeploy.run.own_visits import without_own_visits

OTHER = "[INFO] Listening at: http://0.0.0.0:5000"


@pytest.mark.parametrize(
    "line",
    [
        '172.18.0.1 - - [28/Nov/2026 09:00:00] "GET / HTTP/1.1" 500 -',
        '172.18.0.1 - - [28/Nov/2026 09:00:00] "\x1b[35m\x1b[1mGET / HTTP/1.1\x1b[0m" 500 -',
        'INFO:     172.18.0.1:51334 - "GET / HTTP/1.1" 500 Internal Server Error',
        '[28/Nov/2026 09:00:00] "GET / HTTP/1.1" 500 145',
        "\x1b[0mGET / \x1b[31m500\x1b[0m 1.234 ms - -\x1b[0m",
        f'172.18.0.1 - - [28/Nov/2026] "GET /up HTTP/1.1" 500 265 "-" "{AGENT}"',
        f'{{"path": "/up", "status": 503, "agent": "{AGENT}"}}',
    ],
)
def test_lines_of_our_own_checks_are_left_out(line: str) -> None:
    assert without_own_visits([line, OTHER, line], ["/"]) == [OTHER]


@pytest.mark.parametrize(
    "line",
    [
        '172.18.0.1 - - [28/Nov/2026] "GET /shop HTTP/1.1" 500 -',
        '172.18.0.1 - - [28/Nov/2026] "POST / HTTP/1.1" 500 -',
        "[2026-01-31 04:23:36,465] ERROR in app: Exception on / [GET]",
        f"KeyError: no rule for {AGENT}",
        "GET / is not allowed here",
    ],
)
def test_what_others_did_and_what_the_app_says_stay(line: str) -> None:
    assert without_own_visits([OTHER, line], ["/"]) == [OTHER, line]


def test_a_path_of_a_check_is_the_one_that_was_sent() -> None:
    sent = '"GET /a%20b?c=1 HTTP/1.1" 503'
    assert without_own_visits([sent, OTHER], ["a b?c=1"]) == [OTHER]
    assert without_own_visits([sent, OTHER], []) == [sent, OTHER]


def test_where_there_is_nothing_else_it_is_better_than_nothing() -> None:
    lines = ['"GET / HTTP/1.1" 500 -', "", '"GET / HTTP/1.1" 500 -']
    assert without_own_visits(lines, ["/"]) == lines
