"""``pushdeploy init``: what it makes, what it keeps, what it writes for systemd."""

import configparser
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pushdeploy.cli import main
from pushdeploy.domain.errors import UserError
from pushdeploy.founding import settings_text
from pushdeploy.instance import Home, create_instance, read_instance
from pushdeploy.settings import Settings, load_settings


def init(home: Path, *words: str) -> Result:
    result = CliRunner().invoke(main, ["init", "--home", str(home), *words])
    assert result.exit_code == 0, result.output
    return result


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_makes_a_home_that_nobody_else_reads(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    init(home.root)
    assert {mode(path) for path in home.directories} == {0o700}
    secret = (home.host_key, home.database, home.settings_file)
    assert {mode(path) for path in secret} == {0o600}


def test_init_again_keeps_what_is_there(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    init(home.root)
    home.settings_file.write_text('domain = "apps.example.com"\n')
    kept = (home.instance_file, home.host_key, home.settings_file)
    before = [path.read_bytes() for path in kept]
    said = init(home.root).output
    assert before == [path.read_bytes() for path in kept]
    assert "kept" in said


def test_init_closes_a_home_that_others_could_read(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir(mode=0o755)
    init(home.root)
    assert mode(home.root) == 0o700


def test_two_homes_have_instances_of_their_own(tmp_path: Path) -> None:
    assert create_instance(tmp_path / "one") != create_instance(tmp_path / "two")


def test_a_damaged_instance_file_is_refused(tmp_path: Path) -> None:
    create_instance(tmp_path)
    Home(tmp_path).instance_file.write_text("not an id\n")
    with pytest.raises(UserError, match="does not hold an instance id"):
        read_instance(tmp_path)


def test_the_settings_file_is_all_comments_and_each_may_be_uncommented() -> None:
    text = settings_text(load_settings())
    assert tomllib.loads(text) == {}
    assignments = [line.removeprefix("# ") for line in text.splitlines() if " = " in line]
    values = tomllib.loads("\n".join(assignments))
    assert set(values) == set(Settings.model_fields) - {"home"}
    load_settings(**values)
    without = {name for name, field in Settings.model_fields.items() if field.default is None}
    defaults = {name: value for name, value in values.items() if name not in without}
    assert load_settings(**defaults) == load_settings()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_comment_of_a_setting_says_more_than_its_name(name: str) -> None:
    words = set(re.findall(r"[a-z]+", str(Settings.model_fields[name].description).lower()))
    assert len(words - set(name.split("_"))) >= 3
    assert str(Settings.model_fields[name].description).endswith(".")


def test_what_was_set_at_init_is_written_into_the_settings_file() -> None:
    text = settings_text(load_settings(domain="apps.example.com", task_cpus=1.5))
    assert tomllib.loads(text) == {"domain": "apps.example.com", "task_cpus": 1.5}


def test_the_unit_leaves_apps_and_nginx_alone(tmp_path: Path) -> None:
    unit_path = tmp_path / "pushdeploy.service"
    said = init(tmp_path / "a home", "--systemd", "--unit-path", str(unit_path)).output
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(unit_path)
    assert unit["Service"]["KillMode"] == "process"
    assert unit["Service"]["Restart"] == "always"
    assert "docker.service" in unit["Unit"]["After"]
    assert unit["Service"]["ExecStart"] == f'"{sys.executable}" -m pushdeploy serve'
    assert f'"PUSHDEPLOY_HOME={tmp_path}/a home"' in unit_path.read_text()
    assert "systemctl enable --now pushdeploy" in said


HIDES_MOUNTS = re.compile(
    r"^(MountFlags|PrivateDevices|PrivateTmp|Protect\w+|ReadOnlyPaths|ReadWritePaths|BindPaths"
    r"|InaccessiblePaths|TemporaryFileSystem|RootDirectory|DynamicUser|PrivateMounts=(?!no))",
    re.MULTILINE,
)
"""Each of these gives a service mounts of its own (systemd.exec(5)): Docker would not see disks."""


def test_the_unit_is_hardened_with_nothing_that_hides_disks_from_docker(tmp_path: Path) -> None:
    unit_path = tmp_path / "pushdeploy.service"
    init(tmp_path / "home", "--systemd", "--unit-path", str(unit_path))
    text = unit_path.read_text()
    assert HIDES_MOUNTS.findall(text) == []
    assert HIDES_MOUNTS.findall("PrivateTmp=yes\nPrivateMounts=yes\nProtectSystem=full\n")
    for line in ("NoNewPrivileges=yes", "LimitCORE=0", "RestrictRealtime=yes"):
        assert f"\n{line}\n" in text
    dropped = " ".join(re.findall(r"^CapabilityBoundingSet=~(.*)", text, re.MULTILINE)).split()
    assert "CAP_SYS_BOOT" in dropped
    assert not {"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_LINUX_IMMUTABLE"} & set(dropped)


def complaints(unit: Path) -> list[str]:
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return [line for line in said.splitlines() if unit.name in line]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit_path = tmp_path / "pushdeploy.service"
    init(tmp_path / "a home%", "--systemd", "--unit-path", str(unit_path))
    assert complaints(unit_path) == []
    unit_path.write_text(unit_path.read_text().replace("NoNewPrivileges", "NoNewPrivileg"))
    assert "NoNewPrivileg" in complaints(unit_path)[0]


def test_a_unit_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "pushdeploy.service"
    result = CliRunner().invoke(
        main, ["init", "--home", str(tmp_path / "home"), "--systemd", "--unit-path", str(path)]
    )
    assert result.exit_code == 1
    assert str(path) in result.stderr
    assert "--unit-path" in result.stderr


def test_the_module_is_the_same_program(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pushdeploy", "version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == CliRunner().invoke(main, ["version"]).output
