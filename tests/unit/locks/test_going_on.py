"""Work beside the lock of an app is ended from outside."""

import threading
from contextlib import ExitStack

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName
from pushdeploy.locks.going_on import GoingOn

SHOP = AppName("shop")
BLOG = AppName("blog")


def test_what_goes_on_is_ended_by_app_and_waited_for() -> None:
    going_on, begun = GoingOn(), threading.Barrier(3)
    cancellations = {app: Cancellation() for app in (SHOP, BLOG)}

    def work(app: AppName) -> None:
        with going_on.noted(app, cancellations[app]), ExitStack() as waiting:
            over = threading.Event()
            waiting.enter_context(cancellations[app].stopping(over.set))
            begun.wait(10)
            assert over.wait(10)

    threads = {app: threading.Thread(target=work, args=[app]) for app in cancellations}
    for thread in threads.values():
        thread.start()
    begun.wait(10)
    going_on.cancel("the app is being destroyed", SHOP)
    threads[SHOP].join(10)
    assert [threads[app].is_alive() for app in (SHOP, BLOG)] == [False, True]
    going_on.cancel("the server is being stopped", timeout_seconds=0)
    threads[BLOG].join(10)
    assert not threads[BLOG].is_alive()
    going_on.cancel("nobody is there")
