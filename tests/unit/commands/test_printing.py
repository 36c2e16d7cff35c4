"""What a person without a terminal sees: heads and remarks on stderr, data alone on stdout."""

from datetime import UTC, datetime, timedelta

import pytest

from pushdeploy.commands.face.printing import ago
from tests.unit.commands.machine import SHOP, Machine

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3 * 3600 + 5, "3 h ago"),
        (47 * 3600, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (-7300, "in 2 h"),
        (-5, "just now"),
    ],
)
def test_an_age_is_told_in_the_unit_that_a_person_would_use(seconds: int, said: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == said


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("apps:list", "apps:create shop"),
        ("pipelines", "pipelines:create shop"),
        ("ps shop", "ps:scale"),
        ("releases shop", "git push"),
        ("config:show shop", "config:set shop KEY=VALUE"),
        ("config:keys shop", "config:set shop KEY=VALUE"),
        ("disks:list shop", "disks:attach shop data /data"),
        ("disks:snapshots shop", "disks:snapshot shop"),
    ],
)
def test_an_empty_list_says_on_stderr_what_would_fill_it(
    machine: Machine, line: str, remedy: str
) -> None:
    if "shop" in line:
        machine.store.apps.create(SHOP)
    answer = machine.type(line)
    assert (answer.status, answer.out) == (0, "")
    assert remedy in answer.errors
    assert not machine.type(f"{line} --format json").json


def test_heads_go_to_stderr_and_lines_up_with_the_data(machine: Machine) -> None:
    machine.live()
    answer = machine.type("ps shop")
    assert answer.errors.index("release") == answer.out.index("v1")
    assert "process" not in answer.out


def test_the_default_host_is_shown_as_a_url_with_its_port(machine: Machine) -> None:
    machine.live()
    assert "http://shop.apps.test:8080" in machine.type("apps:info shop").out
    assert machine.type("apps:info shop --format json").json["urls"] == [
        "http://shop.apps.test:8080"
    ]


def test_a_record_on_a_terminal_goes_on_below_itself_and_breaks_no_word(machine: Machine) -> None:
    live = machine.live()
    lines = machine.type("apps:info shop", terminal="xterm").out.replace("\r", "").splitlines()
    slug = next(line for line in lines if line.startswith("slug:"))
    assert slug.endswith(live.slug.image)
    (settings,) = [index for index, line in enumerate(lines) if line.startswith("settings:")]
    assert lines[settings + 1].startswith(" " * lines[settings].index("deploy-branch"))
    assert all(len(line) <= 80 for line in lines if line != slug)
    words = {word for line in lines for word in line.split()}
    assert words == set(machine.type("apps:info shop").out.split())
