"""Several go on when all of them have arrived, or none of them does."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.locks.together import Together

SECONDS = 20


def test_all_go_on_when_the_last_has_arrived() -> None:
    together = Together(3)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(together.arrive), pool.submit(together.arrive)
        assert not first.done()
        assert not second.done()
        together.arrive()
        first.result(SECONDS)
        second.result(SECONDS)


def test_nobody_goes_on_where_one_gives_up() -> None:
    together = Together(3)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(together.arrive)
        together.give_up("shop failed")
        together.give_up("store failed")
        with pytest.raises(PushdeployError, match="not switched: shop failed"):
            waiting.result(SECONDS)
    with pytest.raises(PushdeployError, match="not switched: shop failed"):
        together.arrive()


def test_who_gives_up_when_all_have_arrived_holds_nobody_back() -> None:
    together = Together(1)
    together.arrive()
    together.give_up("shop failed")
