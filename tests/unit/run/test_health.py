"""When a task is healthy, decided from values."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pushdeploy.domain.cause import Cause, Mends
from pushdeploy.domain.container import ContainerInfo
from pushdeploy.domain.manifest import ProcessSpec
from pushdeploy.domain.names import ImageDigest, ProcessType
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.domain.task import Slot
from pushdeploy.run.health import (
    CUT_SHORT,
    Answer,
    TooLate,
    Trial,
    complaint,
    death,
    remark,
    trials,
    uptime_of,
    waited_for,
)

WEB1 = Slot(ProcessType("web"), 1)
WORKER1 = Slot(ProcessType("worker"), 1)


def test_web_without_checks_answers_within_the_boot_time_out() -> None:
    (trial,) = trials(WEB1, ProcessSpec("run", 1), 60)
    assert trial.check.path == "/"
    assert (trial.any_answer, trial.limit_seconds, trial.attempts) == (True, 60, None)


def test_other_types_without_checks_stay_up_for_a_second() -> None:
    (trial,) = trials(WORKER1, ProcessSpec("run", 1), 60)
    assert uptime_of(trial.check) == 1.0


def test_checks_of_the_app_take_the_place_of_ours_and_their_own_time() -> None:
    quick = Healthcheck("quick", path="/up", attempts=2, wait_seconds=1, timeout_seconds=1)
    slow = Healthcheck(
        "slow", path="/up", attempts=10, wait_seconds=10, timeout_seconds=5, initial_delay_seconds=7
    )
    first, second = trials(WEB1, ProcessSpec("run", 1, [quick, slow]), 60)
    assert (first.limit_seconds, first.attempts, first.any_answer) == (60, 2, False)
    assert (second.limit_seconds, second.pause_seconds) == (157, 10)


@pytest.mark.parametrize(
    ("check", "seconds"),
    [
        (Healthcheck(), 1.0),
        (Healthcheck(uptime_seconds=5), 5),
        (Healthcheck(path="/up", uptime_seconds=5), None),
        (Healthcheck(command=["true"]), None),
    ],
)
def test_a_check_that_asks_nothing_is_one_of_uptime(
    check: Healthcheck, seconds: float | None
) -> None:
    assert uptime_of(check) == seconds


ANY = Trial(Healthcheck(path="/"), 60, 0.2, any_answer=True)
OWN = Trial(Healthcheck(path="/up", content="ok"), 60, 5, 3)


@pytest.mark.parametrize(
    ("trial", "answer", "said"),
    [
        (ANY, Answer(200), ""),
        (ANY, Answer(302), ""),
        (ANY, Answer(400), ""),
        (ANY, Answer(404), ""),
        (ANY, Answer(500), "status 500"),
        (ANY, Answer(problem="no answer within 10 s"), "no answer within 10 s"),
        (OWN, Answer(200, "all ok"), ""),
        (OWN, Answer(301, "ok"), ""),
        (OWN, Answer(200, "bad"), "/up did not contain 'ok'"),
        (OWN, Answer(404, "ok"), "/up answered with status 404"),
        (OWN, Answer(503, "ok"), "/up answered with status 503"),
    ],
)
def test_answers_are_judged(trial: Trial, answer: Answer, said: str) -> None:
    assert complaint(trial, answer) == said


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (None, "web.1 exited with code 3 before it answered"),
        (Cause("bye", certain=False), "web.1 exited with code 3 before it answered: bye"),
        (
            Cause("SyntaxError: x (a.py, line 1)"),
            "web.1 does not start: SyntaxError: x (a.py, line 1)",
        ),
    ],
)
def test_a_death_is_told_with_its_cause(cause: Cause | None, said: str) -> None:
    assert death(WEB1, _info(state="exited", exit_code=3), cause, "answered") == said


def test_a_container_that_is_gone_was_removed() -> None:
    assert death(WEB1, None, None, "answered") == "web.1 was removed by somebody else"


def test_what_was_waited_for_has_words() -> None:
    assert waited_for(Healthcheck(path="/")) == "answered"
    assert waited_for(Healthcheck()) == "had been up for 1 s"
    assert waited_for(Healthcheck("db", command=["true"])) == "passed its check db"


NAME_ERROR = Cause("NameError: x (a.py, line 5)", Mends.CODE)
DATABASE = Trial(Healthcheck("db", command=["x"]), 60, 5, 3)


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (TooLate(WEB1, ANY, 5000, 60), "web.1 did not answer on port 5000 within 60 s"),
        (
            TooLate(WEB1, ANY, 5000, 60, listens="127.0.0.1 only"),
            "web.1 did not answer on port 5000 within 60 s: it listens on 127.0.0.1 only",
        ),
        (TooLate(WEB1, ANY, 5000, 60, "status 500"), "web.1 answers with status 500"),
        (
            TooLate(WEB1, ANY, 5000, 60, "status 500", NAME_ERROR),
            "web.1 answers with status 500: NameError: x (a.py, line 5)",
        ),
        (
            TooLate(WEB1, ANY, 5000, 60, "no answer within 10 s"),
            "web.1 was not healthy on port 5000 within 60 s: no answer within 10 s",
        ),
        (
            TooLate(WEB1, ANY, 5000, 60, "the connection is closed without an answer", NAME_ERROR),
            (
                "web.1 was not healthy on port 5000 within 60 s: the connection is closed without"
                " an answer: NameError: x (a.py, line 5)"
            ),
        ),
        (TooLate(WEB1, OWN, 5000, 60), "web.1 did not answer on port 5000 within 60 s"),
        (
            TooLate(WEB1, OWN, 5000, 60, "/up answered with status 404"),
            "web.1 did not pass its check default: /up answered with status 404",
        ),
        (
            TooLate(WEB1, DATABASE, 5000, 60, "exit code 1"),
            "web.1 did not pass its check db: exit code 1",
        ),
        (
            TooLate(WEB1, DATABASE, 5000, 60),
            "web.1 did not pass its check db: no attempt ended",
        ),
    ],
)
def test_what_came_too_late_is_told(late: TooLate, said: str) -> None:
    assert late.message() == said


@pytest.mark.parametrize(
    ("late", "words", "retry"),
    [
        (TooLate(WEB1, ANY, 5000, 60), "apps:set shop boot-timeout=", True),
        (TooLate(WEB1, ANY, 5000, 60, listens="127.0.0.1 only"), "0.0.0.0", False),
        (TooLate(WEB1, ANY, 5000, 60, "status 500", NAME_ERROR), "mend it", False),
        (TooLate(WEB1, ANY, 5000, 60, "status 500"), "config or data", True),
        (TooLate(WEB1, ANY, 5000, 60, CUT_SHORT), "only slow", True),
        (TooLate(WEB1, OWN, 5000, 60, "/up answered with status 404"), "mend /up", False),
        (TooLate(WEB1, DATABASE, 5000, 60, "exit code 1"), "app.json", True),
    ],
)
def test_the_hint_fits_the_failure(late: TooLate, words: str, retry: bool) -> None:
    assert words in late.hint("shop")
    assert ("releases:retry shop" in late.hint("shop")) == retry


def _info(**more: Any) -> ContainerInfo:
    facts: dict[str, Any] = {"state": "exited", "exit_code": None, "out_of_memory": False, **more}
    return ContainerInfo(
        id="f" * 64,
        name="one",
        image=ImageDigest("sha256:1"),
        labels={},
        address="",
        created_at=datetime.now(UTC),
        **facts,
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, ""), (302, ""), (500, ""), (404, "404"), (400, "ALLOWED_HOSTS"), (421, "ALLOWED_HOSTS")],
)
def test_what_a_visitor_would_get_instead_of_a_page_is_told(status: int, said: str) -> None:
    (trial,) = trials(WEB1, ProcessSpec("run", 1), 60)
    found = remark(WEB1, trial, Answer(status), "shop.apps.test")
    assert (said in found, bool(found)) == (True, bool(said))
    assert remark(Slot(ProcessType("web"), 2), trial, Answer(status), "shop.apps.test") == ""
