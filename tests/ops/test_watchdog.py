"""The watchdog for managers without one: it kills who was alive and no longer is, nobody else."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.exit_codes import ExitCode
from hydra.ops.watchdog import SignsOfLife, Watchdog, main

WITHIN_S = 30.0
ALIVE, READY, STOPPING = "WATCHDOG=1", "READY=1", "STOPPING=1"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not say who speaks")

SPEAKS = """
import socket, sys
speaking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for line in sys.stdin:
    speaking.sendto(line.strip().replace(" ", "\\n").encode(), sys.argv[1])
    print("sent", flush=True)
"""


def signs(*heard: tuple[int, str, float]) -> SignsOfLife:
    signs = SignsOfLife(WITHIN_S)
    for pid, line, at in heard:
        signs.hear(pid, [line], at)
    return signs


def test_who_said_that_it_is_alive_and_says_it_no_more_is_overdue_i77() -> None:
    heard = signs((1, ALIVE, 0.0), (2, ALIVE, 0.0), (1, ALIVE, 10.0))

    assert heard.overdue(30.0) == ()
    assert heard.overdue(30.1) == (2,)
    assert heard.overdue(40.1) == (1, 2)


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        ([], "it never spoke"),
        ([(1, READY, 0.0)], "it has not been alive yet: it may wait for its broker"),
        ([(1, "STATUS=trading is HALTED", 0.0)], "it only told its status"),
        ([(1, ALIVE, 0.0), (1, STOPPING, 1.0)], "it is stopping, and ends itself"),
    ],
)
def test_who_has_not_been_alive_or_is_stopping_is_never_overdue(
    heard: Sequence[tuple[int, str, float]], why: str
) -> None:
    assert signs(*heard).overdue(1e9) == (), why


SAID = st.tuples(st.integers(1, 3), st.sampled_from([ALIVE, READY, STOPPING]), st.floats(0, 100))


@given(st.lists(SAID, max_size=20), st.floats(0, 200))
def test_overdue_is_by_the_last_word_of_each_alone(
    said: list[tuple[int, str, float]], now: float
) -> None:
    said = sorted(said, key=lambda each: each[2])
    last = {pid: (line, at) for pid, line, at in said if line != READY}

    expected = {pid for pid, (line, at) in last.items() if line == ALIVE and now - at > WITHIN_S}
    assert set(signs(*said).overdue(now)) == expected


class Engine:
    """A process that says to the watchdog's socket what the test has it say."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SPEAKS, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self, *lines: str) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(" ".join(lines) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "sent\n"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[tuple[Watchdog, list[str]]]:
    said: list[str] = []
    watchdog = Watchdog(tmp_path / "notify.sock", WITHIN_S, said.append)
    yield watchdog, said
    watchdog.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Engine]]:
    started: list[Engine] = []

    def begin() -> Engine:
        started.append(Engine(tmp_path / "notify.sock"))
        return started[-1]

    yield begin
    for engine in started:
        engine.end()


@on_linux
def test_it_kills_the_one_that_hangs_and_leaves_the_other_i77(
    watching: tuple[Watchdog, list[str]], start: Callable[[], Engine]
) -> None:
    watchdog, said = watching
    both = hanging, living = start(), start()
    hanging.says(READY, ALIVE)
    living.says(READY, ALIVE)
    watchdog.look_once(0.0)
    living.says(ALIVE)
    watchdog.look_once(29.0)
    watched = [f"process {each.process.pid}: alive, and watched from here on" for each in both]
    assert said == watched

    watchdog.look_once(30.5)

    assert hanging.process.wait(timeout=10) == -signal.SIGKILL
    assert living.process.poll() is None
    watchdog.look_once(30.6)
    killed = f"process {hanging.process.pid}: no sign of life for 30 s; killed"
    assert said == [*watched, killed]


@on_linux
def test_a_sign_that_waits_to_be_heard_counts_before_it_judges(
    watching: tuple[Watchdog, list[str]], start: Callable[[], Engine]
) -> None:
    watchdog, said = watching
    engine = start()
    engine.says(ALIVE)
    watchdog.look_once(0.0)
    engine.says(ALIVE)

    watchdog.look_once(1000.0)  # it was stopped itself, say

    assert (len(said), engine.process.poll()) == (1, None)


@on_linux
def test_one_that_has_ended_is_forgotten_whatever_gets_its_number(
    watching: tuple[Watchdog, list[str]], start: Callable[[], Engine]
) -> None:
    watchdog, said = watching
    engine = start()
    engine.says(ALIVE)
    watchdog.look_once(0.0)
    engine.end()

    watchdog.look_once(1000.0)

    assert len(said) == 1  # that it was alive


@on_linux
def test_its_socket_is_its_users_alone_and_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "notify.sock"
    Watchdog(path, WITHIN_S, print).close()
    Watchdog(path, WITHIN_S, print).close()

    assert path.stat().st_mode & 0o777 == 0o600


@on_linux
def test_what_is_no_socket_is_left_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")

    assert main(["--socket", str(path)]) == ExitCode.USAGE
    assert (path.read_text(), capsys.readouterr().err) == (
        "mine",
        f"{path}: found a file that is no socket; say another path\n",
    )


@pytest.mark.parametrize("text", ["0", "1.9", "3601", "nan", "inf", "x", "-5"])
def test_a_time_that_makes_no_sense_is_a_wrong_option(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--socket", str(tmp_path / "s"), f"--within={text}"])

    assert ended.value.code == ExitCode.USAGE
    assert f"found {text}, wanted 2 to 3600 seconds" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
