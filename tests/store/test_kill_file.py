"""What is seen of a kill file, whatever has been put in its place."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra.store.kill_file import read_kill_file
from hydra.trading.kill_switch import CONTENT_BYTES_MAX, Absent, Sight, Unreadable, Written

SOMEBODY = 12345
ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


def no_pause() -> None:
    """Nobody writes to the file meanwhile."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def kill_file(folder: Path) -> Path:
    return folder / "kill_switch"


def seen(path: Path) -> Sight:
    return read_kill_file(path, no_pause)


def reason(path: Path) -> str:
    sight = seen(path)
    assert isinstance(sight, Unreadable)
    return sight.reason


def test_no_file_in_a_folder_of_ours_is_nothing_there_i07(kill_file: Path) -> None:
    assert seen(kill_file) == Absent()


@pytest.mark.parametrize(
    "content", [b"close_only\n", b"halt_all", b"", b"\x00\xff", b"x" * CONTENT_BYTES_MAX]
)
def test_what_stands_in_the_file_is_given_as_it_is_i07(kill_file: Path, content: bytes) -> None:
    kill_file.write_bytes(content)

    assert seen(kill_file) == Written(content)


def make_large(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 30)


def link_to_a_word(path: Path) -> None:
    path.with_name("elsewhere").write_text("close_only")
    path.symlink_to(path.with_name("elsewhere"))


def bind_socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # a socket's whole path may have a hundred characters only
    try:
        with socket.socket(socket.AF_UNIX) as ours:
            ours.bind(path.name)
    finally:
        os.chdir(before)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a folder": (lambda path: path.mkdir(), "is a folder, wanted an ordinary file"),
    "a pipe": (os.mkfifo, "is a pipe, wanted an ordinary file"),
    "a socket": (bind_socket, "is a socket, wanted an ordinary file"),
    "a link": (link_to_a_word, "is a link, wanted the file itself"),
    "a dangling link": (
        lambda path: path.symlink_to("nowhere"),
        "is a link, wanted the file itself",
    ),
    "a link to itself": (
        lambda path: path.symlink_to(path.name),
        "is a link, wanted the file itself",
    ),
    "1 GB": (make_large, "has 1073741824 bytes, wanted a word of at most 64"),
    "one byte too many": (
        lambda path: path.write_bytes(b"x" * 65),
        "has 65 bytes, wanted a word of at most 64",
    ),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_no_small_ordinary_file_is_not_believed_and_not_waited_for_i07(
    kill_file: Path, what: str
) -> None:
    put, words = ODD[what]
    put(kill_file)

    assert reason(kill_file) == words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_not_opened_i07(kill_file: Path) -> None:
    os.mknod(kill_file, 0o600 | 0o020000, os.makedev(1, 5))  # as /dev/zero, which never ends

    assert reason(kill_file) == "is a device, wanted an ordinary file"


def remove(folder: Path) -> None:
    folder.rmdir()


def replace_by_file(folder: Path) -> None:
    folder.rmdir()
    folder.touch()


