"""Versions that programs tell are compared with those that are needed."""

from pushdeploy.doctor.checks.docker import MINIMUM_DOCKER
from pushdeploy.domain.finding import check_version


def test_versions_are_compared_as_numbers() -> None:
    def is_ok(said: str | None) -> bool:
        return check_version("git", said, (2, 37), "apt-get install git").ok

    assert is_ok("git version 2.39.5")
    assert is_ok("git version 2.100.0 (Apple)")
    assert not is_ok("git version 2.4.9")
    assert not is_ok("no version at all")
    assert not is_ok(None)


def test_docker_with_debians_suffix_is_new_enough() -> None:
    assert check_version("docker", "20.10.24+dfsg1", MINIMUM_DOCKER, "").ok
    assert not check_version("docker", "19.03.15", MINIMUM_DOCKER, "").ok
