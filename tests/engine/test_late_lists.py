"""The venue's lists show what it has done some seconds after it has told it (F99, PROTOCOL 22)."""

from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.trading.late_lists import SHOWN_WITHIN
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import Hide
from messages.reconciliation import (
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SnapshotFailed,
    SnapshotTaken,
)
from supervisors import paths
from tests.engine.harness import Life, World, begun, plan_of, quiet
from tests.engine.judge import require_agreement, require_sound

AGAIN = ReconcileNow(reason="a test")


def hidden(lag: int) -> World:
    """A venue in whose lists the first order, with its executions, is late by so many seconds."""
    return World(quiet(), plan_of(Hide(for_ns=lag * SECOND)))


def entered_unlisted(
    patch: pytest.MonkeyPatch, world: World, lag: int, **unlisted: tuple[()]
) -> Life:
    """Three shares were bought this moment; for `lag` from now on the venue's snapshots show these
    lists of theirs empty.
    """
    life = begun(world)
    life.enter(3)
    while not life.positions:
        life.run_closely(SECOND // 10)
    shown_from = life.now + lag
    honest = SimulatedExchange._snapshot

    def late(
        venue: SimulatedExchange, number: int, read_from: int, at: int
    ) -> SnapshotTaken | SnapshotFailed:
        taken = honest(venue, number, read_from, at)
        if isinstance(taken, SnapshotTaken) and at < shown_from:
            taken = structs.replace(taken, snapshot=structs.replace(taken.snapshot, **unlisted))
        return taken

    patch.setattr(SimulatedExchange, "_snapshot", late)
    return life


@pytest.mark.parametrize("lag", [1, 3, 8, 20])
def test_lists_that_are_late_halt_nothing_i60(lag: int) -> None:
    world = hidden(lag)
    life = begun(world)
    life.enter(3)
    life.run_for(SECOND // 10)

    life.tell(paths.BROKER_GATEWAY, AGAIN)
    life.run_for(3 * MINUTE)

    assert life.causes == {}
    assert life.view(paths.BROKER_GATEWAY)["agrees"] is True
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("lag", [1, 3, 8])
def test_only_the_list_of_executions_may_be_late_i60(
    lag: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(quiet())
    life = entered_unlisted(monkeypatch, world, lag * SECOND, fills=())

    life.tell(paths.BROKER_GATEWAY, AGAIN)
    life.run_for(2 * MINUTE)

    assert life.causes == {}
    require_agreement(world)


def test_while_a_list_may_be_late_nothing_is_entered_there_and_exits_go_i60(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(quiet())
    life = entered_unlisted(monkeypatch, world, 20 * SECOND, fills=())
    life.tell(paths.BROKER_GATEWAY, AGAIN)
    life.run_closely(SECOND)

    life.enter(1, bot="mom_AAPL_cross")
    life.exit(3)
    life.run_closely(SECOND)

    assert len(world.submitted) == 2
    (withheld,) = life.told("OrderWithheld")
    assert withheld.reason.startswith("record and venue may only differ for a moment: fill not at")
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    assert (report.differences, report.checked) == ((), False)


def test_what_is_still_so_when_no_list_may_be_late_any_more_halts_i60(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    life = entered_unlisted(monkeypatch, World(quiet()), 10 * MINUTE, fills=())
    life.tell(paths.BROKER_GATEWAY, AGAIN)

    life.run_closely(SHOWN_WITHIN - 2 * SECOND)
    while_it_may = dict(life.causes)
    life.run_closely(15 * SECOND)

    assert while_it_may == {}
    assert life.causes == {"reconciliation": TradingState.HALTED}


def test_an_engine_that_starts_anew_knows_from_the_record_what_may_be_late_i06_i60(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = entered_unlisted(monkeypatch, world, 15 * SECOND, fills=())
    life.die()

    life = world.begin(with_bots=False)
    life.run_closely(10 * SECOND)
    at_first = dict(life.causes)
    life.run_for(2 * MINUTE)

    assert "start" in at_first and "reconciliation" not in at_first
    assert "reconciliation" not in life.causes
    assert "start" not in life.causes
    require_agreement(world)


def test_a_flatten_is_not_done_by_lists_that_are_late_i60(monkeypatch: pytest.MonkeyPatch) -> None:
    # Read twice, 2 s apart, the account is empty, and holds what was bought a moment ago.
    world = World(quiet())
    life = entered_unlisted(monkeypatch, world, 12 * SECOND, positions=())

    life.flatten()
    life.run_closely(11 * SECOND)
    phase_meanwhile = life.flatten_report.phase
    life.run_for(4 * MINUTE)

    assert phase_meanwhile == "verifying"
    assert life.flatten_report.phase == "flat"
    assert world.positions == life.positions == {}
    assert life.causes.keys() == {"flatten"}
    require_sound(world)
    require_agreement(world)
