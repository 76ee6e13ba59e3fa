"""What a run says reaches whoever reads it, and waits for nobody who does not."""

import fcntl
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.ops.heard import WAITING_MAX, Heard, heard_by
from hydra.store.journal import read_journal
from tests.ops.sessions import HOME, shares_alone
from tests.waiting import Timed, eventually

QUICK = 0.02


class Reader(io.StringIO):
    """Somebody who reads when he wants to."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()
        self.reads.set()

    def write(self, text: str) -> int:
        assert self.reads.wait(30)
        return super().write(text)


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.reads.set()


def speaking() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "said"}


def say(heard: Heard, *lines: str) -> None:
    for line in lines:
        print(line, file=heard, flush=True)


def test_what_is_said_is_there_when_it_was_said(reader: Reader) -> None:
    before = speaking()
    heard = Heard(reader)

    say(heard, "one")
    at_once = reader.getvalue()
    say(heard, "two")
    heard.write("three")

    assert at_once == "one\n"
    assert heard.end()
    assert reader.getvalue() == "one\ntwo\nthree"
    assert eventually(lambda: speaking() == before)


def test_who_does_not_read_is_waited_for_once_and_hears_it_later(reader: Reader) -> None:
    heard = Heard(reader, patience_s=QUICK)
    reader.reads.clear()

    with Timed() as timed:
        say(heard, *map(str, range(100)))
    reader.reads.set()

    assert timed.took_s < 50 * QUICK
    assert eventually(lambda: reader.getvalue().split() == list(map(str, range(100))))
    say(heard, "in step again")
    assert reader.getvalue().endswith("in step again\n")
    assert heard.end()


def test_of_too_much_for_somebody_who_does_not_read_the_rest_is_left_out(reader: Reader) -> None:
    heard = Heard(reader, patience_s=QUICK)
    reader.reads.clear()

    say(heard, *map(str, range(WAITING_MAX + 100)))
    is_through = heard.end()
    reader.reads.set()

    assert not is_through
    assert eventually(lambda: len(reader.getvalue().split()) >= WAITING_MAX)
    assert len(reader.getvalue().split()) <= WAITING_MAX + 1  # one was being passed on


def test_a_reader_that_is_gone_is_an_error_for_who_speaks() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError("nobody is there")

    heard = Heard(Gone())

    with pytest.raises(BrokenPipeError):
        say(heard, "hello?")
    with pytest.raises(BrokenPipeError):
        say(heard, "hello?")
    assert heard.end()


def test_an_exit_code_waits_for_nobody_who_does_not_read(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[tuple[object, ...]] = []
    monkeypatch.setattr("atexit.register", lambda *what: ends.append(what))

    def run(heard: Heard) -> int:
        say(heard, "one")
        return 4

    read = heard_by(reader, run, patience_s=QUICK)
    reader.reads.clear()
    unread = heard_by(reader, run, patience_s=QUICK)

    assert read == unread == 4
    assert ends == [(os._exit, 4)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe is set as on Linux")
def test_a_run_whose_pipe_is_full_trades_and_ends_as_ever(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)
    os.write(writing, b"x" * 4_096)
    words = ["--config", str(shares_alone(tmp_path)), "--speed", "20000"]
    words += ["--state-dir", f"{tmp_path}/state", "--log-dir", f"{tmp_path}/logs"]

    process = subprocess.Popen(
        [sys.executable, "-m", "hydra.main", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HOME)},
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    try:
        _, said = process.communicate(timeout=50)
    finally:
        process.kill()
        process.communicate()
        os.close(writing)
        os.close(reading)

    assert (process.returncode, said) == (ExitCode.CLEAN, b"")
    events = {line["event"] for line in read_journal(tmp_path / "logs" / "app.jsonl")}
    assert {"feed_ended", "order_approved"} <= events
