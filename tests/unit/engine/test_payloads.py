"""What Docker is sent and what it says, without Docker."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pushdeploy.domain.container import ISOLATED, ContainerSpec, ImageChange
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine.payloads import (
    IMAGE_LABEL,
    INSTANCE_LABEL,
    commit_config,
    container_info,
    container_request,
    image_info,
    import_changes,
    label_filter,
    moment,
    restart_policy,
    split_tag,
)


def test_a_container_is_asked_for_with_everything_that_its_spec_says() -> None:
    spec = ContainerSpec(
        image="slug:1",
        name="one",
        labels={"a": "b"},
        command=["run"],
        entrypoint=[],
        environment={"B": "2", "A": "1=1"},
        user="20001:1000",
        groups=[20001],
        working_dir="/app",
        mounts=[("/disk", "/data")],
        read_only_mounts=[("/hook", "/run/hook")],
        memory_bytes=1024,
        cpus=0.5,
        cpu_shares=256,
        pids=50,
        tty=True,
        open_stdin=True,
        capabilities=["CHOWN"],
        stop_grace_seconds=7,
    )
    assert container_request(spec, "abc", "bridge-abc") == {
        "Image": "slug:1",
        "Labels": {"a": "b", INSTANCE_LABEL: "abc"},
        "Env": ["A=1=1", "B=2"],
        "User": "20001:1000",
        "WorkingDir": "/app",
        "Tty": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "StopTimeout": 7,
        "Cmd": ["run"],
        "Entrypoint": [],
        "HostConfig": {
            "Init": True,
            "NetworkMode": "bridge-abc",
            "LogConfig": {"Type": "local", "Config": {"max-size": "5m", "max-file": "3"}},
            "RestartPolicy": {"Name": "no"},
            "GroupAdd": ["20001"],
            "SecurityOpt": ["no-new-privileges"],
            "CapDrop": ["ALL"],
            "CapAdd": ["CHOWN"],
            "Mounts": [
                {"Type": "bind", "Source": "/disk", "Target": "/data", "ReadOnly": False},
                {"Type": "bind", "Source": "/hook", "Target": "/run/hook", "ReadOnly": True},
            ],
            "Memory": 1024,
            "MemorySwap": 1024,
            "NanoCpus": 500_000_000,
            "CpuShares": 256,
            "PidsLimit": 50,
        },
    }


def test_what_a_spec_leaves_open_is_the_images_own() -> None:
    request = container_request(ContainerSpec("slug:1", "one", {}), "abc", "net")
    assert not {"Cmd", "Entrypoint"} & set(request)
    assert not {"Memory", "MemorySwap", "NanoCpus", "PidsLimit"} & set(request["HostConfig"])
    assert (request["User"], request["WorkingDir"]) == ("", "")


def test_no_container_ever_publishes_a_port_or_takes_another_instances_label() -> None:
    spec = ContainerSpec("slug:1", "one", {INSTANCE_LABEL: "somebody"}, network="none")
    request = container_request(spec, "abc", "none")
    assert request["Labels"] == {INSTANCE_LABEL: "abc"}
    assert request["HostConfig"]["NetworkMode"] == "none"
    assert "Dns" not in request["HostConfig"]
    assert "PortBindings" not in request["HostConfig"]
    assert "Privileged" not in request["HostConfig"]


def test_an_isolated_container_has_a_resolver_that_asks_nobody() -> None:
    spec = ContainerSpec("slug:1", "one", {}, network=ISOLATED)
    config = container_request(spec, "abc", "net-isolated")["HostConfig"]
    assert (config["NetworkMode"], config["Dns"]) == ("net-isolated", ["127.0.0.1"])
    assert config["DnsOptions"] == ["timeout:1", "attempts:1"]


def test_a_commit_blots_out_whose_container_it_was() -> None:
    change = ImageChange({"commit": "c"}, {"PATH": "/bin"}, "/app", "1000")
    assert commit_config(change, "abc") == {
        "Labels": {"commit": "c", IMAGE_LABEL: "abc", INSTANCE_LABEL: ""},
        "Env": ["PATH=/bin"],
        "WorkingDir": "/app",
        "User": "1000",
    }


def test_an_import_quotes_what_a_dockerfile_would_expand() -> None:
    change = ImageChange({"text": 'a "b" $c \\'}, {"PATH": "/bin"}, "/app", "1000")
    assert import_changes(change, "abc") == [
        f'LABEL "{IMAGE_LABEL}"="abc"',
        'LABEL "text"="a \\"b\\" \\$c \\\\"',
        'ENV PATH="/bin"',
        "WORKDIR /app",
        "USER 1000",
    ]
    with pytest.raises(PushdeployError, match="newline"):
        import_changes(ImageChange({"text": "a\nRUN evil"}), "abc")


@pytest.mark.parametrize(
    ("state", "exit_code"),
    [("created", None), ("running", None), ("restarting", 3), ("exited", 3), ("dead", 3)],
)
def test_an_exit_code_is_known_once_it_has_ended(state: str, exit_code: int | None) -> None:
    info = container_info(_inspected(state))
    assert (info.state, info.exit_code) == (state, exit_code)


def test_a_container_is_read_from_an_inspection() -> None:
    info = container_info(_inspected("running"))
    assert info.name == "one"
    assert info.labels == {"a": "b"}
    assert info.address == "10.208.0.2"
    assert info.created_at == datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert info.out_of_memory
    assert info.kept
    assert info.restarts == 2


def _inspected(state: str) -> dict[str, Any]:
    return {
        "Id": "f" * 64,
        "Name": "/one",
        "Image": "sha256:1",
        "Created": "2026-01-02T03:04:05.678901234Z",
        "Config": {"Labels": {"a": "b"}},
        "State": {"Status": state, "ExitCode": 3, "OOMKilled": True},
        "RestartCount": 2,
        "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}},
        "NetworkSettings": {"Networks": {"x": {"IPAddress": ""}, "y": {"IPAddress": "10.208.0.2"}}},
    }


def test_an_image_is_read_from_an_inspection() -> None:
    info = image_info(
        {
            "Id": "sha256:1",
            "Size": 9,
            "RepoTags": None,
            "Config": {
                "Labels": None,
                "Cmd": ["serve"],
                "Entrypoint": None,
                "ExposedPorts": {"8080/tcp": {}, "53/udp": {}, "80/tcp": {}},
                "User": "nobody",
                "WorkingDir": "/srv",
            },
        }
    )
    assert (info.tags, info.labels, info.command, info.entrypoint) == ((), {}, ("serve",), ())
    assert (info.exposed_ports, info.user, info.working_dir) == ((80, 8080), "nobody", "/srv")


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-01-02T03:04:05Z", 0),
        ("2026-01-02T03:04:05.1Z", 100_000),
        ("2026-01-02T03:04:05.123456789Z", 123_456),
        ("2026-01-02T04:04:05.123456789+01:00", 123_456),
    ],
)
def test_moments_of_any_precision_are_read(text: str, microsecond: int) -> None:
    assert moment(text) == datetime(2026, 1, 2, 3, 4, 5, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("slug", ("slug", "latest")),
        ("slug:7", ("slug", "7")),
        ("host:5000/a/slug", ("host:5000/a/slug", "latest")),
        ("host:5000/a/slug:7", ("host:5000/a/slug", "7")),
    ],
)
def test_a_tag_is_what_follows_the_last_colon_of_the_last_part(
    reference: str, parts: tuple[str, str]
) -> None:
    assert split_tag(reference) == parts


def test_small_things() -> None:
    assert label_filter({"a": "b", "c": ""}) == ["a=b", "c"]
    assert restart_policy(always=True) == {"Name": "unless-stopped"}
    assert restart_policy(always=False) == {"Name": "no"}
