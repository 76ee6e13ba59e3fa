"""The lock that makes an engine the only one."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from hydra.store.engine_lock import (
    EngineLock,
    HeldByAnother,
    Holder,
    LockOf,
    forget_account,
    last_holder,
)
from hydra.store.private_files import RightsTooOpen

ROOT = Path(__file__).resolve().parent.parent.parent
STARTS = 20
FROM_NOBODY = b'{"pid":99999999999999999999,"host":"here","started_at":"then"}\n'

TAKES_IT = """
import sys
from pathlib import Path
from hydra.store.engine_lock import EngineLock, HeldByAnother

print("ready", flush=True)
sys.stdin.readline()
try:
    lock = EngineLock(Path(sys.argv[1]))
except HeldByAnother:
    print("held", flush=True)
else:
    print("taken", flush=True)
sys.stdin.readline()
"""

LEAVES_A_CHILD = """
import os, subprocess, sys
from pathlib import Path
from hydra.store.engine_lock import EngineLock

lock = EngineLock(Path(sys.argv[1]))
if sys.argv[2] == "program":
    # Nothing is closed on the way but what says so of itself.
    child = subprocess.Popen([sys.executable, "-c", "input()"], close_fds=False).pid
else:
    child = os.fork()
    if child == 0:
        os.write(1, b"forked\\n")  # in one piece: both write to one pipe
        os.read(0, 1)
        os._exit(0)
os.write(1, b"%d\\n" % child)
os._exit(0)
"""


LOSES_THE_FILE_BEFORE_IT_IS_LOCKED = """
import sys
from pathlib import Path
from hydra.store.engine_lock import EngineLock, HeldByAnother

path = Path(sys.argv[1])
times = int(sys.argv[2])

def remove(event, arguments):
    global times
    if event == "fcntl.flock" and times > 0:
        times -= 1
        path.unlink()

sys.addaudithook(remove)
try:
    lock = EngineLock(path)
    EngineLock(path)
except HeldByAnother as held:
    print(held)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "engine.lock"


@contextmanager
def held(path: Path) -> Iterator[EngineLock]:
    lock = EngineLock(path)
    try:
        yield lock
    finally:
        lock.release()


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def send_line(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=30)


def test_a_second_lock_is_refused_until_the_first_is_released_i57(path: Path) -> None:
    with held(path) as first:
        with pytest.raises(
            HeldByAnother,
            match=rf"another engine \(process {os.getpid()} on \S+, since \S+\) holds the account",
        ):
            EngineLock(path)

        first.release()
        EngineLock(path).release()


def test_whoever_finds_a_journal_taken_is_told_to_use_another_log_folder_i57(path: Path) -> None:
    with held(path), pytest.raises(HeldByAnother) as refused:
        EngineLock(path, of=LockOf.JOURNAL)

    assert str(refused.value).startswith(f"{path}: another engine (process {os.getpid()} on ")
    assert str(refused.value).endswith(
        ") writes this journal; wanted to be the only one; stop that one, or use another --log-dir"
    )


@pytest.mark.parametrize("of", [LockOf.ACCOUNT, LockOf.JOURNAL])
def test_a_command_that_has_it_is_not_called_an_engine_that_is_to_be_stopped_i57(
    path: Path, of: LockOf
) -> None:
    lock = EngineLock(path, command="flatten")
    lock.name(venue="paper", account="PA123")
    try:
        with pytest.raises(HeldByAnother) as refused:
            EngineLock(path, of=of)
    finally:
        lock.release()

    holder = last_holder(path)
    assert holder is not None
    assert str(refused.value) == (
        f"{path}: the command `flatten` ({holder}) {of.value[0]}, and no engine runs; wanted to be"
        f" the only one; wait until it is done, or use another {of.value[1]}"
    )
    assert holder.command == "flatten"


def test_an_engine_after_a_command_is_called_an_engine_i57(path: Path) -> None:
    EngineLock(path, command="flatten").release()

    with held(path), pytest.raises(HeldByAnother, match=r"another engine \(process "):
        EngineLock(path)


def test_of_twenty_that_start_at_once_exactly_one_runs_i57(path: Path) -> None:
    starts = [started(TAKES_IT, str(path)) for _ in range(STARTS)]
    try:
        for start in starts:
            assert line_of(start) == "ready"

        for start in starts:
            send_line(start)
        outcomes = sorted(line_of(start) for start in starts)
    finally:
        for start in starts:
            ended(start)

    assert outcomes == ["held"] * (STARTS - 1) + ["taken"]
    EngineLock(path).release()


