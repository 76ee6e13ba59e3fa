import os
import re
from pathlib import Path

import pytest

from hydra.store.private_files import (
    RightsTooOpen,
    make_private_folder,
    require_private_file,
    require_private_folder,
)


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def folder_with_rights(path: Path, mode: int) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277, 0o777])
def test_every_folder_made_on_the_way_is_private_i84(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make_private_folder(tmp_path / "state" / "live")
    finally:
        os.umask(before)

    assert rights(tmp_path / "state") == 0o700
    assert rights(tmp_path / "state" / "live") == 0o700


def test_an_empty_folder_of_ours_is_tightened_i84(tmp_path: Path) -> None:
    folder = folder_with_rights(tmp_path / "state", 0o755)

    make_private_folder(folder)

    assert rights(folder) == 0o700


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o777])
def test_a_folder_that_holds_files_and_is_open_to_others_is_refused_i84(
    tmp_path: Path, mode: int
) -> None:
    folder = folder_with_rights(tmp_path / "state", 0o700)
    (folder / "something").touch()
    folder.chmod(mode)

    with pytest.raises(RightsTooOpen, match=f"rights {mode:04o}, wanted 0700: chmod 700 {folder}"):
        make_private_folder(folder)


def test_the_command_that_closes_a_folder_can_be_typed_whatever_its_name_i84(
    tmp_path: Path,
) -> None:
    folder = folder_with_rights(tmp_path / "my state; é", 0o755)
    (folder / "something").touch()

    with pytest.raises(RightsTooOpen, match=re.escape(f": chmod 700 '{folder}'")):
        make_private_folder(folder)


@pytest.mark.parametrize("mode", [0o1777, 0o1700 | 0o5])
def test_nobody_is_told_to_close_a_folder_that_many_use_i84(tmp_path: Path, mode: int) -> None:
    folder = folder_with_rights(tmp_path / "tmp", 0o700)
    (folder / "something").touch()
    folder.chmod(mode)

    with pytest.raises(RightsTooOpen) as refused:
        make_private_folder(folder)

    folder.chmod(0o700)
    assert str(refused.value).endswith(
        ", wanted 0700: others use it, so name a folder of our own, such as one in it"
    )


def test_nobody_is_told_to_close_the_root_folder_i84() -> None:
    with pytest.raises(RightsTooOpen, match=r"wanted 0700: others use it|belongs to user"):
        require_private_folder(Path("/"))


def test_a_folder_that_is_private_is_left_as_it_is_i84(tmp_path: Path) -> None:
    folder = folder_with_rights(tmp_path / "state", 0o700)
    (folder / "something").touch()

    make_private_folder(folder)

    assert [path.name for path in folder.iterdir()] == ["something"]


def test_a_file_in_place_of_a_folder_is_refused_i84(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    with pytest.raises(NotADirectoryError, match="state is not a folder"):
        make_private_folder(tmp_path / "state")


@pytest.mark.parametrize("mode", [0o601, 0o604, 0o640, 0o644, 0o666])
def test_a_file_open_to_others_is_refused_i84(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "trading_state.db"
    path.touch()
    path.chmod(mode)

    with pytest.raises(RightsTooOpen, match=f"rights {mode:04o}, wanted 0600: chmod 600 {path}"):
        require_private_file(path, path.stat())


def test_what_is_not_an_ordinary_file_is_refused_i84(tmp_path: Path) -> None:
    with pytest.raises(RightsTooOpen, match="is not an ordinary file"):
        require_private_file(tmp_path, tmp_path.stat())


def test_what_belongs_to_somebody_else_is_refused_i84(tmp_path: Path) -> None:
    path = tmp_path / "trading_state.db"
    path.touch(mode=0o600)
    facts = list(path.stat())
    facts[4] = os.geteuid() + 1

    with pytest.raises(RightsTooOpen, match=f"belongs to user {os.geteuid() + 1}, wanted"):
        require_private_file(path, os.stat_result(facts))
