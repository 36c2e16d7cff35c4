"""What the tests of holding look at: who waits, who was answered, what is left."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from pushdeploy.domain.names import AppName
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.router import Nginx
from tests.web_servers import Crowd, Visitor, WebServer

Serve = Callable[[str], WebServer]
Visit = Callable[[str], Visitor]
SHOP = AppName("shop")


def waiting(router: Nginx, count: int, app: AppName = SHOP) -> bool:
    """Whether ``count`` requests come to wait."""

    def arrived() -> bool:
        held = router._holds.find(app)
        return held is not None and held.waiting == count

    return until(arrived, 20)


def answered_by(crowd: Crowd, name: str) -> bool:
    return crowd.answers[name] > 50


def waiting_at_least(router: Nginx, count: int) -> bool:
    def arrived() -> bool:
        held = router._holds.find(SHOP)
        return held is not None and held.waiting >= count

    return until(arrived, 20)


def memory_kilobytes(router: Nginx) -> int:
    held = router._holds.find(SHOP)
    assert held is not None
    status = Path(f"/proc/{held.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def firewall(router: Nginx) -> str:
    """Its rules for those that may reach nobody."""
    words = ["iptables", "-w", "-S", router._firewall._chain]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout
