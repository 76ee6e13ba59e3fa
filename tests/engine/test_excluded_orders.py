"""An order of ours that ended in a way that cannot be booked, and that an operator left alone.

By that word it is over: its bot, the exit bot and a flatten can close what it left behind.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.trading.differences import DifferenceKind
from hydra.venues.simulated.faults import Lose, Overfill
from hydra.venues.simulated.misbehaviour import Misbehaviour
from messages.reconciliation import (
    DifferenceSettled,
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SettleDifference,
)
from supervisors import paths
from tests.engine.harness import OPEN_AT, Life, World, bars_of, market_of, plan_of, rising, struck
from tests.engine.judge import require_sound

BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")
FLAT = market_of(bars_of([100.0] * 3 + rising(12) + [100.5] * 60))
PRICE = Decimal("100.35")
OVERFILLED = plan_of(Overfill(extra=Decimal(2)))
UNLISTED = plan_of(struck(Lose(), what="OrderFilled"))
"""Of an execution; where the venue's lists do not have it either, nobody ever hears of it."""
SETTLED_BY: dict[DifferenceKind, dict[str, Any]] = {
    DifferenceKind.POSITION: {"decision": "assign", "bot": "mom_AAPL", "price": PRICE},
    DifferenceKind.CASH: {"decision": "adjust"},
}


def leave_out_an_execution(patch: pytest.MonkeyPatch, world: World) -> None:
    """The venue's lists never have the first one there was."""
    register, left_out = world.exchange.engine._register, list[str]()
    whole = register.fills_since

    def fills_since(at: int) -> Any:
        found = whole(at)
        left_out.extend([each.execution_id for each in found[: not left_out]])
        return tuple(each for each in found if each.execution_id not in left_out)

    patch.setattr(register, "fills_since", fills_since)


def excluded(
    patch: pytest.MonkeyPatch, plan: Misbehaviour, ledger_path: Path | None = None
) -> tuple[World, Life]:
    """All is settled as it is advised, and a person has let the halt go."""
    world = World(FLAT, plan, ledger_path=ledger_path)
    if plan is UNLISTED:
        leave_out_an_execution(patch, world)
    life = world.begin()
    life.run_to(OPEN_AT + 12 * MINUTE + 30 * SECOND)
    compared(life)
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    assert [each.kind for each in report.differences] == [
        DifferenceKind.IMPOSSIBLE_ORDER if plan is OVERFILLED else DifferenceKind.FILLS_INCOMPLETE,
        DifferenceKind.POSITION,
        DifferenceKind.CASH,
    ]
    for each in report.differences:
        how = SETTLED_BY.get(each.kind, {"decision": "exclude"})
        amount = each.amount if each.kind in SETTLED_BY else None
        wish = SettleDifference(
            kind=each.kind,
            subject=each.subject,
            amount=amount,
            reason="I have asked",
            operator="ada",
            **how,
        )
        assert isinstance(life.ask(paths.STATE_PERSISTER, wish), DifferenceSettled)
    compared(life)
    life.resume()
    assert world.positions == {"AAPL": Decimal(11 if plan is OVERFILLED else 9)}
    return world, life


def compared(life: Life) -> None:
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.run_closely(6 * SECOND)


PLANS = pytest.mark.parametrize("plan", [OVERFILLED, UNLISTED], ids=["overfilled", "unlisted"])


@PLANS
def test_its_bot_does_not_wait_for_it_and_leaves_what_it_bought_i25_i29(
    monkeypatch: pytest.MonkeyPatch, plan: Misbehaviour
) -> None:
    world, life = excluded(monkeypatch, plan)
    (entry,) = life.ledger.orders()

    working, causes = life.view(BOT)["working"], life.causes
    life.run_to(OPEN_AT + 52 * MINUTE)  # 25 minutes are up

    assert (entry.state.status.value, working, causes) == ("canceled", [], {})
    assert life.positions == world.positions == {}
    assert [name[-1] for name in world.submitted] == ["e", "p", "x"]
    require_sound(world)


@PLANS
def test_a_flatten_does_not_wait_for_it_i29_i43(
    monkeypatch: pytest.MonkeyPatch, plan: Misbehaviour
) -> None:
    world, life = excluded(monkeypatch, plan)

    life.flatten()
    life.run_closely(5 * MINUTE)

    assert life.flatten_report.phase == "flat"
    assert life.positions == world.positions == {}
    require_sound(world)


def test_the_exit_bot_does_not_wait_for_it_where_its_bot_is_down_i29_i69(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, life = excluded(monkeypatch, OVERFILLED)
    for _ in range(6):
        life.crash(BOT)
        life.advance(SECOND)

    life.run_to(OPEN_AT + 52 * MINUTE)

    assert life.positions == world.positions == {}
    require_sound(world)


def test_after_a_restart_nobody_waits_for_it_i29_i38(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world, life = excluded(monkeypatch, OVERFILLED, tmp_path / "ledger.db")
    life.die()

    life = world.begin()
    working = life.view(BOT)["working"]
    life.run_to(OPEN_AT + 52 * MINUTE)

    assert (working, life.causes) == ([], {})
    assert life.positions == world.positions == {}
    require_sound(world)
