"""The loop in the whole engine (A8): each entry needs the pass of a loop that has just been."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import Envelope
from hydra.trading.trading_state import TradingState
from messages.health import ReportHealth
from messages.lifecycle import StartChild, StopChild
from messages.loops import LoopRan, LoopsReported, ReportLoops
from supervisors import paths
from tests.engine.harness import ENTRY_AT, Life, World, begun, quiet, settings_with


def slow_answers(life: Life) -> Callable[[], None]:
    """The data feed has much to do: it says how it is a minute late."""

    def late(cell: Cell, envelope: Envelope) -> tuple[int, ...] | None:
        is_its = cell.path == paths.DATA_FEED.path and isinstance(envelope.message, ReportHealth)
        return (MINUTE,) if is_its else None

    return life.runtime.add_filter(late)


def why_denied(life: Life) -> list[str]:
    return [str(record["reason"]) for record in life.journal.events("order_denied")]


def loops(life: Life) -> LoopsReported:
    answer = life.ask(paths.HEALTH_MONITOR, ReportLoops())
    assert isinstance(answer, LoopsReported)
    return answer


def test_a_busy_machine_enters_nothing_and_is_not_halted_by_that_alone() -> None:
    world = World(quiet())
    life = begun(world)
    relieve = slow_answers(life)
    life.advance(8 * SECOND)  # one loop, and the time in which an answer is due

    life.enter()
    assert (life.state, life.denials) == (TradingState.ACTIVE, ["loop_has_passed"])
    assert why_denied(life) == [f"preflight did not pass in loop {loops(life).finished}"]

    relieve()
    life.advance(6 * SECOND)
    life.enter()
    assert life.denials == ["loop_has_passed"]
    assert len(world.submitted) == 1


@pytest.mark.parametrize(("is_again", "is_known"), [(True, True), (False, False)])
def test_loops_that_follow_at_once_at_a_start_do_not_age_what_was_read_of_the_account(
    is_again: bool, is_known: bool
) -> None:
    life = World(quiet()).begin()
    life.run_to(ENTRY_AT)

    for number in range(20):
        ran = LoopRan(number=number, passed=False, at=life.now, is_again=is_again)
        life.tell(paths.bot("exit_bot"), ran)
    life.advance(0)

    assert life.journal.events("coverage_changed")[-1]["is_known"] is is_known


def test_what_says_nothing_for_three_loops_halts_i70() -> None:
    life = begun(World(quiet()))
    slow_answers(life)

    life.advance(18 * SECOND)

    assert life.causes == {"preflight": TradingState.HALTED}


def test_where_loops_have_stopped_nothing_is_entered_and_positions_are_left() -> None:
    world = World(quiet())
    life = begun(world)
    name = life.enter()
    life.run_for(MINUTE)
    assert life.status_of(name) == "filled"
    last = loops(life).finished

    life.ask(paths.CORE, StopChild(name=paths.HEALTH_MONITOR.name))
    life.advance(11 * SECOND)
    life.enter(quantity=2)
    life.exit()

    assert life.denials == ["loop_has_passed"]
    assert why_denied(life) == [f"no preflight for 2 loops since loop {last}, at most 1 allowed"]
    assert len(world.submitted) == 2

    life.ask(paths.CORE, StartChild(name=paths.HEALTH_MONITOR.name))
    life.run_for(MINUTE)
    life.enter(quantity=3)
    assert life.denials == ["loop_has_passed"]
    assert len(world.submitted) == 3


def test_how_long_a_loop_takes_is_as_the_settings_say() -> None:
    def begun_in(seconds: int, minutes: int) -> int:
        settings = settings_with({"runner.loop_interval_seconds": seconds})
        life = World(quiet(), settings=settings).begin(with_bots=False)
        before = loops(life).begun
        life.advance(minutes * MINUTE)
        return loops(life).begun - before

    assert (begun_in(5, 1), begun_in(20, 1)) == (12, 3)


def test_loops_are_numbered_on_over_a_crash_and_none_is_numbered_twice(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    first = begun(world)
    last = loops(first).begun
    first.die()

    second = world.begin(with_bots=False)

    assert last < loops(second).begun <= last + 200
