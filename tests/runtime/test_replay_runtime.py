"""What was recorded on threads happens again, message by message; the first difference is found."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from hydra.actor import MILLISECOND, Context, Ref
from hydra.runtime.clock import MarketClock
from hydra.runtime.recording import (
    Called,
    Closed,
    Entry,
    Event,
    Failed,
    IncarnationEnded,
    Lane,
    events_in,
)
from hydra.runtime.replay_outcome import SHOWN_MAX, from_where_they_differ
from hydra.runtime.system import Inspect, Resume, Suspend
from hydra.runtime.thread_runtime import ThreadRuntime
from tests.runtime import walkers
from tests.runtime.walkers import (
    ROOT,
    Crash,
    Hang,
    Recorded,
    Tick,
    Urgent,
    Walk,
    Walker,
    WordsOfOutside,
    replayed,
    tree,
)
from tests.waiting import eventually

A_OF_ONE, B_OF_ONE = Ref[Any]("/root/one/a"), Ref[Any]("/root/one/b")
A_OF_ALL = Ref[Any]("/root/all/a")


def session(
    folder: Path,
    then: Callable[[ThreadRuntime], None],
    *,
    seed: int = 0,
    dice: WordsOfOutside | None = None,
    clock: MarketClock | None = None,
    **how: Any,
) -> str | None:
    """A recorded session in which `then` happens; gives the hash of its end."""
    recorded = Recorded(folder, seed=seed, clock=clock)
    runtime = recorded.runtime
    port = runtime.port("dice", dice or WordsOfOutside())
    assert runtime.start_and_wait(tree(port, **how), within=5.0)
    then(runtime)
    runtime.settle(within=0.2)
    return recorded.end()


class Restless:
    """A market's clock that says something else each time it is asked, of the same moment too."""

    def __init__(self) -> None:
        self._numbers = count(1_000)

    def at(self, machine_ns: int) -> int:
        """See `MarketClock.at`."""
        return next(self._numbers) * 1_000


def walk(runtime: ThreadRuntime) -> None:
    for number in range(20):
        where = "one" if number % 3 else "all"
        runtime.tell(Ref[Any](f"/root/{where}/{'abcd'[number % 4]}"), Walk(steps=8))


def entries_of(events: list[Event], cell: str, kind: str) -> list[Entry]:
    found = [each for each in events if isinstance(each, Entry)]
    return [each for each in found if (each.cell, each.kind) == (cell, kind)]


@pytest.mark.parametrize("seed", range(4))
def test_a_recorded_session_ends_as_it_did_when_it_is_replayed(tmp_path: Path, seed: int) -> None:
    ended = session(tmp_path, walk, seed=seed)

    again = replayed(tmp_path, seed=seed)

    assert again.difference is None, str(again.difference)
    assert (again.recorded_hash, again.replayed_hash) == (ended, ended)
    assert again.is_same


@pytest.mark.slow
def test_a_hundred_sessions_of_restless_actors_replay_to_the_state_that_they_ended_in(
    tmp_path: Path,
) -> None:
    for seed in range(100):
        session(tmp_path / str(seed), walk, seed=seed)

        again = replayed(tmp_path / str(seed), seed=seed)

        assert again.is_same, f"seed {seed}: {again.incomplete}{again.difference}"


def test_restarts_and_a_quarantine_happen_again(tmp_path: Path) -> None:
    def crash(runtime: ThreadRuntime) -> None:
        for _ in range(3):
            runtime.tell(B_OF_ONE, Crash())
        runtime.tell(A_OF_ALL, Crash())  # with all that stand behind it
        walk(runtime)
        assert eventually(lambda: runtime.cells[B_OF_ONE.path].label == "quarantined")
        assert eventually(lambda: runtime.cells["/root/all/d"].incarnation >= 2)

    session(tmp_path, crash)
    events = list(events_in(tmp_path))

    assert replayed(events).is_same
    failed = [each.cell for each in events if isinstance(each, Failed)]
    assert failed.count(B_OF_ONE.path) == 3
    # Its last life ended by a failure: there is no state of it to compare.
    ended = [each.cell for each in events if isinstance(each, IncarnationEnded)]
    assert B_OF_ONE.path not in ended
    assert "/root" in ended