def replace_by_dangling_link(folder: Path) -> None:
    folder.rmdir()
    folder.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (remove, "No such file or directory"),
        (replace_by_file, "Not a directory"),
        (replace_by_dangling_link, "No such file or directory"),
    ],
)
def test_that_a_folder_is_gone_does_not_mean_no_kill_i07(
    folder: Path, kill_file: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(folder)

    assert reason(kill_file) == (
        f"is in a folder that cannot be read ({words}), wanted {folder} to be ours"
    )


@pytest.mark.parametrize("rights", [0o720, 0o702, 0o777, 0o1777])
@pytest.mark.parametrize("word", [None, "close_only"])
def test_a_folder_that_others_can_change_does_not_say_what_is_there_i07_i84(
    folder: Path, kill_file: Path, rights: int, word: str | None
) -> None:
    if word is not None:
        kill_file.write_text(word)

    folder.chmod(rights)

    assert reason(kill_file) == (
        f"is in {folder}, which has rights {rights:04o}, so others can take it away; "
        "wanted a folder that only we can write to"
    )


@pytest.mark.parametrize("rights", [0o700, 0o750, 0o755, 0o500])
def test_a_folder_that_others_can_only_read_is_ours_i07(
    folder: Path, kill_file: Path, rights: int
) -> None:
    folder.chmod(rights)

    assert seen(kill_file) == Absent()


@pytest.mark.parametrize("word", [None, "close_only"])
@ONLY_ROOT
def test_a_folder_of_somebody_else_does_not_say_what_is_there_i07(
    folder: Path, kill_file: Path, word: str | None
) -> None:
    if word is not None:
        kill_file.write_text(word)
    os.chown(folder, SOMEBODY, -1)

    assert reason(kill_file) == (
        f"is in {folder}, which belongs to user {SOMEBODY}, wanted 0, who runs this"
    )


@ONLY_ROOT
def test_a_file_of_somebody_else_is_not_believed_i07_i84(kill_file: Path) -> None:
    kill_file.write_text("close_only")
    os.chown(kill_file, SOMEBODY, -1)

    assert reason(kill_file) == f"belongs to user {SOMEBODY}, wanted 0, who runs this"


def test_a_file_that_others_can_change_is_not_believed_i07_i84(
    folder: Path, kill_file: Path
) -> None:
    kill_file.write_text("close_only")
    kill_file.chmod(0o664)

    in_a_closed_folder = seen(kill_file)
    folder.chmod(0o755)
    in_an_open_one = reason(kill_file)

    assert in_a_closed_folder == Written(b"close_only")
    assert in_an_open_one == (f"has rights 0664, so others can change it: chmod go-w {kill_file}")


@pytest.fixture
def bound_by_rights() -> Iterator[Path]:
    """A folder of a user whom rights bind: root becomes one for as long as the test lasts."""
    folder = Path(tempfile.mkdtemp())
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, SOMEBODY, -1)
        os.seteuid(SOMEBODY)
    yield folder
    if is_root:
        os.seteuid(0)
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_file_that_we_may_not_read_is_not_believed_i07(bound_by_rights: Path) -> None:
    kill_file = bound_by_rights / "kill_switch"
    kill_file.write_text("close_only")

    kill_file.chmod(0)

    assert reason(kill_file) == "cannot be read (Permission denied)"


@pytest.mark.parametrize("rights", [0o000, 0o300])
def test_a_folder_that_we_may_not_read_does_not_mean_no_kill_i07(
    bound_by_rights: Path, rights: int
) -> None:
    bound_by_rights.chmod(rights)

    assert reason(bound_by_rights / "kill_switch") == (
        "is in a folder that cannot be read (Permission denied), wanted "
        f"{bound_by_rights} to be ours"
    )


def test_a_folder_that_we_may_not_search_does_not_mean_no_kill_i07(bound_by_rights: Path) -> None:
    bound_by_rights.chmod(0o600)

    assert reason(bound_by_rights / "kill_switch") == "cannot be read (Permission denied)"


@pytest.mark.parametrize("path", ["/", ".", ".."])
def test_a_path_that_names_a_folder_is_not_believed_i07(path: str) -> None:
    assert isinstance(seen(Path(path)), Unreadable)


def test_a_name_that_no_file_can_have_is_not_believed_i07(folder: Path) -> None:
    assert reason(folder / ("k" * 300)) == "cannot be read (File name too long)"


def test_a_shell_that_is_about_to_write_is_given_time_i07(kill_file: Path) -> None:
    kill_file.touch()

    def write() -> None:
        kill_file.write_text("close_only\n")

    sight = read_kill_file(kill_file, write)

    assert sight == Written(b"close_only\n")


def test_an_empty_file_that_is_taken_away_again_has_been_there_i07(kill_file: Path) -> None:
    kill_file.touch()

    assert read_kill_file(kill_file, kill_file.unlink) == Written(b"")


def test_looking_leaves_no_file_open(kill_file: Path) -> None:
    def open_now() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = open_now()
    for put, _ in ODD.values():
        put(kill_file)
        seen(kill_file)
        kill_file.rmdir() if kill_file.is_dir() else kill_file.unlink()
        kill_file.with_name("elsewhere").unlink(missing_ok=True)
    kill_file.write_text("halt_all")
    seen(kill_file)

    assert open_now() == before
