"""The command lines and queries of builds, and which docker program can do them."""

from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.domain.container import BuildOptions
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.engine.buildkit import build_command, find_client, refuse_heeded
from pushdeploy.engine.builds import classic_parameters

OPTIONS = BuildOptions({"commit": "c"}, {"TOKEN": "secret", "A": "1"}, memory_bytes=64, cpus=0.5)


def test_values_of_build_arguments_stay_off_the_command_line() -> None:
    command = build_command("docker", "web/Dockerfile", "slug:1", {"mine": "x"}, OPTIONS)
    assert command == [
        "docker",
        "build",
        "--progress=plain",
        *["-f", "web/Dockerfile"],
        *["-t", "slug:1"],
        *["--label", "commit=c", "--label", "mine=x"],
        *["--build-arg", "A", "--build-arg", "TOKEN"],
        "-",
    ]


def test_secrets_are_named_on_the_command_line_and_told_nowhere() -> None:
    options = replace(OPTIONS, arguments={}, secrets={"LD_PRELOAD": "/app/x.so"})
    command = build_command("docker", "Dockerfile", "slug:1", {}, options)
    assert command[-3:] == ["--secret", "id=LD_PRELOAD,env=PUSHDEPLOY_SECRET_LD_PRELOAD", "-"]
    assert "/app/x.so" not in " ".join(command)
    assert "/app/x.so" not in repr(options)


def test_a_scope_names_what_may_be_found_again() -> None:
    command = build_command("docker", "Dockerfile", "slug:1", {}, replace(OPTIONS, scope="word"))
    assert command[-5:] == [
        *["--add-host", "cache-word:127.0.0.1"],
        *["--build-arg", "BUILDKIT_CACHE_MOUNT_NS"],
        "-",
    ]
    parameters = classic_parameters("Dockerfile", "slug:1", "abc", replace(OPTIONS, scope="word"))
    assert parameters["cachefrom"] == '["pushdeploy/no-such-image"]'


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "DOCKER_CONFIG", "DOCKER_HOST", "BUILDKIT_SYNTAX", "PATH"]
)
def test_what_the_docker_program_would_heed_is_no_build_argument(name: str) -> None:
    with pytest.raises(BuildFailed, match=f"{name} cannot be an argument"):
        refuse_heeded({"A": "1", name: "x"})


def test_other_names_are_build_arguments() -> None:
    names = ["TOKEN", "HOMEPAGE", "MY_DOCKER_TAG", "LDAP_URL", "GOOGLE_KEY", "MY_BUILDKIT_SYNTAX"]
    refuse_heeded(dict.fromkeys(names, "x"))


def test_the_classic_builder_is_told_the_limits() -> None:
    assert classic_parameters("Dockerfile", "slug:1", "abc", OPTIONS) == {
        "t": "slug:1",
        "dockerfile": "Dockerfile",
        "rm": 1,
        "forcerm": 1,
        "labels": '{"commit": "c", "pushdeploy.made-by": "abc"}',
        "buildargs": '{"TOKEN": "secret", "A": "1"}',
        "memory": 64,
        "memswap": 64,
        "cpuperiod": 100_000,
        "cpuquota": 50_000,
    }


@pytest.mark.parametrize(
    ("version", "buildx", "usable"),
    [
        ("Docker version 20.10.24+dfsg1, build 297e128", False, True),
        ("Docker version 28.2.2, build e6534b4", False, False),
        ("Docker version 28.2.2, build e6534b4", True, True),
        ("Docker version 18.06.0, build x", False, False),
        ("podman version 4.3.1", False, False),
    ],
)
def test_a_client_needs_buildx_or_to_be_from_before_23(
    version: str, buildx: bool, usable: bool, tmp_path: Path
) -> None:
    program = tmp_path / "docker"
    answer = "exit 0" if buildx else "exit 1"
    program.write_text(f'#!/bin/sh\n[ "$1" = buildx ] && {answer}\necho "{version}"\n')
    program.chmod(0o755)
    assert find_client([str(program), str(tmp_path / "none")]) == (str(program) if usable else None)
