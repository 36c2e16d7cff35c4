"""What the installed nginx can do is asked, never assumed."""

from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.route.routers.nginx.program import (
    Features,
    features_of,
    find_program,
    parse_features,
)

DEBIAN = "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.8\nconfigure arguments: --with-cc"


def test_the_version_and_the_modules_are_read_from_its_own_words() -> None:
    assert parse_features(DEBIAN) == Features((1, 22, 1), ("fastcgi", "uwsgi", "scgi"))


def test_a_module_that_is_left_out_gets_no_temp_path() -> None:
    text = DEBIAN + " --without-http_uwsgi_module --without-http_scgi_module"
    assert parse_features(text).temp_paths == ("fastcgi",)


@pytest.mark.parametrize(
    ("version", "can"),
    [((1, 22, 1), False), ((1, 27, 3), False), ((1, 27, 4), True), ((1, 31, 3), True)],
)
def test_idle_clients_are_spared_from_1_27_4_on(version: tuple[int, ...], can: bool) -> None:
    assert Features(version).keepalive_min_timeout is can


def test_a_relative_of_nginx_will_do() -> None:
    assert parse_features("nginx version: openresty/1.27.1.2").version == (1, 27, 1)


def test_the_wheels_nginx_is_found_and_answers() -> None:
    assert features_of(find_program(None)).keepalive_min_timeout


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackendDown, match="no nginx at /"):
        find_program(tmp_path / "nowhere")


def test_a_program_that_is_no_nginx_is_refused() -> None:
    with pytest.raises(BackendDown, match="no nginx"):
        features_of(Path("/bin/true"))
