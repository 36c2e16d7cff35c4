"""``complaint`` asks through nginx, as a visitor would, whether an app's tasks answer."""

import http.client
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled
from pushdeploy.domain.names import HostName
from pushdeploy.settings import Address

ERROR_HEADER = "X-Pushdeploy-Error"
"""On the pages that are nginx's own, never on an app's."""

_TOO_SLOW = "nginx answers 504"
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.3
_ANSWER_SECONDS = 70
"""More than nginx itself waits for an app, so that nginx's verdict is heard."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to leave, not to bind


def complaint(
    http_address: Address, hosts: Sequence[HostName], fallen: Cancellation | None = None
) -> str:
    """Empty when a task answers for the first of ``hosts``, whatever it says; else what is wrong.

    Asked up to three times: a task may drop its very first connection. Not any more when nginx has
    waited for an answer as long as it would for a visitor; and an answer is not waited for when
    ``fallen`` says that the task has.
    """
    fallen = fallen or Cancellation()
    said = ""
    for attempt in range(_ATTEMPTS):
        time.sleep(_PAUSE_SECONDS if attempt else 0)
        said = _ask(http_address, hosts[0].replace("*", "probe", 1), fallen)
        if not said or fallen.cancelled or _TOO_SLOW in said:
            return said
    return said


def _ask(http_address: Address, host: str, fallen: Cancellation) -> str:
    where = _ANYWHERE.get(http_address.host, http_address.host)
    connection = http.client.HTTPConnection(where, http_address.port, timeout=_ANSWER_SECONDS)
    try:
        connection.connect()
        with fallen.stopping(lambda: _hang_up(connection.sock)):
            connection.request("GET", "/", headers={"Host": host, "User-Agent": "pushdeploy"})
            answer = connection.getresponse()
    except Cancelled as error:
        return error.message
    except (OSError, http.client.HTTPException) as error:
        return f"nginx did not answer: {error}"
    else:
        code = answer.getheader(ERROR_HEADER)
        return f"nginx answers {code} in its place{_why(answer)}" if code else ""
    finally:
        connection.close()


def _why(page: http.client.HTTPResponse) -> str:
    """The title of nginx's page, which begins with the status."""
    with suppress(OSError, http.client.HTTPException):
        title = page.read(1000).decode(errors="replace").partition("\n")[0].partition(" ")[2]
        return f": {title[:1].lower()}{title[1:]}" if title else ""
    return ""


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
