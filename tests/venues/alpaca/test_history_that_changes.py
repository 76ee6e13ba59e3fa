"""Executions that are taken back or corrected, and shares that split: found, and not made up."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from hydra.trading.differences import CASH, DifferenceKind
from hydra.trading.orders import Role, Side
from hydra.venues.simulated.brokerage.acts import (
    Act,
    BustExecution,
    CorrectExecution,
    SplitSymbol,
)
from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.alpaca.test_fees_on_local_venue import Desk, Scene, market_order, scene
from tests.venues.server.kit import MINUTE

__all__ = ["scene"]

SHARE = "HYDR"


def bust(execution: str) -> Act:
    return BustExecution(execution)


def correct(execution: str) -> Act:
    return CorrectExecution(execution_id=execution, price=Decimal(99), quantity=Decimal(8))


def split(_: str) -> Act:
    return SplitSymbol(symbol=SHARE, new=2, old=1)


POSITION, MONEY = (DifferenceKind.POSITION, SHARE), (DifferenceKind.CASH, CASH)


@pytest.mark.parametrize(
    ("change", "found"),
    [(bust, [POSITION, MONEY]), (correct, [POSITION, MONEY]), (split, [POSITION])],
)
@pytest.mark.parametrize("restarts", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_what_changes_afterwards_is_a_difference_and_the_record_stays_i22_i23_i60_i61(
    scene: Scene,
    change: Callable[[str], Act],
    found: list[tuple[DifferenceKind, str]],
    restarts: bool,
) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, Decimal(10), SHARE), Role.ENTRY)
        assert await desk.compare() == []
        before = desk.ledger.fills()
        await venue.move_to(venue.now() + 30 * MINUTE)

        venue.act(change(before[0].execution_id))
        if restarts:
            desk.restart()

        assert await desk.compare() == found
        assert desk.ledger.fills() == before
        assert desk.position == 10

    scene(test)