def test_a_killed_engine_leaves_its_file_but_not_its_lock_i57(path: Path) -> None:
    killed = started(TAKES_IT, str(path))
    send_line(killed)
    assert [line_of(killed), line_of(killed)] == ["ready", "taken"]

    ended(killed)

    assert (killed.returncode, path.exists()) == (-signal.SIGKILL, True)
    EngineLock(path).release()


def test_a_frozen_engine_holds_its_lock_i57(path: Path) -> None:
    frozen = started(TAKES_IT, str(path))
    try:
        send_line(frozen)
        assert [line_of(frozen), line_of(frozen)] == ["ready", "taken"]
        frozen.send_signal(signal.SIGSTOP)

        with pytest.raises(HeldByAnother, match=f"process {frozen.pid} on"):
            EngineLock(path)
    finally:
        ended(frozen)


@pytest.mark.parametrize("kind", ["program", "copy"])
def test_a_child_that_outlives_us_does_not_hold_the_lock_i57(path: Path, kind: str) -> None:
    parent = started(LEAVES_A_CHILD, str(path), kind)
    lines = [line_of(parent) for _ in range(1 if kind == "program" else 2)]
    assert parent.wait(timeout=30) == 0
    (child,) = (int(line) for line in lines if line != "forked")

    try:
        os.kill(child, 0)
        EngineLock(path).release()
    finally:
        os.kill(child, signal.SIGKILL)
        parent.communicate(timeout=30)


def test_a_copy_of_this_process_does_not_unlock_it_i57(path: Path) -> None:
    with held(path):
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

        with pytest.raises(HeldByAnother):
            EngineLock(path)


def test_a_lock_whose_file_is_removed_is_not_taken_for_held_i57(path: Path) -> None:
    """The one that has the removed file is stopped by the record's watch."""
    with held(path):
        path.unlink()
        with held(path), pytest.raises(HeldByAnother):
            EngineLock(path)


@pytest.mark.parametrize(
    ("times", "words"), [(1, "another engine (process "), (99, "somebody removes it all the time")]
)
def test_a_file_that_is_removed_before_it_is_locked_is_not_the_lock_i57(
    path: Path, times: int, words: str
) -> None:
    process = started(LOSES_THE_FILE_BEFORE_IT_IS_LOCKED, str(path), str(times))

    out, _ = process.communicate(timeout=30)

    assert words in out


def test_the_file_says_who_holds_it_and_for_which_account_i57(path: Path) -> None:
    with held(path) as lock:
        lock.name(venue="paper", account="PA123")
        content = path.read_bytes()

        with pytest.raises(HeldByAnother, match=r"venue paper, account PA123\) holds the account"):
            EngineLock(path)

    (line,) = content.splitlines()
    holder = msgspec.json.decode(line, type=Holder)
    assert holder == last_holder(path)
    assert (holder.pid, holder.host) == (os.getpid(), socket.gethostname())
    assert (holder.venue, holder.account) == ("paper", "PA123")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", holder.started_at)


def test_the_account_outlives_the_engine_until_it_is_forgotten_i57(path: Path) -> None:
    def named() -> tuple[str | None, str | None]:
        holder = last_holder(path)
        assert holder is not None
        return holder.venue, holder.account

    with held(path) as lock:
        lock.name(venue="paper", account="PA123")
    with held(path):
        assert named() == ("paper", "PA123")
        forget_account(path)
        assert named() == (None, None)
        with pytest.raises(HeldByAnother):
            EngineLock(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"12345\n", b'{"pid":', b"\xff\n", b'{"host":"\xff"}\n', b"{}\n", FROM_NOBODY],
)
def test_a_file_whose_words_cannot_be_read_is_locked_all_the_same_i57(
    path: Path, content: bytes
) -> None:
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    assert last_holder(path) is None

    with held(path):
        path.write_bytes(content)
        with pytest.raises(HeldByAnother, match="of an unknown process"):
            EngineLock(path)


def test_a_holder_that_has_ended_is_not_blamed_i57(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(timeout=30)
    gone = Holder(pid=process.pid, host=socket.gethostname(), started_at="then", venue="paper")

    with held(path):
        path.write_bytes(msgspec.json.encode(gone))
        with pytest.raises(HeldByAnother, match=f"outlived process {process.pid} on"):
            EngineLock(path)


def test_a_lock_that_others_may_touch_is_refused_i57_i84(path: Path) -> None:
    path.parent.mkdir(mode=0o700)
    path.touch(mode=0o600)
    path.chmod(0o666)

    with pytest.raises(RightsTooOpen, match=rf"chmod 600 {path}"):
        EngineLock(path)


def test_nobody_ever_held_a_lock_that_is_not_there(path: Path) -> None:
    assert last_holder(path) is None
