"""The venue's one order of things: market, requests, acts, and who is told when."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hydra.runtime.clock import machine_time
from hydra.trading.bars import Bar
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.acts import CloseEarly, HaltSymbol, ResumeSymbol
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import TradeUpdate
from hydra.venues.simulated.brokerage.queries import OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.requests import CancelAllOrders, PlaceOrder
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import OrderType, TimeInForce, UpdateEvent
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.market.events import BarBegun, BarEnded, MarketEnded, TapeEvent
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.server.clock import BadClockOrder, VenueClock
from hydra.venues.simulated.server.driver import LEAD_NS, LocalVenue
from hydra.venues.simulated.server.log_lines import (
    ActDone,
    ClockMoved,
    RequestReceived,
    VenueLine,
)
from tests.venues.server.kit import (
    MINUTE,
    OPEN,
    SECOND,
    MachineClock,
    QuietBrokerage,
    in_loop,
    market,
    rising,
    tape_of,
    venue_on,
)

DAY = 24 * 60 * MINUTE
BUY = PlaceOrder(
    symbol="HYDR",
    quantity=Decimal(2),
    side=Side.BUY,
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
)


def a_day_later(symbol: str, price: float) -> list[Bar]:
    return [
        structs.replace(each, start_at=each.start_at + DAY, end_at=each.end_at + DAY)
        for each in rising(symbol, 2, first=price)
    ]


def move(venue: LocalVenue, at: int) -> None:
    asyncio.run(venue.move_to(at))


def test_time_comes_before_a_bar_begins_and_a_bar_ends_before_time_comes() -> None:
    brokerage = QuietBrokerage()
    first, second = rising("HYDR", 2)
    venue = venue_on(first, second, brokerage=brokerage)

    move(venue, OPEN + MINUTE)

    close = OPEN + MINUTE
    assert brokerage.heard == [
        ("comes to", OPEN),
        ("comes to", OPEN),
        ("begins", first),
        ("ends", first),
        ("comes to", close),
        ("begins", second),
        ("comes to", close),
    ]


def test_what_the_market_does_to_orders_is_told_before_the_market_itself() -> None:
    venue = venue_on(*rising("HYDR", 3))
    told: list[Any] = []
    venue.on_updates(lambda update: told.append(update.event))
    venue.on_market(lambda event: told.append(type(event)))
    venue.receive(BUY)
    del told[:]

    move(venue, OPEN)

    assert told.index(UpdateEvent.FILL) < told.index(BarBegun)


def test_a_request_that_cannot_go_on_record_has_no_effect() -> None:
    venue = venue_on(*rising("HYDR", 3))

    def full_disk(line: VenueLine) -> None:
        raise OSError("the disk is full")

    venue.record_in(full_disk)
    with pytest.raises(OSError, match="full"):
        venue.receive(BUY)

    assert venue.at_present().orders(OrderQuery(which=WhichOrders.ALL)) == ()


def test_the_record_has_every_request_act_and_move_and_each_update_of_the_market() -> None:
    venue = venue_on(*rising("HYDR", 400))
    lines: list[VenueLine] = []
    venue.record_in(lines.append)

    venue.receive(BUY)
    move(venue, OPEN + SECOND)
    venue.act(HaltSymbol("HYDR"))
    venue.run_at(60.0)

    assert lines == [
        RequestReceived(number=1, at=OPEN - LEAD_NS, wall_ns=0, events=0, request=BUY),
        MarketMoved(at=OPEN, wall_ns=0, events=1, executions=0),
        MarketMoved(at=OPEN, wall_ns=0, events=2, executions=1),
        ClockMoved(at=OPEN + SECOND, wall_ns=0, events=4, speed=0.0),
        ActDone(at=OPEN + SECOND, wall_ns=0, events=4, act=HaltSymbol("HYDR")),
        ClockMoved(at=OPEN + SECOND, wall_ns=0, events=4, speed=60.0),
    ]


def test_an_act_that_cannot_be_done_leaves_no_trace() -> None:
    venue = venue_on(*rising("HYDR", 3))
    lines: list[VenueLine] = []
    venue.record_in(lines.append)

    with pytest.raises(ValueError, match="NONE"):
        venue.act(HaltSymbol("NONE"))

    assert lines == []


def test_the_clock_is_not_moved_back() -> None:
    venue = venue_on(*rising("HYDR", 3))
    move(venue, OPEN)

    with pytest.raises(BadClockOrder, match="never goes back"):
        move(venue, OPEN - 1)

    assert venue.now() == OPEN


def test_who_asks_finds_everything_done_that_was_due() -> None:
    machine = MachineClock()
    tape = tape_of(market(*rising("HYDR", 5)))
    clock = VenueClock(OPEN - LEAD_NS, 60.0, machine)
    venue = LocalVenue(tape, Brokerage(BrokerageTerms(), tape), clock, wall_clock=lambda: 0)
    venue.receive(BUY)

    machine.ns = 3 * SECOND

    assert venue.now() == OPEN + 2 * MINUTE
    (position,) = venue.at_present().positions()
    assert (position.quantity, position.average_entry_price) == (Decimal(2), Decimal(100))


def test_nothing_is_told_of_a_halted_symbol() -> None:
    venue = venue_on(*rising("HYDR", 3), *rising("NOVA", 3))
    told: list[TapeEvent] = []
    venue.on_market(told.append)
    venue.act(HaltSymbol("HYDR"))
    move(venue, OPEN + MINUTE)
    venue.act(ResumeSymbol("HYDR"))
    move(venue, OPEN + 2 * MINUTE)

    ended = [event.bar.symbol for event in told if isinstance(event, BarEnded)]

    assert ended == ["NOVA", "HYDR", "NOVA"]


def test_an_early_close_comes_at_its_time_though_nothing_else_happens_then() -> None:
    brokerage = QuietBrokerage()
    venue = venue_on(*rising("HYDR", 1), brokerage=brokerage)
    move(venue, OPEN + MINUTE)
    close = OPEN + 90 * SECOND
    venue.act(CloseEarly(date(2026, 1, 5), close))
    del brokerage.heard[:]

    move(venue, OPEN + 5 * MINUTE)

    assert brokerage.heard[0] == ("comes to", close)


def test_a_dated_split_takes_effect_before_anything_else_of_its_day() -> None:
    split = Split(symbol="HYDR", ex_date=date(2026, 1, 6), new=2, old=1)
    tape = tape_of(market(*rising("HYDR", 2), *a_day_later("HYDR", 50.0)))
    venue = LocalVenue(
        tape,
        Brokerage(BrokerageTerms(), tape),
        VenueClock(OPEN, 0, lambda: 0),
        splits=(split,),
        wall_clock=lambda: 0,
    )
    venue.receive(BUY)

    move(venue, OPEN + DAY)

    (position,) = venue.at_present().positions()
    assert (position.quantity, position.average_entry_price) == (Decimal(4), Decimal(50))


def test_nights_are_skipped_to_a_minute_before_the_market_goes_on() -> None:
    tape = tape_of(market(*rising("HYDR", 1), *a_day_later("HYDR", 100.0)))
    machine = MachineClock()
    clock = VenueClock(OPEN + MINUTE, 6_000.0, machine)
    venue = LocalVenue(tape, QuietBrokerage(), clock, skips_nights=True, wall_clock=lambda: 0)
    machine.ns = 7 * SECOND  # over the close

    async def run_a_little() -> int:
        running = asyncio.create_task(venue.run())
        await asyncio.sleep(0.05)
        running.cancel()
        return venue.now()

    assert in_loop(run_a_little) == OPEN + DAY - LEAD_NS


def test_the_market_happens_by_the_clock_and_a_new_speed_holds_at_once() -> None:
    tape = tape_of(market(*rising("HYDR", 10)))
    clock = VenueClock(OPEN - SECOND, 1e-6, machine_time)
    venue = LocalVenue(tape, QuietBrokerage(), clock, wall_clock=lambda: 0)
    told = asyncio.Event()
    venue.on_market(lambda event: told.set() if isinstance(event, BarEnded) else None)

    async def run() -> int:
        running = asyncio.create_task(venue.run())
        await asyncio.sleep(0)
        venue.run_at(6000.0)
        await told.wait()
        running.cancel()
        return venue.now() - OPEN

    assert MINUTE <= in_loop(run) < 10 * MINUTE


def test_at_each_moment_of_the_market_time_stands_still_until_whoever_is_in_step_is_through() -> (
    None
):
    tape = tape_of(market(*rising("HYDR", 2)))
    clock = VenueClock(OPEN - SECOND, 0.0, machine_time)
    venue = LocalVenue(tape, QuietBrokerage(), clock, wall_clock=lambda: 0)
    stood: list[int] = []
    told: list[int | None] = []
    heard: list[int | None] = []

    class Slow:
        async def through(self) -> None:
            at = venue.now()
            await asyncio.sleep(0.002)  # two minutes, if it ran
            if not venue.is_over:
                assert venue.now() == at
                stood.append((at - OPEN) // SECOND)

        async def heard(self) -> None:
            await asyncio.sleep(0.002)  # the market would go on by then
            heard.append(told[-1])

    async def run() -> None:
        venue.follower = Slow()
        venue.on_clock(lambda market, machine, speed, until: told.append(until))
        running = asyncio.create_task(venue.run())
        await asyncio.sleep(0)
        venue.run_at(60_000.0)
        while not venue.is_over:
            await asyncio.sleep(0.001)
            assert not running.done()
        running.cancel()

    in_loop(run)

    moments = [15 * quarter for quarter in range(8)]
    assert [second for second in dict.fromkeys(stood) if second in moments] == moments
    known = [(until - OPEN) // SECOND for until in heard if until is not None]
    later = moments[1:]  # who makes it run is at its first moment at once
    assert [second for second in dict.fromkeys(known) if second in later] == later


def test_a_moment_that_comes_while_it_is_waited_for_somebody_is_followed_by_the_next() -> None:
    tape = tape_of(market(*rising("HYDR", 2)))
    clock = VenueClock(OPEN - SECOND, 0.0, machine_time)
    venue = LocalVenue(tape, QuietBrokerage(), clock, wall_clock=lambda: 0)

    class Hanging:
        async def through(self) -> None:
            """It does not care."""

        async def heard(self) -> None:
            await asyncio.sleep(0.002)  # two minutes, so that it has come to the next moment
            venue.at_present()  # a request: what is due happens by it

    async def run() -> None:
        over = asyncio.Event()
        venue.on_market(lambda event: over.set() if isinstance(event, MarketEnded) else None)
        venue.follower = Hanging()
        running = asyncio.create_task(venue.run())
        await asyncio.sleep(0)
        venue.run_at(60_000.0)
        await asyncio.wait_for(over.wait(), 5.0)
        running.cancel()

    in_loop(run)


PLACES = st.builds(
    PlaceOrder,
    symbol=st.sampled_from(["HYDR", "BTC/USD"]),
    quantity=st.integers(1, 3).map(Decimal),
    side=st.just(Side.BUY),
    order_type=st.sampled_from([OrderType.MARKET, OrderType.LIMIT]),
    time_in_force=st.just(TimeInForce.GTC),
    limit_price=st.sampled_from([None, Decimal("99.9"), Decimal("100.2")]),
)


@settings(max_examples=40)
@given(
    requests=st.lists(
        st.tuples(st.integers(0, 12 * 60), PLACES | st.just(CancelAllOrders())), max_size=8
    ),
    looks=st.lists(st.integers(0, 12 * 60), max_size=12),
)
def test_what_happens_does_not_depend_on_how_the_clock_is_moved(
    requests: list[tuple[int, Any]], looks: list[int]
) -> None:
    bars = [*rising("HYDR", 12), *rising("BTC/USD", 12)]

    def played(stops: list[int]) -> tuple[list[TradeUpdate], object]:
        venue = venue_on(*bars)
        told: list[TradeUpdate] = []
        venue.on_updates(told.append)
        timed = sorted(
            [(stop, 1, None) for stop in stops] + [(at, 0, request) for at, request in requests],
            key=lambda each: each[:2],
        )
        for second, _, request in timed:
            move(venue, OPEN + second * SECOND)
            if request is None:
                venue.at_present()
            else:
                venue.receive(request)
        move(venue, OPEN + DAY)
        return told, venue.at_present().account()

    assert played(looks) == played([])
