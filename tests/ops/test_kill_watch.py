"""The watch over the kill switch: what it shuts, and that nothing else has to work for it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, Ref
from hydra.ops.kill_watch import (
    PERIOD_S,
    SOURCE,
    TAKES_EFFECT_WITHIN_S,
    WAIT_S,
    WAITS_A_LOOK,
    KillWatch,
    kills_standing,
)
from hydra.runtime.runtime import NobodyThere, NoReplyInTime, Runtime
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.system import Suspend
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.kill_file import read_kill_file
from hydra.trading.kill_switch import Sight, Source
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state
from supervisors import paths
from tests.engine.harness import OPEN_AT, Played, bars_of, market_of, play, rising
from tests.waiting import eventually

WITHIN_S = 10.0

# As in tests/engine: decided at minute 15, filled at that minute's open, sold at minute 36.
MARKET = market_of(bars_of([100.0] * 10 + rising(30) + rising(20, from_price=101.5)))
BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")

STATE_FILE = "kill_switch:state_file"
NAMED_FILE = "kill_switch:named_file"
ENVIRONMENT = "kill_switch:environment"
CLOSE_ONLY, HALTED = TradingState.CLOSE_ONLY, TradingState.HALTED


class Broken(Exception):
    pass


@pytest.fixture
def kill_file(tmp_path: Path) -> Path:
    return tmp_path / "kill_switch"


@pytest.fixture
def runtime() -> Iterator[ThreadRuntime]:
    runtime = ThreadRuntime()
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    yield runtime
    runtime.close()


Watching = Callable[..., KillWatch]


@pytest.fixture
def watching(kill_file: Path) -> Iterator[Watching]:
    """Makes watches over one file, and ends them."""
    made: list[KillWatch] = []

    def make(
        runtime: Runtime,
        word: str | None = None,
        files: Mapping[Source, Path] | None = None,
        wait_s: float = WAIT_S,
        read: Callable[[Path], Sight] = read_kill_file,
    ) -> KillWatch:
        files = {Source.STATE_FILE: kill_file} if files is None else files
        watch = KillWatch(runtime, word, files, period_s=0.001, wait_s=wait_s, read=read)
        made.append(watch)
        return made[-1]

    yield make
    for watch in made:
        assert watch.stop(WITHIN_S)


def standing(runtime: Runtime) -> dict[str, TradingState]:
    return {cause.code: cause.state for cause in runtime.gate.standing()}


@contextmanager
def thread_failures() -> Iterator[list[type[BaseException]]]:
    """What threads died of meanwhile."""
    heard: list[type[BaseException]] = []
    before = threading.excepthook
    threading.excepthook = lambda failure: heard.append(failure.exc_type)
    yield heard
    threading.excepthook = before


def test_as_long_as_no_source_says_anything_trading_goes_on_i07(
    runtime: ThreadRuntime, watching: Watching
) -> None:
    watching(runtime).look_once()

    assert runtime.gate.state is TradingState.ACTIVE
    assert kills_standing(runtime) == ()


@pytest.mark.parametrize("environment", [None, "close_only", "halt_all", "off"])
@pytest.mark.parametrize("state_file", [None, "close_only\n", "halt_all\n", "off\n"])
@pytest.mark.parametrize("named_file", [None, "close_only\n", "halt_all\n", "off\n"])
def test_the_worst_source_wins_i07(
    environment: str | None,
    state_file: str | None,
    named_file: str | None,
    kill_file: Path,
    tmp_path: Path,
    runtime: ThreadRuntime,
    watching: Watching,
) -> None:
    files = {Source.STATE_FILE: kill_file, Source.NAMED_FILE: tmp_path / "other"}
    for path, text in zip(files.values(), (state_file, named_file), strict=True):
        if text is not None:
            path.write_text(text)

    watching(runtime, environment, files).look_once()

    said = {ENVIRONMENT: environment, STATE_FILE: state_file, NAMED_FILE: named_file}
    expected = {
        code: CLOSE_ONLY if text.strip() == "close_only" else HALTED
        for code, text in said.items()
        if text is not None
    }
    assert standing(runtime) == expected
    assert runtime.gate.state is max(
        (TradingState.ACTIVE, *expected.values()), key=lambda state: state.severity
    )


def test_a_kill_is_latched_once_and_gets_worse_only_i04(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    watch = watching(runtime)
    epochs = []
    for text in ("close_only", "close_only", "halt_all", "close_only", "halt_all"):
        kill_file.write_text(text)
        watch.look_once()
        epochs.append(runtime.gate.epoch)

    first = epochs[0]
    assert epochs == [first, first, first + 1, first + 1, first + 1]
    assert standing(runtime) == {STATE_FILE: HALTED}


def test_a_kill_stays_when_its_file_is_gone_i04(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    watch = watching(runtime)
    kill_file.write_text("halt_all")
    watch.look_once()

    kill_file.unlink()
    for _ in range(10):
        watch.look_once()

    assert standing(runtime) == {STATE_FILE: HALTED}


def test_a_kill_that_was_cleared_comes_back_as_long_as_its_file_is_there_i05(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    watch = watching(runtime)
    kill_file.write_text("halt_all")
    watch.look_once()

    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    watch.look_once()
    with_the_file = standing(runtime)
    kill_file.unlink()
    runtime.gate.arm((), "an operator", runtime.gate.epoch)
    watch.look_once()

    assert with_the_file == {STATE_FILE: HALTED}
    assert standing(runtime) == {}


def test_the_thread_sees_a_file_that_appears_i07_i12(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    watching(runtime).start()
    assert runtime.gate.state is TradingState.ACTIVE

    kill_file.write_text("halt_all")

    assert eventually(lambda: STATE_FILE in standing(runtime))


def test_a_change_takes_effect_in_time_though_another_disk_is_silent_i07() -> None:
    # A look that has just missed the change, the silence in it, the period, the look that sees it.
    assert 2 * WAITS_A_LOOK * WAIT_S + PERIOD_S < TAKES_EFFECT_WITHIN_S


class DeadMount:
    """Where the file with this name is, the disk does not answer until it is told to."""

    def __init__(self, name: str) -> None:
        self.answers = threading.Event()
        self.asked = 0
        self.answered = 0
        self._name = name

    def read(self, path: Path) -> Sight:
        if path.name == self._name:
            self.asked += 1
            assert self.answers.wait(60)
            self.answered += 1
        return read_kill_file(path)


def test_a_disk_that_does_not_answer_halts_and_holds_nobody_up_i07(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path, tmp_path: Path
) -> None:
    dead = DeadMount("other")
    files = {Source.NAMED_FILE: tmp_path / "other", Source.STATE_FILE: kill_file}
    kill_file.write_text("close_only")
    watch = watching(runtime, files=files, wait_s=0.01, read=dead.read)

    watch.look_once()
    kill_file.write_text("halt_all")
    watch.look_once()

    dead.answers.set()
    assert standing(runtime) == {NAMED_FILE: HALTED, STATE_FILE: HALTED}
    (cause,) = [cause for cause in kills_standing(runtime) if cause.code == NAMED_FILE]
    assert cause.detail.startswith(f"{tmp_path / 'other'} did not answer within 0.4 s")


def test_a_disk_that_is_slow_now_and_then_halts_nothing_i07(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    slow = DeadMount("kill_switch")
    slow.answers.set()
    watch = watching(runtime, wait_s=0.01, read=slow.read)
    watch.look_once()

    for _ in range(2):  # alone neither silence is too long; together they would be
        slow.answers.clear()
        for _ in range(5):
            watch.look_once()
        slow.answers.set()
        assert eventually(lambda: slow.answered == slow.asked)
        watch.look_once()
        watch.look_once()

    assert standing(runtime) == {}


def test_a_disk_that_falls_silent_in_a_run_halts_after_forty_waits_i07(
    runtime: ThreadRuntime, watching: Watching
) -> None:
    dead = DeadMount("kill_switch")
    dead.answers.set()
    watch = watching(runtime, wait_s=0.01, read=dead.read)
    watch.look_once()

    dead.answers.clear()
    seen = []
    for _ in range(9):
        watch.look_once()
        seen.append(STATE_FILE in standing(runtime))

    dead.answers.set()
    assert seen == [False] * 7 + [True] * 2


def test_a_reader_that_breaks_halts_i07(runtime: ThreadRuntime, watching: Watching) -> None:
    def read(path: Path) -> Sight:
        raise Broken("a bug")

    watch = watching(runtime, read=read)
    with thread_failures() as heard:
        watch.look_once()
        watch.stop(WITHIN_S)

    (cause,) = kills_standing(runtime)
    assert (cause.code, cause.state) == (STATE_FILE, HALTED)
    assert "could not be looked at (Broken: a bug) (counts as halt_all)" in cause.detail
    assert heard == [Broken]


def test_a_watch_that_cannot_go_on_halts_i07_i12(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    def break_down(cause: Cause, epoch: int) -> None:
        raise Broken("nobody may be told")

    kill_file.write_text("close_only")
    runtime.gate.on_trip(break_down)

    with pytest.raises(Broken):
        watching(runtime).keep_looking()

    assert standing(runtime) == {STATE_FILE: CLOSE_ONLY, "kill_switch:watch": HALTED}


def test_it_ends_when_it_is_told_to(watching: Watching, runtime: ThreadRuntime) -> None:
    before = threading.active_count()
    watch = watching(runtime)
    watch.look_once()
    watch.start()

    assert watch.stop(WITHIN_S)

    assert threading.active_count() == before
    assert standing(runtime) == {}


def happening(
    watching: Watching, kill_file: Path, before: Callable[[SimRuntime], None], word: str
) -> Callable[[SimRuntime], None]:
    """First something else, then a kill file, all in one instant, which no actor has a turn in."""

    def happen(runtime: SimRuntime) -> None:
        before(runtime)
        kill_file.write_text(word)
        watching(runtime).look_once()
        assert standing(runtime)[STATE_FILE].value == {"halt_all": "halted"}.get(word, word)

    return happen


ENTRY_AND_STOP = ("entry", "protect")
"""What was sent by minute 20: the one entry, and the stop that rests behind it."""


def orders_sent(played: Played) -> int:
    return len(played.journal.events("intent_stored"))


ALL_ACTORS = (
    paths.STATE_PERSISTER,
    paths.JOURNAL_WRITER,
    paths.RISK_GUARDIAN,
    paths.BROKER_GATEWAY,
    paths.DATA_FEED,
    paths.HEALTH_MONITOR,
    paths.REPORTER,
    BOT,
)


@pytest.mark.parametrize("actor", ALL_ACTORS, ids=lambda ref: ref.name)
@pytest.mark.parametrize("minute", [14, 20])
def test_a_kill_works_while_any_actor_hangs_i12(
    actor: Ref[Any], minute: int, kill_file: Path, watching: Watching
) -> None:
    played: list[SimRuntime] = []

    def hold(runtime: SimRuntime) -> None:
        played.append(runtime)
        runtime.cells[actor.path].tell_system(Suspend())

    at = OPEN_AT + minute * MINUTE
    result = run_out(at, happening(watching, kill_file, hold, "halt_all"))

    (runtime,) = played
    assert standing(runtime)[STATE_FILE] is HALTED
    assert result is None or orders_sent(result) <= (0 if minute == 14 else len(ENTRY_AND_STOP))
    assert runtime.gate.state is HALTED


@pytest.mark.parametrize("actor", ALL_ACTORS, ids=lambda ref: ref.name)
def test_a_kill_works_while_any_actor_is_dead_i12(
    actor: Ref[Any], kill_file: Path, watching: Watching
) -> None:
    played: list[SimRuntime] = []

    def kill(runtime: SimRuntime) -> None:
        played.append(runtime)
        runtime.stop_cell(runtime.cells[actor.path], "a test")

    at = OPEN_AT + 20 * MINUTE
    run_out(at, happening(watching, kill_file, kill, "halt_all"))

    (runtime,) = played
    assert standing(runtime)[STATE_FILE] is HALTED


def run_out(at: int, happen: Callable[[SimRuntime], None]) -> Played | None:
    """The session with this in it; None if nobody is left to sum it up."""
    try:
        return play(MARKET, at={at: happen})
    except (NobodyThere, NoReplyInTime):
        return None


def test_after_a_kill_by_file_nothing_is_sent_i01_i12(kill_file: Path, watching: Watching) -> None:
    def nothing(runtime: SimRuntime) -> None:
        """Everything works."""

    before_the_entry = play(
        MARKET, at={OPEN_AT + 15 * MINUTE - 1: happening(watching, kill_file, nothing, "halt_all")}
    )
    kill_file.unlink()
    while_holding = play(
        MARKET, at={OPEN_AT + 20 * MINUTE: happening(watching, kill_file, nothing, "halt_all")}
    )

    assert orders_sent(before_the_entry) == 0
    assert orders_sent(while_holding) == len(ENTRY_AND_STOP)
    assert [str(lot.quantity) for lot in while_holding.summary.held] == ["9"]


def test_a_kill_of_entries_lets_the_exit_pass_i09(kill_file: Path, watching: Watching) -> None:
    def nothing(runtime: SimRuntime) -> None:
        """Everything works."""

    played = play(
        MARKET, at={OPEN_AT + 20 * MINUTE: happening(watching, kill_file, nothing, "close_only")}
    )

    assert [trade.exit_reason for trade in played.summary.trades] == ["take_profit"]
    assert played.summary.held == ()
    assert standing(played.runtime) == {STATE_FILE: CLOSE_ONLY}


def test_a_kill_during_another_halt_and_the_other_way_round_leave_both_i04(
    runtime: ThreadRuntime, watching: Watching, kill_file: Path
) -> None:
    other = Cause(
        code="operator-halt",
        cause_class=CauseClass.INTEGRITY,
        state=HALTED,
        since=1,
        detail="a test",
    )
    kill_file.write_text("close_only")

    runtime.gate.trip(other)
    watching(runtime).look_once()

    assert standing(runtime) == {"operator-halt": HALTED, STATE_FILE: CLOSE_ONLY}
    assert effective_state(runtime.gate.standing()) is HALTED


def test_a_kill_is_told_to_the_journal_and_the_history(kill_file: Path, watching: Watching) -> None:
    def nothing(runtime: SimRuntime) -> None:
        """Everything works."""

    at = OPEN_AT + 20 * MINUTE
    played = play(MARKET, at={at: happening(watching, kill_file, nothing, "halt_all")})

    (record,) = played.journal.events("kill_switch")
    detail = f"{kill_file} says halt_all; to take it back, remove the file, then resume"
    assert record["source"] == SOURCE
    assert (record["code"], record["state"], record["detail"]) == (STATE_FILE, "HALTED", detail)
    assert detail in [event.detail for event in played.runtime.history if event.what == "halted"]
