"""A venue that goes on after a restart: the same account, and the market has gone on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.acts import (
    ChangeCash,
    CloseEarly,
    DriftPosition,
    FillInParts,
    HoldCancels,
    RejectLate,
    ReleaseCancels,
)
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.queries import ActivityQuery, OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.requests import (
    BrokerRequest,
    CancelAllOrders,
    CloseAllPositions,
    Configure,
    Leg,
    PlaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import (
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from hydra.venues.simulated.market.tape import MarketTerms
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.request_log import SealedFile, VenueLogRefused
from hydra.venues.simulated.server.driver import LEAD_NS, LocalVenue
from hydra.venues.simulated.server.log_lines import FORMAT, VenueBegan, VenueLine
from hydra.venues.simulated.server.rebuild import (
    ClockTerms,
    Source,
    VenueTerms,
    open_venue,
    present,
)
from tests.venues.server.kit import (
    MINUTE,
    OPEN,
    SECOND,
    MachineClock,
    bar,
    market,
    rising,
    tape_of,
)

DATA = market(*rising("HYDR", 12), *rising("BTC/USD", 12))
TERMS = VenueTerms(brokerage=BrokerageTerms(partial_fill_rate=Decimal("0.3")))
VIRTUAL = ClockTerms(speed=0)
BUY = PlaceOrder(
    symbol="HYDR",
    quantity=Decimal(2),
    side=Side.BUY,
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
)
LIMIT = replace(BUY, order_type=OrderType.LIMIT, limit_price=Decimal("99.9"))
BRACKET = replace(
    LIMIT,
    order_class=OrderClass.BRACKET,
    take_profit=TakeProfit(Decimal("100.5")),
    stop_loss=StopLoss(Decimal("99.5")),
)
CALL = "HYDR260116C00100000"
SPREAD = PlaceOrder(
    quantity=Decimal(1),
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
    order_class=OrderClass.MLEG,
    legs=(
        Leg(CALL, Decimal(1), Side.BUY, PositionIntent.BUY_TO_OPEN),
        Leg("HYDR260116C00105000", Decimal(1), Side.SELL, PositionIntent.SELL_TO_OPEN),
    ),
)
COIN = replace(BUY, symbol="BTC/USD", time_in_force=TimeInForce.GTC)
REQUESTS: list[BrokerRequest] = [
    BUY,
    LIMIT,
    BRACKET,
    SPREAD,
    COIN,
    replace(BUY, quantity=None, notional=Decimal("250.5")),
    CancelAllOrders(),
    CloseAllPositions(cancel_orders=True),
    Configure(suspend_trade=True),
    Configure(suspend_trade=False, no_shorting=True),
]
ACTS = [
    RejectLate(symbol="HYDR"),
    HoldCancels(),
    ReleaseCancels(),
    FillInParts(shares=(Decimal("0.5"),)),
    DriftPosition(symbol="HYDR", quantity=Decimal(3), price=Decimal(90)),
    ChangeCash(amount=Decimal(-5)),
    CloseEarly(date(2026, 1, 5), OPEN + 7 * MINUTE),
]


@contextmanager
def opened(
    path: Path | None,
    clock: ClockTerms = VIRTUAL,
    data: MarketData = DATA,
    terms: VenueTerms = TERMS,
    wall_ns: int = 0,
) -> Iterator[LocalVenue]:
    """A process that serves the venue of this log, until it is killed."""
    log = None if path is None else SealedFile.of(path, FORMAT)
    try:
        yield open_venue(
            log,
            tape_of(data, terms.market),
            Source(origin=data.origin, digest=data.digest),
            terms,
            clock,
            machine_time=MachineClock(),
            wall_clock=lambda: wall_ns,
        )
    finally:
        if log is not None:
            log.close()


def account_of(brokerage: Brokerage) -> list[Any]:
    """Everything that a client can find out."""
    return [
        brokerage.orders(OrderQuery(which=WhichOrders.ALL, limit=500)),
        brokerage.positions(),
        brokerage.account(),
        brokerage.activities(ActivityQuery()),
        brokerage.configuration(),
        brokerage.sessions,
        brokerage.executions,
    ]


def lines_in(path: Path) -> tuple[VenueLine, ...]:
    log = SealedFile.of(path, FORMAT)
    log.close()
    return log.found


Step = tuple[str, Any]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("step"), st.integers(1, 150)),
    st.tuples(st.just("ask"), st.sampled_from(REQUESTS)),
    st.tuples(st.just("act"), st.sampled_from(ACTS)),
)


def do(venue: LocalVenue, step: Step) -> None:
    match step:
        case ("step", seconds):
            asyncio.run(venue.move_to(venue.now() + seconds * SECOND))
        case ("ask", request):
            venue.receive(request)
        case (_, act):
            with suppress(ValueError):  # it cannot be done now
                venue.act(act)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(before=st.lists(STEPS, max_size=12), after=st.lists(STEPS, max_size=4))
def test_a_venue_goes_on_after_a_restart_as_if_it_had_never_been_down(
    before: list[Step], after: list[Step]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "requests.jsonl"
        with opened(None) as whole:
            with opened(path) as venue:
                for step in before:
                    do(whole, step)
                    do(venue, step)

            with opened(path) as again:
                assert again.now() == venue.now()
                assert account_of(again.at_present()) == account_of(whole.at_present())
                for step in after:
                    do(whole, step)
                    do(again, step)
                assert account_of(again.at_present()) == account_of(whole.at_present())


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(steps=st.lists(STEPS, min_size=3, max_size=12), cut=st.floats(0, 1), torn=st.integers(0, 40))
def test_wherever_the_log_ends_a_venue_comes_of_it_that_knows_all_that_was_told(
    steps: list[Step], cut: float, torn: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "requests.jsonl"
        with opened(path) as venue:
            for step in steps:
                do(venue, step)
        content = path.read_bytes().splitlines(keepends=True)
        kept = max(2, int(cut * len(content)))
        rest = content[kept][:torn] if kept < len(content) else b""
        path.write_bytes(b"".join(content[:kept]) + rest.removesuffix(b"\n"))
        found = lines_in(path)

        with opened(path) as again:
            last = found[-1]
            assert not isinstance(last, VenueBegan)
            assert again.now() >= last.at
            assert again.events_seen >= last.events
            assert again.executions >= getattr(last, "executions", 0)


def test_while_it_was_down_the_market_went_on_and_orders_filled(tmp_path: Path) -> None:
    path = tmp_path / "state" / "requests.jsonl"
    clock = ClockTerms(speed=60)
    with opened(path, clock) as venue:
        venue.receive(LIMIT)

    with opened(path, clock, wall_ns=4 * SECOND) as again:
        assert again.now() == OPEN - LEAD_NS + 4 * MINUTE
        (order,) = again.at_present().orders(OrderQuery(which=WhichOrders.ALL))
    assert order.filled_quantity == 2
    assert lines_in(path)[-1].at == again.now()  # type: ignore[union-attr]


def test_what_executes_in_the_last_bar_of_a_day_has_not_expired_after_a_restart(
    tmp_path: Path,
) -> None:
    last = 389
    data = market(
        *(bar(symbol, last, 100.0, 100.2, 99.5, 100.1) for symbol in ("HYDR", "NOVA", "TERN"))
    )
    path, close = tmp_path / "requests.jsonl", OPEN + 390 * MINUTE
    with opened(path, data=data) as venue:
        asyncio.run(venue.move_to(OPEN + last * MINUTE - SECOND))
        for symbol in ("HYDR", "NOVA", "TERN"):
            venue.receive(replace(LIMIT, symbol=symbol))
        asyncio.run(venue.move_to(close))
        before = account_of(venue.at_present())

    with opened(path, data=data) as again:
        assert account_of(again.at_present()) == before
        orders = again.at_present().orders(OrderQuery(which=WhichOrders.ALL))
    assert [order.status for order in orders] == [Status.FILLED] * 3


def test_in_virtual_time_nothing_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    with opened(path) as venue:
        asyncio.run(venue.move_to(OPEN + MINUTE))

    with opened(path, wall_ns=10**15) as again:
        assert again.now() == OPEN + MINUTE


def test_nights_are_skipped_while_it_was_down_as_they_are_while_it_is_up(tmp_path: Path) -> None:
    day = 24 * 60 * MINUTE
    second_day = [
        replace(each, start_at=each.start_at + day, end_at=each.end_at + day)
        for each in rising("HYDR", 20)
    ]
    data = market(*rising("HYDR", 1), *second_day)
    path, clock = tmp_path / "requests.jsonl", ClockTerms(speed=60, skips_nights=True)
    with opened(path, clock, data):
        pass

    # Waited for: the minute before the open, the only bar, and of two pauses a minute each.
    with opened(path, clock, data, wall_ns=(4 + 8) * SECOND) as again:
        assert again.now() == OPEN + day + 8 * MINUTE


def test_the_last_speed_counts(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    with opened(path) as venue:
        asyncio.run(venue.move_to(OPEN))
        venue.run_at(2.0)

    lines = lines_in(path)

    assert present(lines, venue.tape, 5 * SECOND) == OPEN + 10 * SECOND


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"data": market(*rising("HYDR", 3))}, "market data"),
        ({"terms": replace(TERMS, brokerage=BrokerageTerms(seed=1))}, "terms"),
        ({"terms": replace(TERMS, market=MarketTerms(spread_bps=Decimal(5)))}, "market terms"),
    ],
)
def test_a_log_of_another_venue_is_refused_and_left_as_it_is(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    path = tmp_path / "requests.jsonl"
    with opened(path):
        before = path.read_bytes()

    with (
        pytest.raises(VenueLogRefused, match=f"found a venue with {words}") as refused,
        opened(path, **changed),
    ):
        pass

    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before


def test_a_log_that_does_not_come_out_as_it_was_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    with opened(path) as venue:
        venue.receive(COIN)
        asyncio.run(venue.move_to(OPEN + MINUTE))
    began, opened_line, request, moved, *others = lines_in(path)
    path.unlink()
    log = SealedFile.of(path, FORMAT)
    for line in (began, opened_line, request, replace(moved, executions=77), *others):
        log.write(line)
    log.close()

    with (
        pytest.raises(VenueLogRefused, match="line 4: found 77 executions; wanted"),
        opened(path),
    ):
        pass
