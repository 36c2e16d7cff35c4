"""What Docker answers becomes ours at the border."""

import docker.errors
import pytest
import requests

from pushdeploy.domain.errors import NoRoom
from pushdeploy.engine.errors import answering


@pytest.mark.parametrize("status", [500, 409])
def test_a_docker_without_room_is_no_riddle(status: int) -> None:
    response = requests.Response()
    response.status_code = status
    said = "write /var/lib/docker/tmp/x: no space left on device"
    refusal = docker.errors.APIError("500", response, said)
    room = pytest.raises(NoRoom, match="Docker has no room left to create shop")
    with room as caught, answering("create shop"):
        raise refusal
    assert "releases:gc" in caught.value.hint
