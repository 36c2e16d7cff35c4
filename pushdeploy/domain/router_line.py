"""A router line tells what became of one request, in the form that Heroku's router has."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

ROUTER = "router"
"""The place that router lines come from, where those of tasks come from ``web.1``."""

_PLAIN = re.compile(r"[A-Za-z0-9._:/+=*\[\]-]*")


class Code(Enum):
    """A code of Heroku's says why the app has not answered a request as it should."""

    H10 = "App crashed"
    H12 = "Request timeout"
    H13 = "Connection closed without response"
    H14 = "No web processes running"
    H15 = "Idle connection"
    H17 = "Poorly formatted HTTP response"
    H18 = "Server Request Interrupted"
    H19 = "Backend connection timeout"
    H20 = "App boot timeout"
    H27 = "Client Request Interrupted"
    H28 = "Client Connection Idle"
    H31 = "Misdirected Request"
    H80 = "Maintenance mode"
    H81 = "Blank app"
    H99 = "Platform error"


_CLIENTS = frozenset({Code.H27, Code.H28, Code.H31})
"""What clients do: nobody has to mend the app."""


@dataclass(frozen=True, slots=True)
class RouterLine:
    """``at`` is when the answer was over. ``place`` is ``web.1``, empty where no task is known.

    ``connect_seconds`` and ``service_seconds`` are None where no task was asked.
    """

    at: datetime
    method: str
    path: str
    host: str
    request_id: str
    client: str
    place: str
    connect_seconds: float | None
    service_seconds: float | None
    status: int
    size_bytes: int
    protocol: str
    code: Code | None = None

    def __str__(self) -> str:
        """``at=info method=GET path="/" host=… request_id=… fwd="…" dyno=web.1 …``."""
        return " ".join(
            [
                *_verdict(self.code),
                f"method={_word(self.method)}",
                f"path={_quoted(self.path)}",
                f"host={_word(self.host)}",
                f"request_id={_word(self.request_id)}",
                f"fwd={_quoted(self.client)}",
                f"dyno={self.place}",
                f"connect={_milliseconds(self.connect_seconds)}",
                f"service={_milliseconds(self.service_seconds)}",
                f"status={self.status}",
                f"bytes={self.size_bytes}",
                f"protocol={_word(self.protocol)}",
            ]
        )


def _verdict(code: Code | None) -> list[str]:
    if code is None:
        return ["at=info"]
    level = "warning" if code in _CLIENTS else "error"
    return [f"at={level}", f"code={code.name}", f"desc={_quoted(code.value)}"]


def _word(text: str) -> str:
    """Without quotes where nothing in it could be taken for the next field."""
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{round(seconds * 1000)}ms"
