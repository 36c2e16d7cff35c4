"""The name of an app's user, for programs that ask the system for it."""

from pathlib import Path

from pushdeploy.run.schedulers.docker_local.accounts import Accounts


def test_each_uid_has_a_name_a_home_and_a_shell(tmp_path: Path) -> None:
    mounts = Accounts(tmp_path / "accounts").mounts("20001:1000", 20001, "/app")
    assert [inside for _, inside in mounts] == ["/etc/passwd", "/etc/group"]
    passwd, group = (Path(outside).read_text() for outside, _ in mounts)
    assert "app:x:20001:1000:app:/app:/bin/sh\n" in passwd
    assert "root:x:0:0:" in passwd
    assert "app:x:1000:\n" in group
    assert "app-disks:x:20001:app\n" in group
    assert all(Path(outside).stat().st_mode & 0o777 == 0o644 for outside, _ in mounts)


def test_what_is_right_already_is_not_written_again(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    before = [Path(path).stat().st_ino for path, _ in accounts.mounts("1:1", 1, "/app")]
    assert [Path(path).stat().st_ino for path, _ in accounts.mounts("1:1", 1, "/app")] == before


def test_an_image_with_a_user_of_its_own_keeps_its_files(tmp_path: Path) -> None:
    assert Accounts(tmp_path).mounts(None, 20001, "/app") == []


def test_a_home_that_takes_no_file_costs_the_name_only(tmp_path: Path) -> None:
    (tmp_path / "accounts").write_text("a file where the directory should be")
    assert Accounts(tmp_path / "accounts").mounts("1:1", 1, "/app") == []
