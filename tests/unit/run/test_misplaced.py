"""A process that has settled in a wrong place is told apart from one that has not come yet."""

import pytest

from pushdeploy.run.misplaced import (
    ELSEWHERE_SECONDS,
    LOOPBACK_SECONDS,
    TOLD_SECONDS,
    Settling,
    Sight,
    Socket,
)

EVERYWHERE: Socket = ("0.0.0.0", 8000)
DEBUGGER: Socket = ("127.0.0.1", 5678)
OWN: Socket = ("127.0.0.1", 5000)
LONG = 60


def settled(*sights: tuple[float, Sight]) -> Settling:
    settling = Settling(5000)
    for now, sight in sights:
        settling.see(sight, now)
    return settling


def stays(sight: Sight, seconds: float) -> Settling:
    return settled((100, sight), (100 + seconds, sight))


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([EVERYWHERE], "0.0.0.0:8000"),
        ([DEBUGGER], "127.0.0.1:5678"),
        ([OWN], "127.0.0.1:5000"),
        ([("::1", 5000)], "[::1]:5000"),
        ([EVERYWHERE, DEBUGGER], "0.0.0.0:8000, 127.0.0.1:5678"),
    ],
)
def test_what_stays_in_a_wrong_place_is_told_soon(places: list[Socket], said: str) -> None:
    assert stays(Sight(places), TOLD_SECONDS / 2).complaint == ""
    assert stays(Sight(places), TOLD_SECONDS).complaint == (
        f"listens on {said} but must listen on 0.0.0.0:$PORT (5000)"
    )


@pytest.mark.parametrize("places", [[], [("0.0.0.0", 5000)], [OWN, ("::", 5000)]])
def test_nobody_and_the_right_place_are_nothing_to_tell(places: list[Socket]) -> None:
    settling = stays(Sight(places), LONG)
    assert (settling.complaint, settling.is_final) == ("", False)


def test_its_own_port_for_itself_alone_is_final_after_a_while() -> None:
    sight = Sight([OWN], calls=True)
    assert not stays(sight, LOOPBACK_SECONDS - 1).is_final
    assert stays(sight, LOOPBACK_SECONDS).is_final


def test_an_idle_server_where_frameworks_listen_unasked_is_final_after_a_while() -> None:
    sight = Sight([EVERYWHERE])
    assert not stays(sight, ELSEWHERE_SECONDS - 1).is_final
    assert stays(sight, ELSEWHERE_SECONDS).is_final


@pytest.mark.parametrize("places", [[DEBUGGER], [("0.0.0.0", 9100)], [DEBUGGER, EVERYWHERE]])
def test_a_debugger_or_metrics_are_waited_for_until_the_time_is_over(places: list[Socket]) -> None:
    assert not stays(Sight(places), LONG).is_final


def test_one_that_works_or_waits_for_another_is_given_all_its_time() -> None:
    working = [(second, Sight([EVERYWHERE], worked_seconds=0.5 * second)) for second in range(LONG)]
    assert not settled(*working).is_final
    assert not stays(Sight([EVERYWHERE], calls=True), LONG).is_final
    assert settled(*working, (LONG + 20, Sight([EVERYWHERE], worked_seconds=30))).is_final


@pytest.mark.parametrize("places", [[OWN], [("::1", 5000)], [EVERYWHERE]])
def test_what_will_end_the_boot_is_not_told_before(places: list[Socket]) -> None:
    settling = Settling(5000)
    for now in range(LONG):
        settling.see(Sight(places), now)
        assert not settling.is_worth_a_word
    assert settling.is_final


@pytest.mark.parametrize(
    ("sight", "seconds"),
    [
        (Sight([DEBUGGER]), TOLD_SECONDS),
        (Sight([("0.0.0.0", 9100)]), TOLD_SECONDS),
        (Sight([EVERYWHERE], calls=True), ELSEWHERE_SECONDS),
    ],
)
def test_what_is_waited_for_is_told_of(sight: Sight, seconds: float) -> None:
    assert not stays(sight, seconds - 1).is_worth_a_word
    assert stays(sight, seconds).is_worth_a_word
    assert stays(sight, LONG).is_worth_a_word


def test_whoever_moves_begins_anew() -> None:
    moved = settled(
        (0, Sight([OWN])), (3, Sight([OWN])), (4, Sight([EVERYWHERE])), (5, Sight([EVERYWHERE]))
    )
    assert (moved.complaint, moved.is_final) == ("", False)
