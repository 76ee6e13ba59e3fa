"""The equity bridge over REST: on an honest venue it is zero, and what is planted is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from time import monotonic

import pytest

from hydra.ops.equity.between import AT_THE_CLOSE, Kept, bridged
from hydra.store.looking import looked_at
from hydra.store.money_moves import record_side
from hydra.trading.account_moves import RecordSide
from hydra.trading.account_reading import AccountStatement
from hydra.trading.equity_bridge import EquityBridge, Section
from hydra.trading.orders import Role, Side
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.statement import read_statement
from hydra.venues.simulated.brokerage.acts import (
    Act,
    AssignOption,
    BustExecution,
    ChangeCash,
    CorrectExecution,
    DriftPosition,
    ForeignOrder,
    SplitSymbol,
)
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.words import OrderType, TimeInForce
from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.alpaca.test_fees_on_local_venue import BTC, Desk, Scene, market_order, scene
from tests.venues.server.kit import MINUTE

__all__ = ["scene"]

D = Decimal
CALL = "HYDR260116C00100000"


class Bridging:
    """Reads the account as the command does, and the record beside it."""

    def __init__(self, venue: LocalVenue, desk: Desk, path: Path) -> None:
        self._venue, self._desk, self._path = venue, desk, path
        self._minutes = count()  # no budget is short here
        self._calls = Calls(
            desk.client,
            Shares(),
            minutes_by=lambda: MINUTE * next(self._minutes),
            market_time=venue.now,
            ended=lambda _: None,
        )
        self.kept: Kept | None = None

    async def statement(self) -> AccountStatement:
        since = None if self.kept is None else self.kept.reading.at
        deadline = monotonic() + 5
        return await asyncio.to_thread(read_statement, self._calls, since, deadline=deadline)

    async def keep(self) -> None:
        self.kept = Kept("the test's", (await self.statement()).reading)
        await self._venue.move_to(self._venue.now() + MINUTE)

    def record(self) -> RecordSide:
        return looked_at(self._desk.path, self._path / "no-lock", record_side)

    async def bridge(self) -> EquityBridge:
        return bridged(await self.statement(), self.record(), self.kept, self._path)


Test = Callable[[LocalVenue, Desk, Bridging], Awaitable[None]]


@pytest.fixture
def play(scene: Scene, tmp_path: Path) -> Callable[[Test], None]:
    def run(test: Test) -> None:
        async def whole(venue: LocalVenue, desk: Desk) -> None:
            await test(venue, desk, Bridging(venue, desk, tmp_path))

        scene(whole)

    return run


def foreign(symbol: str, side: Side, quantity: Decimal) -> ForeignOrder:
    return ForeignOrder(
        PlaceOrder(
            symbol=symbol,
            quantity=quantity,
            side=side,
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC if symbol == BTC else TimeInForce.DAY,
        )
    )


async def a_busy_day(venue: LocalVenue, desk: Desk) -> None:
    """Bots trade shares, coins and contracts; somebody else does too; money comes and goes."""
    await desk.trade(market_order("b", Side.BUY, D("0.333333333")), Role.ENTRY)
    assert await desk.compare() == []
    await desk.trade(market_order("c", Side.SELL, D("0.1")), Role.EXIT)
    await desk.trade(market_order("d", Side.BUY, D(2), CALL), Role.ENTRY)
    assert await desk.compare() == []
    await desk.trade(market_order("e", Side.SELL, D(3), "HYDR"), Role.EXIT)
    assert await desk.compare() == []
    for act in (
        ChangeCash(amount=D(5000), activity="CSD"),
        ChangeCash(amount=D("-0.02"), activity="FEE", description="TAF fee"),
        ChangeCash(amount=D("6.12"), activity="DIV", symbol="HYDR"),
        ChangeCash(amount=D("-12.5"), activity="JNLC"),
        ChangeCash(amount=D("0.01"), activity="NEVERSEEN"),
        foreign("HYDR", Side.BUY, D(2)),
        foreign(BTC, Side.BUY, D("0.05")),
        foreign(CALL, Side.SELL, D(3)),
    ):
        venue.act(act)
    await venue.move_to(venue.now() + 3 * MINUTE)
    venue.act(AssignOption(contract=CALL, quantity=D(1)))
    venue.act(SplitSymbol(symbol="HYDR", new=2, old=1))
    await venue.move_to(venue.now() + 3 * MINUTE)


@pytest.mark.parametrize(
    "is_kept",
    [True, pytest.param(False, marks=pytest.mark.slow)],  # which loads the exchange's calendar
)
def test_a_busy_day_comes_to_zero(play: Callable[[Test], None], is_kept: bool) -> None:
    async def test(venue: LocalVenue, desk: Desk, bridging: Bridging) -> None:
        await desk.trade(market_order("a", Side.BUY, D(7), "HYDR"), Role.ENTRY)
        if is_kept:
            await bridging.keep()
        await a_busy_day(venue, desk)

        found = await bridging.bridge()

        assert found.differences == ()
        assert (found.unexplained, found.unknown) == (D(0), "")
        assert found.since == ("the test's" if is_kept else AT_THE_CLOSE)
        told = {(line.section, line.of) for line in found.lines}
        assert (Section.ACTIVITIES, "NEVERSEEN") in told
        assert (Section.ACTIVITIES, "DIV HYDR") in told
        assert (Section.FEES, "FEE") in told
        assert {each.name for each, _ in told} >= {
            "REALISED", "UNREALISED", "FEES", "ACTIVITIES", "OPTIONS", "FOREIGN"
        }  # fmt: skip

    play(test)


async def planted(venue: LocalVenue, bridging: Bridging, act: Act) -> list[tuple[str, Decimal]]:
    """What is named once this was done to the account, which was read before."""
    await bridging.keep()
    venue.act(act)
    found = await bridging.bridge()
    assert not found.is_zero
    assert found.unexplained == sum(each.amount for each in found.differences)
    return [(each.what, each.amount) for each in found.differences]


def test_each_planted_difference_is_named_with_its_amount(play: Callable[[Test], None]) -> None:
    async def test(venue: LocalVenue, desk: Desk, bridging: Bridging) -> None:
        await desk.trade(market_order("a", Side.BUY, D(7), "HYDR"), Role.ENTRY)
        assert await desk.compare() == []
        (bought,) = desk.ledger.fills()

        cash = "cash changed by what no activity says"
        assert await planted(venue, bridging, ChangeCash(amount=D(7), activity="")) == [
            (cash, D(7))
        ]
        ((what, amount),) = await planted(
            venue, bridging, DriftPosition(symbol="HYDR", quantity=D(2))
        )
        assert what == "+2 HYDR by what no activity says"
        assert amount == 2 * (await bridging.statement()).reading.marks[0].price
        other_price = bought.price + 1
        correction = CorrectExecution(execution_id=bought.execution_id, price=other_price)
        assert await planted(venue, bridging, correction) == [(cash, D(-7))]

        await bridging.keep()
        await desk.trade(market_order("b", Side.SELL, D(3), "HYDR"), Role.EXIT)
        unheard = await bridging.bridge()
        (difference,) = unheard.differences
        assert "is an execution of our order hy1-20260105-b, and not on record" in difference.what
        assert unheard.unexplained == difference.amount
        assert await desk.compare() != []  # the drift; the execution is taken up
        assert (await bridging.bridge()).is_zero
        sold = desk.ledger.fills()[-1]
        named = await planted(venue, bridging, BustExecution(sold.execution_id))
        assert [what for what, _ in named] == [cash, "+3 HYDR by what no activity says"]

    play(test)
