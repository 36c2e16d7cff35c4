"""What the old workers of nginx do while traffic moves, and what that costs."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from pushdeploy.output import Quiet
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.route.routers.nginx.workers import workers_in
from pushdeploy.settings import Address
from tests.web_servers import HOURS, Visitor, WebServer, route_to, websocket

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]


def test_a_visitor_that_idles_through_the_switch_is_answered_on_its_old_connection(
    nginx: Nginx, serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    old, new = serve("old"), serve("new")
    nginx.switch(route_to(old.target), [], 30, Quiet())
    visitor = visit("shop")
    visitor.get()
    kept = visitor.connection.sock
    switching = _in_background(
        lambda: nginx.switch(route_to(new.target), [old.target], 30, Quiet())
    )
    assert until(lambda: any(w.leaving for w in workers_in(tmp_path / "nginx")), 10)
    assert visitor.get()[0] == 200
    assert visitor.connection.sock in {kept, None}
    switching.join(30)
    old.kill()
    assert visitor.get()[2] == "new"


def test_a_websocket_of_another_app_costs_a_switch_five_seconds_at_most_and_is_not_cut(
    nginx: Nginx, serve: Serve, address: Address
) -> None:
    old, new, other = serve("old"), serve("new"), serve("other")
    nginx.routes([route_to(old.target), route_to(other.target, app="chat")])
    with websocket(address, "chat") as talk:
        started = time.monotonic()
        nginx.switch(route_to(new.target), [old.target], HOURS, Quiet())
        # The old workers that it pins may still have had an idle client of the app's.
        assert time.monotonic() - started > 4
        talk.sendall(b"ping")
        assert talk.recv(100) == b"ping"


def _in_background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread
