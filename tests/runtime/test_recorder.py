"""The recorder writes what it is told, within its bounds, and disturbs nobody who is recorded."""

import stat
import time
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import Context, Ref
from hydra.ports import GateRefused
from hydra.runtime import recorder as recording
from hydra.runtime.clock import machine_time
from hydra.runtime.gate import BOOT, Gate
from hydra.runtime.recorder import MEBIBYTE, noted, state_hash
from hydra.runtime.recording import Called, Closed, Entry, GateChanged, Stopped, events_in
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.trading_state import Cause
from tests.runtime.walkers import Recorded, Walk, Walker, WordsOfOutside, replayed, tree
from tests.waiting import eventually

A, OTHER = Ref[Any]("/root/one/a"), Ref[Any]("/root/all/a")


@pytest.fixture(autouse=True)
def writes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for longer than it has to be."""
    monkeypatch.setattr(recording, "DRAIN_EVERY_S", 0.01)
    monkeypatch.setattr(recording, "CHUNK_EVERY", 1)


def begun(recorded: Recorded) -> ThreadRuntime:
    port = recorded.runtime.port("dice", WordsOfOutside())
    assert recorded.runtime.start_and_wait(tree(port), within=5.0)
    return recorded.runtime


def test_a_recording_that_has_come_to_its_size_says_so_once_and_the_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "CHUNK_EVENTS", 16)
    recorded = Recorded(tmp_path, bytes_max=2_000)
    runtime = begun(recorded)

    for _ in range(40):
        runtime.tell(A, Walk(steps=8))
    assert eventually(lambda: recorded.told != [])
    handled_before = runtime.cells[OTHER.path].processed
    runtime.tell(OTHER, Walk(steps=0))
    assert eventually(lambda: runtime.cells[OTHER.path].processed > handled_before)
    hash_of_end = recorded.end()

    assert hash_of_end is None
    assert recorded.told == ["it has come to its 0 MiB"]
    assert 2_000 <= sum(file.stat().st_size for file in tmp_path.iterdir()) < 4_000
    *_, last = events_in(tmp_path)
    assert isinstance(last, Stopped)
    again = replayed(tmp_path)
    assert (again.difference, again.incomplete) == (None, "it has come to its 0 MiB")
    assert again.messages > 10


def test_a_recorder_that_cannot_write_says_so_once_and_the_session_goes_on(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path / "flight")
    (tmp_path / "flight").rmdir()

    runtime = begun(recorded)
    assert eventually(lambda: recorded.told != [])
    runtime.tell(A, Walk(steps=8))
    hash_of_end = recorded.end()

    assert hash_of_end is None
    (told,) = recorded.told
    assert told.startswith("FileNotFoundError: ")
    assert not recorded.recorder._notes  # nothing heaps up that nobody writes


def test_a_recorder_that_falls_behind_ends_before_it_takes_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "WAITING_MAX", 50)
    recorded = Recorded(tmp_path)

    runtime = begun(recorded)
    for _ in range(100):
        runtime.tell(A, Walk(steps=0))
    assert eventually(lambda: recorded.told != [])
    recorded.end()

    assert recorded.told == ["more than 50 notes waited to be written"]
    assert len(recorded.recorder._notes) <= 50


def test_a_recorder_that_has_no_place_to_write_to_takes_no_notes(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.recorder.give_up()

    runtime = begun(recorded)
    runtime.tell(A, Walk(steps=8))

    assert recorded.end() is None
    assert list(tmp_path.iterdir()) == []
    assert not recorded.recorder._notes


def test_files_follow_one_another_and_are_of_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "CHUNK_EVENTS", 16)
    monkeypatch.setattr(recording, "FILE_BYTES", 1_000)
    recorded = Recorded(tmp_path)
    runtime = begun(recorded)
    for _ in range(20):
        runtime.tell(A, Walk(steps=3))
    runtime.settle(within=0.3)
    recorded.end()

    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files][:3] == ["0001.flight", "0002.flight", "0003.flight"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    *events, closed = events_in(tmp_path)
    assert isinstance(closed, Closed)
    assert closed.entries == sum(isinstance(event, Entry) for event in events)
    assert replayed(tmp_path).is_same


def test_what_is_recorded_is_on_the_disk_soon(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    runtime = begun(recorded)
    runtime.tell(A, Walk(steps=0))

    assert eventually(
        lambda: any(isinstance(each, Entry) for each in events_in(tmp_path)), within_s=5.0
    )
    recorded.end()


def test_a_change_of_the_gate_is_recorded_in_the_order_of_the_changes(tmp_path: Path) -> None:
    gate, heard = Gate(machine_time), list[tuple[str, ...]]()
    gate.on_change(lambda causes: heard.append(tuple(cause.code for cause in causes)))

    cause = OPERATOR_HALT.cause(since=0, detail="looks wrong")
    gate.trip(cause)
    gate.arm((), "all is well", gate.epoch)
    with pytest.raises(GateRefused):
        gate.arm((), "late", gate.epoch - 1)

    assert heard == [(BOOT.code,), (BOOT.code, cause.code), ()]


def test_only_what_actors_ask_of_a_port_is_recorded(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    dice = noted(recorded.recorder, "dice", WordsOfOutside())

    assert dice.sides == 1  # this thread runs no actor
    begun(recorded)
    recorded.end()

    assert not [each for each in events_in(tmp_path) if isinstance(each, Called)]
    assert [each for each in events_in(tmp_path) if isinstance(each, GateChanged)]


def test_a_secret_in_what_a_library_says_is_in_no_recording_i83(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throw(self: Walker, message: object, ctx: Context) -> None:
        try:
            self._dice.thrown("the token")
        except GateRefused as refused:
            self._seen.append((str(refused),))

    monkeypatch.setattr(Walker, "receive", throw)
    recorded = Recorded(tmp_path, clean=lambda text: text.replace("token", "[redacted]"))
    runtime = begun(recorded)
    for _ in range(6):
        runtime.tell(A, Walk(steps=0))
    runtime.settle(within=0.3)
    recorded.end()

    events = list(events_in(tmp_path))
    refused = [each.error for each in events if isinstance(each, Called) and each.error]
    assert refused
    assert not [each for each in events if "token" in str(each)]
    assert replayed(tmp_path).is_same


def test_without_a_recorder_a_port_is_itself() -> None:
    runtime, dice = ThreadRuntime(), WordsOfOutside()
    try:
        assert runtime.port("dice", dice) is dice
    finally:
        runtime.close()


def test_a_hash_names_how_a_session_ended_and_not_the_order_in_which_actors_did() -> None:
    one = {("/a", 1): "x", ("/b", 1): "y"}
    other = dict(reversed(one.items()))
    causes: tuple[Cause, ...] = (OPERATOR_HALT.cause(since=0, detail="looks wrong"),)

    assert state_hash(one, causes, "1 a") == state_hash(other, causes, "1 a")
    others = [
        state_hash({**one, ("/b", 1): "z"}, causes, "1 a"),
        state_hash({**one, ("/b", 2): "y"}, causes, "1 a"),
        state_hash(one, (), "1 a"),
        state_hash(one, causes, "2 a"),
    ]
    assert len({state_hash(one, causes, "1 a"), *others}) == 5


@pytest.mark.slow
def test_a_note_costs_little_where_it_is_taken(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, bytes_max=512 * MEBIBYTE)
    cell, envelope = begun(recorded).cells[A.path], None
    envelope = cell.context.envelope
    began = time.perf_counter_ns()
    for _ in range(50_000):
        recorded.recorder.handled(cell, envelope, began)
    cost_ns = (time.perf_counter_ns() - began) / 50_000
    recorded.recorder.give_up()
    recorded.end()

    assert cost_ns < 20_000  # some 700 ns on a quiet machine