def test_what_waits_is_handled_when_a_cell_that_drains_is_stopped_and_no_other(
    tmp_path: Path,
) -> None:
    def stop_with_much_to_do(runtime: ThreadRuntime) -> None:
        for ref in (A_OF_ONE, B_OF_ONE):
            cell = runtime.cells[ref.path]
            cell.tell_system(Suspend())
            assert eventually(lambda cell=cell: cell.suspended)  # type: ignore[misc]
            for _ in range(5):
                runtime.tell(ref, Walk(steps=0))

    session(tmp_path, stop_with_much_to_do)
    events = list(events_in(tmp_path))

    assert replayed(events).is_same
    lanes = {each.lane.name for each in entries_of(events, A_OF_ONE.path, "Walk")}
    assert lanes >= {"DRAINED"}
    assert entries_of(events, B_OF_ONE.path, "Walk") == []


def test_looks_of_the_debugger_change_nothing_and_a_suspension_happens_again(
    tmp_path: Path,
) -> None:
    def look(runtime: ThreadRuntime) -> None:
        cell = runtime.cells[A_OF_ONE.path]
        cell.tell_system(Suspend())
        walk(runtime)
        cell.tell_system(Inspect())
        time.sleep(0.01)
        cell.tell_system(Resume())

    session(tmp_path, look)
    events = list(events_in(tmp_path))

    assert entries_of(events, A_OF_ONE.path, "Suspend")
    assert entries_of(events, A_OF_ONE.path, "Inspect") == []
    assert replayed(events).is_same


def test_a_handler_that_hung_ends_nothing_in_the_replay_either(tmp_path: Path) -> None:
    def hang(runtime: ThreadRuntime) -> None:
        runtime.start_watch()
        runtime.tell(A_OF_ONE, Hang())
        walk(runtime)
        assert eventually(lambda: runtime.cells[A_OF_ONE.path].failed_count > 0)
        time.sleep(0.3)  # it wakes, and reaches nobody

    dice = WordsOfOutside(stuck_s=0.4)
    session(tmp_path, hang, dice=dice, hang_after=100 * MILLISECOND)
    events = list(events_in(tmp_path))

    assert entries_of(events, A_OF_ONE.path, "Hung")
    again = replayed(events, hang_after=100 * MILLISECOND)
    assert again.is_same, str(again.difference)


