"""Pure functions read from nginx's facts about a request how it ended."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pushdeploy.domain.router_line import Code

Cause = Literal["", "unconnected", "silent", "broken", "malformed"]
"""Why nginx gave a task up: it took no connection in time, or said nothing for too long; it broke
off; its answer is no HTTP."""

_TROUBLE = re.compile(rb"^\S+ \S+ \[[a-z]+\] (\d+)#\d+: \*(\d+) (.*)")

_CAUSES: Sequence[tuple[re.Pattern[str], Cause]] = [
    (re.compile(r"upstream timed out .*while connecting to upstream"), "unconnected"),
    (re.compile(r"upstream timed out"), "silent"),
    (re.compile(r"upstream sent"), "malformed"),
    (re.compile(r"upstream prematurely closed|(?:recv|readv|read)\(\) failed"), "broken"),
]

_PAGES = {
    "maintenance": Code.H80,
    "empty": Code.H81,
    "stopped": Code.H14,
    "held": Code.H20,
}
"""Our own pages with status 503, by the name of their file."""

_ALONE = {408: Code.H28, 421: Code.H31, 500: Code.H99}
"""What nginx says without having asked a task."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A line of an app's log has these, each under the name that shared/log.conf gives it.

    ``asked`` are the addresses that nginx has tried, ``connects`` the seconds that each took, None
    where there was no connection. ``page`` is that of ours which was shown, ``own`` tells whether
    the answer is a page of ours at all, perhaps from behind a hold. ``whole``: the visitor has got
    all of it. ``connection`` is nginx's number for the visitor's connection.
    """

    at: float
    method: str
    path: str
    host: str
    request_id: str
    client: str
    status: int
    size_bytes: int
    protocol: str
    asked: Sequence[str] = ()
    connects: Sequence[float | None] = ()
    service_seconds: float | None = None
    page: str = ""
    own: bool = False
    whole: bool = True
    connection: tuple[int, int] = (0, 0)
    cause: Cause = ""

    @property
    def connect_seconds(self) -> float | None:
        """Tell how long it took to reach a task, or a holder where nothing else was asked."""
        tried = self.connects_to_tasks or self.connects
        made = [seconds for seconds in tried if seconds is not None]
        return made[-1] if made else None

    @property
    def connects_to_tasks(self) -> Sequence[float | None]:
        """Return those of ``connects`` that lead to no socket of ours."""
        every = zip(self.asked, self.connects, strict=False)
        return [seconds for address, seconds in every if not address.startswith("unix:")]

    @property
    def task(self) -> str:
        """The address of the task that was asked last, empty where what is behind is not known."""
        if not self.asked or (self.asked[-1].startswith("unix:") and not self.own):
            return ""
        return next((each for each in reversed(self.asked) if not each.startswith("unix:")), "")


def code_of(facts: Facts) -> Code | None:
    """Tell what went wrong; None where the app has answered, whatever it says."""
    if facts.status == 499:
        return Code.H27
    if facts.own:
        return _code_of_page(facts)
    if not facts.asked and facts.status in _ALONE:
        return _ALONE[facts.status]
    return None if facts.status == 101 else _code_of_part(facts)


def parse_facts(line: bytes) -> Facts | None:
    """Read a line of an app's log; None for one that is damaged, or that is no request."""
    try:
        read = json.loads(line.decode("utf-8", "replace"))
        return _facts(read)
    except (ValueError, KeyError, TypeError):
        return None


def parse_trouble(line: bytes) -> tuple[tuple[int, int], Cause] | None:
    """Read what nginx says of a request that is about to end: whose connection, and the cause."""
    match = _TROUBLE.match(line)
    if not match:
        return None
    words = match[3].decode("utf-8", "replace").partition(", client: ")[0]
    cause = next((cause for pattern, cause in _CAUSES if pattern.search(words)), None)
    return ((int(match[1]), int(match[2])), cause) if cause else None


def caused(facts: Facts, causes: dict[tuple[int, int], Cause]) -> Facts:
    """The facts with what nginx has said of them before, which is used up."""
    cause = causes.pop(facts.connection, "")
    return replace(facts, cause=cause) if cause else facts


def _code_of_page(facts: Facts) -> Code | None:
    match facts.status:
        case 503:
            return _PAGES.get(facts.page or "held")
        case 504:
            return Code.H19 if _never_connected(facts) else Code.H12
        case 502 if _never_connected(facts):
            return Code.H19 if facts.cause == "unconnected" else Code.H10
        case 502:
            malformed = facts.cause == "malformed" or facts.page == "502-large"
            return Code.H17 if malformed else Code.H13
    return None


def _never_connected(facts: Facts) -> bool:
    """No task took the connection. What is behind our own sockets has said so already."""
    return all(seconds is None for seconds in facts.connects_to_tasks)


def _code_of_part(facts: Facts) -> Code | None:
    """The answer had begun: who has ended it? nginx has a word for it where it was the app."""
    match facts.cause:
        case "silent":
            return Code.H15
        case "broken":
            return Code.H18
        case "malformed":
            return Code.H17
    return None if facts.whole else Code.H27


def _facts(read: Mapping[str, Any]) -> Facts:
    asked, connects = _listed(read["asked"]), _listed(read["connect"])
    services = [seconds for seconds in map(_seconds, _listed(read["service"])) if seconds]
    return Facts(
        at=float(read["at"]),
        method=read["method"],
        path=read["path"],
        host=read["host"],
        request_id=read["id"],
        client=read["client"],
        status=int(read["status"]),
        size_bytes=int(read["bytes"]),
        protocol=read["scheme"],
        asked=asked,
        connects=[_seconds(text) for text in connects],
        service_seconds=sum(services) if asked else None,
        page=read["page"],
        own=bool(read["own"]),
        whole=read["whole"] == "OK",
        connection=(int(read["pid"]), int(read["connection"])),
    )


def _listed(text: str) -> Sequence[str]:
    """Split what nginx writes of several upstreams: by commas, by colons after a redirect."""
    return [part for part in re.split(r",\s*|\s+:\s+", text) if part] if text else []


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
