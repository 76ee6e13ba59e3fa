"""The embedded venue's process, played by small scripts."""

import os
import signal
import sys
import threading
from collections.abc import Callable

import pytest

from hydra.ops.venue_process import VenueDidNotStart, VenueProcess, new_keys

SERVES = "import sys; print('ready http://127.0.0.1:8765', flush=True); sys.stdin.read()"
ENVIRONMENT = {"PATH": os.environ.get("PATH", "")}


class Ended:
    """Hears of the process's end."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self._heard = threading.Event()

    def __call__(self, reason: str) -> None:
        self.reasons.append(reason)
        self._heard.set()

    def wait(self) -> list[str]:
        assert self._heard.wait(10.0)
        return self.reasons


@pytest.fixture
def ended() -> Ended:
    return Ended()


def process_of(script: str, ended: Callable[[str], None]) -> VenueProcess:
    return VenueProcess((sys.executable, "-c", script), ENVIRONMENT, ended)


def test_it_says_where_it_serves_and_ends_when_it_is_told_to(ended: Ended) -> None:
    process = process_of(SERVES, ended)

    url = process.start(within_s=10.0)
    process.stop(within_s=10.0)
    process.stop(within_s=10.0)

    assert url == "http://127.0.0.1:8765"
    assert process.pid is not None and not is_alive(process.pid)
    assert ended.reasons == []


def test_its_death_is_told_once_with_how_it_died_and_what_it_said_last(ended: Ended) -> None:
    script = (
        "import sys; print('out of paper', file=sys.stderr, flush=True);"
        "print('ready http://127.0.0.1:8765', flush=True); sys.stdin.read()"
    )
    process = process_of(script, ended)
    process.start(within_s=10.0)
    assert process.pid is not None

    os.kill(process.pid, signal.SIGKILL)

    assert ended.wait() == ["the embedded venue ended with signal 9; it said: out of paper"]
    process.stop(within_s=10.0)
    assert len(ended.reasons) == 1


def test_one_that_ends_before_it_serves_is_refused_with_what_it_said(ended: Ended) -> None:
    process = process_of("import sys; sys.exit('no such file: bars.csv')", ended)

    with pytest.raises(VenueDidNotStart) as refused:
        process.start(within_s=10.0)

    assert str(refused.value) == (
        "the embedded venue ended with exit code 1; it said: no such file: bars.csv"
    )
    assert ended.reasons == []


def test_one_that_never_serves_is_not_waited_for_and_does_not_stay(ended: Ended) -> None:
    process = process_of("import sys; sys.stdin.read(); import time; time.sleep(60)", ended)

    with pytest.raises(VenueDidNotStart) as refused:
        process.start(within_s=0.2)

    assert str(refused.value) == "the embedded venue did not serve within 0.2 s"
    assert process.pid is not None and not is_alive(process.pid)


@pytest.mark.parametrize(
    "line",
    [
        "ready http://192.168.1.7:8765",
        "ready https://127.0.0.1:8765",
        "ready http://127.0.0.1:8765/v2",
        "now ready http://127.0.0.1:8765",
        "",
    ],
)
def test_only_a_loopback_address_is_taken_for_one(line: str, ended: Ended) -> None:
    process = process_of(f"print({line!r}, flush=True)", ended)

    with pytest.raises(VenueDidNotStart):
        process.start(within_s=10.0)


def test_what_cannot_be_started_is_one_line(ended: Ended) -> None:
    process = VenueProcess(("/nonexistent/venue",), ENVIRONMENT, ended)

    with pytest.raises(VenueDidNotStart, match="the embedded venue cannot be started: "):
        process.start(within_s=1.0)
    process.stop(within_s=1.0)


def test_one_that_talks_without_end_is_not_held_up(ended: Ended) -> None:
    script = (
        "import sys; print('ready http://127.0.0.1:8765', flush=True);"
        "[print('x' * 1000) for _ in range(2000)]; print('done', file=sys.stderr, flush=True);"
        "sys.exit(3)"
    )
    process = process_of(script, ended)
    process.start(within_s=10.0)

    assert ended.wait() == ["the embedded venue ended with exit code 3; it said: done"]
    process.stop(within_s=10.0)


def test_its_keys_differ_each_time_and_are_not_shown_i83() -> None:
    first, second = new_keys(), new_keys()

    assert first.key != second.key and first.secret != second.secret
    assert first.key.startswith("HYDRA")
    for text in (repr(first), f"{first}", str([first])):
        assert first.secret not in text and first.key not in text


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
