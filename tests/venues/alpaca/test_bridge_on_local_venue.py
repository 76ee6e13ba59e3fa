"""The equity bridge over REST: on an honest venue it is zero, and what is planted is named."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import count
from pathlib import Path
from time import monotonic

import pytest
from msgspec.structs import replace

from hydra.ops.equity.between import AT_THE_CLOSE, Kept, bridged
from hydra.store.looking import looked_at
from hydra.store.money_moves import record_side
from hydra.trading.account_moves import RecordSide
from hydra.trading.account_reading import AccountStatement
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.trading.equity_bridge import EquityBridge, Section
from hydra.trading.fees import ALPACA_FEES
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
from tests.venues.alpaca.test_fees_on_local_venue import (
    BTC,
    TERMS,
    Desk,
    Scene,
    market_order,
    scene,
)
from tests.venues.server.kit import MINUTE, OPEN, in_loop, rising, served, venue_on

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


def over_night(tmp_path: Path, test: Test) -> None:
    """As `play`, on a venue whose market goes on the next day, at other prices."""
    day = 24 * 60
    bars = [
        *rising("HYDR", 390),
        *rising(BTC, 390),
        *(moved(each, day) for each in rising("HYDR", 60, first=120.0)),
        *(moved(each, day) for each in rising(BTC, 60, first=90.0)),
    ]
    venue = venue_on(*bars)

    async def whole() -> None:
        async with served(venue, TERMS) as port:
            await venue.move_to(OPEN + 10 * MINUTE)
            desk = await asyncio.to_thread(Desk, venue, port, tmp_path / "ledger.db", ALPACA_FEES)
            try:
                assert await desk.compare() == []
                await test(venue, desk, Bridging(venue, desk, tmp_path))
            finally:
                await asyncio.to_thread(desk.close)

    in_loop(whole)


def moved(each: Bar, minutes: int) -> Bar:
    later = minutes * MINUTE
    return replace(each, start_at=each.start_at + later, end_at=each.end_at + later)


@pytest.mark.slow  # which loads the exchange's calendar
def test_what_was_held_over_night_is_followed_from_the_last_close(tmp_path: Path) -> None:
    async def test(venue: LocalVenue, desk: Desk, bridging: Bridging) -> None:
        await desk.trade(market_order("a", Side.BUY, D(7), "HYDR"), Role.ENTRY)
        await desk.trade(market_order("b", Side.BUY, D("0.333333333")), Role.ENTRY)
        assert await desk.compare() == []
        await venue.move_to(OPEN + DAY + 10 * MINUTE)
        await desk.trade(market_order("c", Side.SELL, D(3), "HYDR"), Role.EXIT)
        assert await desk.compare() == []
        venue.act(ChangeCash(amount=D(9), activity="INT"))
        old = replace(bridging.record(), opening=None)

        statement = await bridging.statement()
        found = bridged(statement, old, None, tmp_path)

        assert statement.last_session == "2026-01-05"
        assert (found.since, found.unknown) == (AT_THE_CLOSE, "")
        assert (found.unexplained, found.differences) == (D(0), ())
        assert found.began == statement.last_equity
        assert {line.of for line in found.lines} >= {"bot", "HYDR", BTC, "INT"}
        assert found.began is not None
        off = replace(statement, last_equity=found.began - D("0.01"))
        assert bridged(off, old, None, tmp_path).unexplained == D("0.01")

        venue.act(foreign("HYDR", Side.SELL, D(4)))
        await venue.move_to(venue.now() + 3 * MINUTE)
        gone = bridged(await bridging.statement(), old, None, tmp_path)
        assert (gone.unexplained, gone.is_zero) == (None, False)
        assert "7 HYDR was held at the last close and is gone" in gone.unknown

    over_night(tmp_path, test)
