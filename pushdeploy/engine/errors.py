"""Errors of docker-py, and of the libraries below it, become ours at this border."""

from collections.abc import Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3

from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError

NOT_ANSWERING_HINT = "start Docker:  systemctl start docker;  pushdeploy doctor checks every part"


_NO_ROOM = "no space left on device"
_MAKES_ROOM = "releases:gc;  docker system df, on the server, shows what takes it"


class Missing(PushdeployError):
    """Docker knows no such container, image, network or path."""


class Conflict(PushdeployError):
    """Docker refuses a call in the present state: a name is taken, or a container does not run."""


@contextmanager
def answering(doing: str) -> Iterator[None]:
    """Raise ours from theirs; ``doing`` completes "Docker could not …"."""
    try:
        yield
    except docker.errors.ImageNotFound as error:
        raise Missing(
            f"Docker could not {doing}: the image is not on this machine",
            "ps:rebuild APP builds it again",
        ) from error
    except docker.errors.NotFound as error:
        raise Missing(f"Docker could not {doing}: {_explanation(error)}") from error
    except docker.errors.APIError as error:
        if _NO_ROOM in _explanation(error):
            raise NoRoom(f"Docker has no room left to {doing}", _MAKES_ROOM) from error
        kind = Conflict if error.status_code == requests.codes.conflict else PushdeployError
        raise kind(f"Docker could not {doing}: {_explanation(error)}") from error
    except (
        docker.errors.DockerException,
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as error:
        raise BackendDown(f"Docker does not answer (to {doing})", NOT_ANSWERING_HINT) from error


def check(response: requests.Response) -> None:
    """Raise docker-py's error when the response is one; reads its body then."""
    try:
        response.raise_for_status()
    except requests.HTTPError as error:
        docker.errors.create_api_error_from_http_exception(error)


def _explanation(error: docker.errors.APIError) -> str:
    return str(error.explanation or error).strip()