@pytest.mark.parametrize("where", ["__init__", "start"])
def test_a_start_that_hung_ends_nothing_in_the_replay_either(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    init, start = Walker.__init__, Walker.start
    due: list[str] = []

    def hang_in(place: str) -> None:
        if due == [place]:
            due.clear()
            # A hang is one of wall time: longer than `hang_after`, and over by itself.
            time.sleep(0.4)

    def made(walker: Walker, *arguments: Any, **named: Any) -> None:
        init(walker, *arguments, **named)
        hang_in("__init__")

    def started(walker: Walker, ctx: Context) -> None:
        start(walker, ctx)
        if ctx.me == A_OF_ONE and ctx.incarnation == 2:
            ctx.tell(B_OF_ONE, Walk(steps=2))
            hang_in("start")

    monkeypatch.setattr(Walker, "__init__", made)
    monkeypatch.setattr(Walker, "start", started)

    def crash(runtime: ThreadRuntime) -> None:
        runtime.start_watch()
        due.append(where)
        runtime.tell(A_OF_ONE, Crash())
        assert eventually(lambda: runtime.cells[A_OF_ONE.path].failed_count == 2)
        walk(runtime)
        time.sleep(0.3)  # it wakes, and reaches nobody

    session(tmp_path, crash, hang_after=100 * MILLISECOND)
    events = list(events_in(tmp_path))

    assert entries_of(events, A_OF_ONE.path, "Hung")
    again = replayed(events, hang_after=100 * MILLISECOND)
    assert again.is_same, str(again.difference)


def test_market_time_is_what_an_actor_saw_whatever_the_clock_said_next(tmp_path: Path) -> None:
    session(tmp_path, walk, clock=Restless())

    again = replayed(tmp_path)

    assert again.is_same, str(again.difference)


# Differences


def other_code(monkeypatch: pytest.MonkeyPatch, receive: Callable[..., None]) -> None:
    """From now on walkers are another program."""
    monkeypatch.setattr(Walker, "receive", receive)


def test_an_actor_that_sends_otherwise_is_found_at_the_first_message_that_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(tmp_path, lambda runtime: runtime.tell(A_OF_ONE, Walk(steps=3)), seed=3)
    events = list(events_in(tmp_path))
    first = next(
        number
        for number, each in enumerate((e for e in events if isinstance(e, Entry)), 1)
        if each.kind == "Walk" and each.id[0] == A_OF_ONE.path
    )
    told = Walker._step

    def otherwise(self: Walker, steps: int, ctx: Context) -> None:
        told(self, steps - 1 if steps == 3 else steps, ctx)

    monkeypatch.setattr(Walker, "_step", otherwise)

    again = replayed(tmp_path, seed=3)

    found = again.difference
    assert found is not None
    assert again.replayed_hash is None
    assert found.number == first
    assert found.recorded.startswith("Walk /root/one/a#1.")
    assert found.replayed.startswith("Walk(steps=1")
    assert again.messages == first  # nothing after it was replayed


def test_an_error_that_is_made_of_more_than_its_text_is_raised_again(tmp_path: Path) -> None:
    class Garbled(WordsOfOutside):
        def thrown(self, name: str) -> int:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no text")

    session(tmp_path, walk, dice=Garbled())
    raised = [each.error for each in events_in(tmp_path) if isinstance(each, Called)]

    again = replayed(tmp_path)

    assert {error[0] for error in raised if error is not None} == {"UnicodeDecodeError"}
    assert again.is_same, again.difference


@pytest.mark.parametrize("lane", [Lane.DRAINED, Lane.STOPS])
def test_an_actor_that_is_not_being_stopped_any_more_is_found(tmp_path: Path, lane: Lane) -> None:
    session(tmp_path, walk)
    events = list(events_in(tmp_path))
    at, first = next(
        (at, each)
        for at, each in enumerate(events)
        if isinstance(each, Entry) and each.kind == "Walk" and each.lane is Lane.USER
    )

    again = replayed([*events[:at], structs.replace(first, lane=lane), *events[at + 1 :]])

    assert again.difference is not None
    assert (again.difference.cell, again.difference.replayed) == (first.cell, "it is running")


def test_a_name_that_is_no_timer_s_is_found(tmp_path: Path) -> None:
    session(tmp_path, walk)
    events = list(events_in(tmp_path))
    at, tick = next(
        (at, each)
        for at, each in enumerate(events)
        if isinstance(each, Entry) and each.kind == "Tick"
    )
    named = structs.replace(tick, id=(f"~{tick.cell}:pulse.x", *tick.id[1:]))

    again = replayed([*events[:at], named, *events[at + 1 :]])

    assert again.difference is not None
    assert again.difference.replayed == f"~{tick.cell}:pulse.x is the name of no timer"


def test_a_message_that_is_not_sent_any_more_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(tmp_path, lambda runtime: runtime.tell(A_OF_ONE, Walk(steps=3)))
    other_code(monkeypatch, lambda self, message, ctx: self._saw(ctx, str(message)))

    found = replayed(tmp_path).difference

    assert found is not None
    assert "/root/one/a#1." in found.recorded
    assert found.replayed.endswith("was not sent to it")


def test_a_handler_that_fails_only_now_or_does_not_fail_any_more_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(tmp_path / "well", lambda runtime: runtime.tell(A_OF_ONE, Urgent(steps=0)), seed=1)
    session(tmp_path / "failed", lambda runtime: runtime.tell(A_OF_ONE, Crash()))

    def fail(self: Walker, message: object, ctx: Context) -> None:
        if isinstance(message, Urgent):
            raise ArithmeticError("only now")

    other_code(monkeypatch, fail)
    only_now = replayed(tmp_path / "well", seed=1).difference
    no_more = replayed(tmp_path / "failed").difference

    assert only_now is not None
    assert only_now.cell == A_OF_ONE.path
    assert "ArithmeticError: only now" in only_now.replayed
    assert no_more is not None
    assert no_more.recorded.startswith("/root/one/a fails in receive: ArithmeticError: told to")
    assert no_more.replayed == "nothing"


def test_a_port_that_is_called_otherwise_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(self: Walker, message: object, ctx: Context) -> None:
        if isinstance(message, Crash):
            self._seen.append((self._dice.thrown("one"),))

    def ask_otherwise(self: Walker, message: object, ctx: Context) -> None:
        if isinstance(message, Crash):
            self._seen.append((self._dice.thrown("other"),))

    other_code(monkeypatch, ask)
    session(tmp_path, lambda runtime: runtime.tell(A_OF_ONE, Crash()))
    same = replayed(tmp_path)
    other_code(monkeypatch, ask_otherwise)

    found = replayed(tmp_path).difference

    assert same.is_same
    assert found is not None
    assert found.recorded.startswith("/root/one/a calls dice.thrown (content ")
    assert found.replayed.startswith("it calls dice.thrown with ('other',) (content ")


def test_a_port_that_is_not_called_any_more_is_found_before_the_next_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(self: Walker, message: object, ctx: Context) -> None:
        if isinstance(message, Crash):
            self._dice.thrown("one")

    def tell_twice(runtime: ThreadRuntime) -> None:
        runtime.tell(A_OF_ONE, Crash())
        runtime.tell(A_OF_ONE, Crash())

    other_code(monkeypatch, ask)
    session(tmp_path, tell_twice)
    other_code(monkeypatch, lambda self, message, ctx: None)

    found = replayed(tmp_path).difference

    assert found is not None
    assert found.cell == A_OF_ONE.path
    assert found.recorded.startswith("/root/one/a calls dice.thrown (content ")
    assert found.replayed == "nothing"


def test_a_state_that_ends_otherwise_is_found_where_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(tmp_path, lambda runtime: runtime.tell(A_OF_ONE, Walk(steps=0)))
    monkeypatch.setattr(Walker, "state_view", lambda self: {"waits": self._waits, "seen": "what?"})

    found = replayed(tmp_path).difference

    assert found is not None
    assert '"seen":[["start"' in found.recorded
    assert '"seen":"what?"' in found.replayed


def test_another_seed_is_another_session(tmp_path: Path) -> None:
    session(tmp_path, walk, seed=1)

    assert replayed(tmp_path, seed=2).difference is not None


def test_an_actor_that_is_not_there_is_found(tmp_path: Path) -> None:
    session(tmp_path, walk)

    found = replayed(tmp_path, names="abc").difference

    assert found is not None
    assert found.cell.endswith("/d")
    assert found.replayed == "nobody lives there"


# Recordings that end before their session


def test_a_recording_that_was_cut_off_is_replayed_as_far_as_it_goes(tmp_path: Path) -> None:
    session(tmp_path, walk)
    events = list(events_in(tmp_path))

    again = replayed(events[: len(events) // 2])

    assert again.difference is None
    assert again.incomplete == "the recording was cut off"
    assert (again.recorded_hash, again.replayed_hash, again.is_same) == (None, None, False)
    whole = sum(isinstance(each, Entry) for each in events[: len(events) // 2])
    assert 0 < again.messages <= whole  # the last of them had not come to their ends


def test_only_so_many_messages_are_replayed_if_no_more_are_wanted(tmp_path: Path) -> None:
    session(tmp_path, walk)

    again = replayed(tmp_path, until=10)

    assert (again.messages, again.difference, again.replayed_hash) == (10, None, None)
    assert not again.is_same  # it may differ yet


def test_what_cannot_be_recorded_whole_ends_the_replay_and_says_so(tmp_path: Path) -> None:
    def tell_of_a_recipe(runtime: ThreadRuntime) -> None:
        walk(runtime)
        runtime.settle(within=1.0)
        runtime.tell(ROOT, walkers.add_nobody())

    session(tmp_path, tell_of_a_recipe)

    again = replayed(tmp_path)

    assert again.difference is None
    assert again.incomplete == "/root was told AddChild, which cannot be recorded whole"


def test_an_end_that_nobody_replayed_to_is_a_difference(tmp_path: Path) -> None:
    session(tmp_path, lambda runtime: runtime.tell(A_OF_ONE, Tick()))
    *events, closed = events_in(tmp_path)
    assert isinstance(closed, Closed)

    found = replayed([*events, structs.replace(closed, hash="ffff")]).difference

    assert found is not None
    assert found.recorded == f"state ffff, ledger {walkers.MARK}"


def test_of_two_long_sides_only_what_is_around_their_first_difference_is_shown() -> None:
    one, other = "a" * 5000 + "b" * 5000, "a" * 5000 + "c" * 50

    shown, shown_other = from_where_they_differ(one, other)

    assert shown == "... " + "a" * (SHOWN_MAX // 4) + "b" * (SHOWN_MAX * 3 // 4) + " ..."
    assert shown_other == "... " + "a" * (SHOWN_MAX // 4) + "c" * 50
    assert from_where_they_differ("short", "other") == ("short", "other")
