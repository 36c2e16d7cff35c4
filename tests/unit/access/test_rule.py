"""The rule of access: closed to what it does not know."""

from typing import cast

import pytest

from pushdeploy.access.rule import Role, allows
from pushdeploy.domain.names import AppName
from pushdeploy.domain.need import Need


@pytest.mark.parametrize("need", ["anyone", "read", "change", "admin"])
@pytest.mark.parametrize("app", [None, AppName("shop")])
def test_an_admin_may_do_everything(need: Need, app: AppName | None) -> None:
    assert allows("admin", need, app)


@pytest.mark.parametrize("need", [None, "", "destroy", "ADMIN"])
def test_a_need_that_is_unknown_or_left_out_is_refused(need: str | None) -> None:
    assert not allows("admin", cast("Need | None", need), None)


@pytest.mark.parametrize("role", [None, "", "guest"])
def test_a_role_that_is_unknown_is_refused(role: str | None) -> None:
    assert not allows(cast("Role", role), "anyone", None)
