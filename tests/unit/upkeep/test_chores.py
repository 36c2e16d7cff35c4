"""What nobody asks for goes on, whatever becomes of one chore."""

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.serve import look_after


def test_a_chore_that_fails_keeps_nobody_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    def unforeseen() -> None:
        raise KeyError("SizeRw")

    def down() -> None:
        raise BackendDown("Docker does not answer", "systemctl start docker")

    look_after({"layers": unforeseen, "walls": down, "logs": lambda: done.append("logs")})

    assert done == ["logs"]
    assert "layers: not looked after" in caplog.text
    assert "KeyError" in caplog.text
    assert "walls: not looked after: Docker does not answer" in caplog.text
