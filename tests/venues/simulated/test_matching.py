import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hydra.trading.bars import Bar
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.resting_orders import RestingOrder
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    VenueReport,
    client_order_id_of,
)
from tests.venues.simulated.orders import MINUTE, bar_of, limit, market, stop

BUY, SELL = Side.BUY, Side.SELL
SECOND = MINUTE // 60
FLAT = (100.0, 100.0, 100.0, 100.0)
WIDE = (100.0, 105.0, 95.0, 101.0)


def filled(
    number: int, order: Order, price: str, at: int, quantity: str | None = None
) -> OrderFilled:
    return OrderFilled(
        fill=Fill(
            execution_id=f"sim-x-{number}",
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity if quantity is None else Decimal(quantity),
            price=Decimal(price),
            at=at,
        )
    )


@pytest.mark.parametrize("delay", [0, 1, 5_000_000, MINUTE - 1])
def test_a_market_order_fills_at_the_open_of_the_next_bar_however_late_in_it_it_came(
    delay: int,
) -> None:
    engine = MatchingEngine()
    engine.on_bar(bar_of(0, (99.0, 99.0, 99.0, 99.0)))
    order = market("a", BUY)
    accepted = engine.submit(order, at=MINUTE + delay)

    reports = engine.on_bar(bar_of(1, (100.0, 105.0, 95.0, 104.0)))

    assert accepted == (
        OrderAccepted(client_order_id="a", venue_order_id="sim-o-1", at=MINUTE + delay),
    )
    assert reports == (filled(1, order, "100", at=MINUTE),)
    assert engine.open_orders == ()
    assert engine.position("AAPL") == Decimal(10)


def test_a_bar_that_ended_at_the_acceptance_fills_nothing() -> None:
    engine = MatchingEngine()
    order = market("a", BUY)
    engine.submit(order, at=MINUTE)

    late, following = engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(1, FLAT))

    assert late == ()
    assert following == (filled(1, order, "100", at=MINUTE),)


def test_a_bar_that_began_before_the_end_of_a_known_bar_fills_nothing() -> None:
    # The sender may know the first minute; the open of the five minutes is older than that.
    engine = MatchingEngine()
    engine.on_bar(bar_of(0, FLAT, symbol="SPY"))
    order = market("a", BUY)
    engine.submit(order, at=MINUTE)

    current = engine.on_bar(Bar("AAPL", 0, 5 * MINUTE, *FLAT, 1.0))
    following = engine.on_bar(Bar("AAPL", 5 * MINUTE, 10 * MINUTE, *FLAT, 1.0))

    assert current == ()
    assert following == (filled(1, order, "100", at=5 * MINUTE),)


def test_a_clock_that_is_behind_the_bars_gives_no_look_ahead() -> None:
    engine = MatchingEngine()
    engine.on_bar(bar_of(1, FLAT))
    order = market("a", BUY)
    engine.submit(order, at=0)

    again, following = engine.on_bar(bar_of(1, FLAT)), engine.on_bar(bar_of(2, FLAT))

    assert again == ()
    assert following == (filled(1, order, "100", at=2 * MINUTE),)


def test_a_bar_that_comes_again_fills_nothing_more() -> None:
    engine = MatchingEngine(max_participation=Decimal("0.001"))
    order = market("a", BUY, quantity="2")
    engine.submit(order, at=0)

    first, again = engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(0, FLAT))

    assert first == (filled(1, order, "100", at=0, quantity="1"),)
    assert again == ()


def test_a_bar_fills_only_orders_in_its_own_symbol() -> None:
    engine = MatchingEngine()
    aapl, spy = market("a", BUY), market("s", SELL, symbol="SPY")
    engine.submit(aapl, at=0)
    engine.submit(spy, at=0)

    reports = engine.on_bar(bar_of(0, FLAT, symbol="SPY"))

    assert reports == (filled(1, spy, "100", at=0),)
    assert [resting.order for resting in engine.open_orders] == [aapl]
    assert (engine.position("AAPL"), engine.position("SPY")) == (Decimal(0), Decimal(-10))


def test_the_open_comes_first_then_stops_then_limits() -> None:
    engine = MatchingEngine()
    target, protection = limit("target", SELL, "104"), stop("protection", SELL, "96")
    late, early = market("late", BUY), stop("early", SELL, "101")
    for order in (target, protection, late, early):
        engine.submit(order, at=0)

    reports = engine.on_bar(bar_of(0, WIDE))

    assert reports == (
        filled(1, late, "100", at=0),
        filled(2, early, "100", at=0),
        filled(3, protection, "96", at=MINUTE),
        filled(4, target, "104", at=MINUTE),
    )


def test_a_limit_order_rests_until_a_bar_reaches_it() -> None:
    engine = MatchingEngine()
    order = limit("a", BUY, "96")
    engine.submit(order, at=0)

    reports = [engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(1, WIDE))]

    assert reports == [(), (filled(1, order, "96", at=2 * MINUTE),)]


def test_a_gap_through_a_stop_fills_at_the_open_with_slippage() -> None:
    engine = MatchingEngine(slippage_bps=Decimal(5))
    order = stop("a", SELL, "97")
    engine.submit(order, at=0)

    quiet, gap = engine.on_bar(bar_of(0, FLAT)), engine.on_bar(bar_of(9, (90.0, 91.0, 89.0, 90.0)))

    assert quiet == ()
    assert gap == (filled(1, order, "89.95", at=9 * MINUTE),)


def test_orders_share_a_part_of_the_volume_and_the_rest_waits() -> None:
    engine = MatchingEngine(max_participation=Decimal("0.1"))
    first, second = market("a", BUY, quantity="70"), market("b", BUY, quantity="70.5")
    engine.submit(first, at=0)
    engine.submit(second, at=0)

    reports = [engine.on_bar(bar_of(minute, FLAT, volume=1000.0)) for minute in range(2)]

    assert reports == [
        (
            filled(1, first, "100", at=0),
            filled(2, second, "100", at=0, quantity="30"),
        ),
        (filled(3, second, "100", at=MINUTE, quantity="40.5"),),
    ]
    assert engine.position("AAPL") == Decimal("140.5")


def test_a_partly_filled_order_is_open_with_what_is_left_of_it() -> None:
    engine = MatchingEngine(max_participation=Decimal("0.1"))
    order = limit("a", BUY, "100", quantity="150")
    engine.submit(order, at=0)

    engine.on_bar(bar_of(0, FLAT))

    (resting,) = engine.open_orders
    assert resting == RestingOrder(
        order=order,
        working=order,
        venue_order_id="sim-o-1",
        accepted_at=0,
        known_until=MINUTE,
        filled=Decimal(100),
    )
    assert resting.remaining == Decimal(50)


def test_a_triggered_stop_trades_its_rest_as_a_market_order() -> None:
    engine = MatchingEngine(max_participation=Decimal("0.01"))
    order = stop("a", SELL, "97", quantity="30")
    engine.submit(order, at=0)

    reports = [
        engine.on_bar(bar_of(0, WIDE, volume=0.0)),
        engine.on_bar(bar_of(1, FLAT)),
        engine.on_bar(bar_of(2, (103.0, 103.0, 103.0, 103.0), volume=2000.0)),
    ]

    assert reports == [
        (),
        (filled(1, order, "100", at=MINUTE, quantity="10"),),
        (filled(2, order, "103", at=2 * MINUTE, quantity="20"),),
    ]


def test_what_an_immediate_or_cancel_order_does_not_get_at_the_open_is_canceled() -> None:
    engine = MatchingEngine(max_participation=Decimal("0.01"))
    part = msgspec.structs.replace(
        market("part", BUY, quantity="30"), time_in_force=TimeInForce.IOC
    )
    none = msgspec.structs.replace(limit("none", BUY, "96"), time_in_force=TimeInForce.IOC)
    engine.submit(part, at=0)
    engine.submit(none, at=0)

    reports = engine.on_bar(bar_of(0, WIDE))

    assert reports == (
        filled(1, part, "100", at=0, quantity="10"),
        OrderCanceled(client_order_id="part", at=0),
        OrderCanceled(client_order_id="none", at=0),
    )
    assert engine.open_orders == ()


def test_a_client_order_id_is_used_up_for_ever() -> None:
    engine = MatchingEngine()
    engine.submit(market("a", BUY), at=0)
    engine.cancel("a", at=1)
    bad = msgspec.structs.replace(market("b", BUY), quantity=Decimal(0))

    reports = [
        engine.submit(market("a", BUY), at=2),
        engine.submit(bad, at=3),
        engine.submit(market("b", BUY), at=4),
    ]

    unique = "client_order_id must be unique"
    assert reports == [
        (OrderRejected(client_order_id="a", reason=unique, at=2),),
        (OrderRejected(client_order_id="b", reason="qty must be > 0", at=3),),
        (OrderRejected(client_order_id="b", reason=unique, at=4),),
    ]
    assert engine.open_orders == ()


def test_a_second_order_of_the_same_name_leaves_the_first_in_the_book() -> None:
    engine = MatchingEngine()
    first = market("a", BUY)
    engine.submit(first, at=0)
    engine.submit(market("a", SELL, quantity="99"), at=0)

    assert engine.on_bar(bar_of(0, FLAT)) == (filled(1, first, "100", at=0),)


def test_a_cancel_ends_the_order_and_says_nothing_the_second_time() -> None:
    engine = MatchingEngine()
    engine.submit(limit("a", BUY, "96"), at=0)

    reports = [
        engine.cancel("a", at=5),
        engine.cancel("a", at=6),
        engine.cancel("never", at=7),
        engine.on_bar(bar_of(0, WIDE)),
    ]

    assert reports == [(OrderCanceled(client_order_id="a", at=5),), (), (), ()]


def test_the_close_expires_the_day_orders_of_the_session_and_no_others() -> None:
    engine = MatchingEngine()
    gtc = msgspec.structs.replace(limit("gtc", BUY, "90"), time_in_force=TimeInForce.GTC)
    engine.submit(limit("day", BUY, "90"), at=0)
    engine.submit(gtc, at=0)
    engine.submit(market("tomorrow", BUY), at=MINUTE)

    reports = engine.close_session(at=MINUTE)

    assert reports == (OrderExpired(client_order_id="day", at=MINUTE),)
    assert [resting.order.client_order_id for resting in engine.open_orders] == ["gtc", "tomorrow"]


def test_a_day_order_sent_after_the_close_fills_at_the_next_open() -> None:
    engine = MatchingEngine()
    engine.on_bar(bar_of(0, FLAT))
    order = market("a", BUY)
    engine.submit(order, at=MINUTE)
    engine.close_session(at=MINUTE)

    assert engine.on_bar(bar_of(1000, FLAT)) == (filled(1, order, "100", at=1000 * MINUTE),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slippage_bps": Decimal(-1)}, "slippage_bps is -1, wanted at least 0 and under 10000"),
        (
            {"slippage_bps": Decimal(10_000)},
            "slippage_bps is 10000, wanted at least 0 and under 10000",
        ),
        (
            {"max_participation": Decimal(0)},
            "max_participation is 0, wanted over 0 and at most 1, or None",
        ),
        (
            {"max_participation": Decimal("1.1")},
            "max_participation is 1.1, wanted over 0 and at most 1, or None",
        ),
    ],
)
def test_an_engine_with_senseless_arguments_is_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MatchingEngine(**arguments)


CENTS = st.integers(min_value=50, max_value=250)
PRICES = CENTS.map(lambda cents: Decimal(cents) / 100)
SYMBOLS = st.sampled_from(["AAPL", "SPY"])


@st.composite
def orders(draw: st.DrawFn) -> Order:
    order_type = draw(st.sampled_from(OrderType))
    return Order(
        client_order_id=f"order-{draw(st.integers(min_value=0, max_value=30))}",
        symbol=draw(SYMBOLS),
        side=draw(st.sampled_from(Side)),
        quantity=draw(
            st.decimals(min_value=0, max_value=500, places=draw(st.sampled_from([0, 9])))
        ),
        order_type=order_type,
        time_in_force=draw(st.sampled_from(TimeInForce)),
        limit_price=draw(PRICES) if order_type is OrderType.LIMIT else None,
        stop_price=draw(PRICES) if order_type is OrderType.STOP else None,
    )


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Open, high, low and close, in whole cents."""
    first, last = draw(CENTS), draw(CENTS)
    high = draw(st.integers(min_value=max(first, last), max_value=260))
    low = draw(st.integers(min_value=40, max_value=min(first, last)))
    return first / 100, high / 100, low / 100, last / 100


class AnyTrading(RuleBasedStateMachine):
    """Any orders, cancels, bars and closes, in any order, with what must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.minute = 0
        self.newest_end = 0
        self.accepted: dict[str, tuple[Order, int, int]] = {}
        self.ended: list[str] = []
        self.fills: list[Fill] = []
        self.history: list[tuple[str, Any]] = []
        self.reports: list[tuple[VenueReport, ...]] = []
        self.participation: Decimal | None = None
        self.engine = MatchingEngine()

    def take(self, reports: tuple[VenueReport, ...]) -> None:
        self.reports.append(reports)
        for report in reports:
            name = client_order_id_of(report)
            match report:
                case OrderAccepted():
                    pass
                case OrderRejected():
                    continue
                case OrderFilled(fill=fill):
                    assert name not in self.ended
                    self.fills.append(fill)
                    if self.filled_of(name) == self.accepted[name][0].quantity:
                        self.ended.append(name)
                case _:
                    assert name not in self.ended
                    self.ended.append(name)

    def filled_of(self, name: str) -> Decimal:
        own = (fill.quantity for fill in self.fills if fill.client_order_id == name)
        return sum(own, Decimal(0))

    @precondition(lambda self: not self.history)
    @rule(participation=st.sampled_from([Decimal("0.1"), Decimal("0.033"), Decimal(1)]))
    def let_the_volume_limit_the_fills(self, participation: Decimal) -> None:
        self.participation = participation
        self.engine = MatchingEngine(max_participation=participation)

    @rule(order=orders(), delay=st.integers(min_value=0, max_value=MINUTE // 2))
    def submit(self, order: Order, delay: int) -> None:
        self.now += delay
        self.history.append(("submit", (order, self.now)))
        reports = self.engine.submit(order, self.now)
        if isinstance(reports[0], OrderAccepted):
            assert order.client_order_id not in self.accepted
            self.accepted[order.client_order_id] = (order, self.now, self.newest_end)
        self.take(reports)

    @rule(number=st.integers(min_value=0, max_value=30))
    def cancel(self, number: int) -> None:
        self.history.append(("cancel", (f"order-{number}", self.now)))
        self.take(self.engine.cancel(f"order-{number}", self.now))

    @rule(
        symbol=SYMBOLS,
        prices=ranges(),
        volume=st.sampled_from([0.0, 17.0, 1000.0, 99999.5]),
        late=st.booleans(),
    )
    def bar(
        self, symbol: str, prices: tuple[float, float, float, float], volume: float, late: bool
    ) -> None:
        if not late:
            self.minute = max(self.minute + 1, self.now // MINUTE)
        bar = bar_of(self.minute, prices, symbol=symbol, volume=volume)
        self.now = max(self.now, bar.end_at)
        self.history.append(("on_bar", (bar,)))
        before = len(self.fills)
        self.take(self.engine.on_bar(bar))
        self.newest_end = max(self.newest_end, bar.end_at)
        for fill in self.fills[before:]:
            order, accepted_at, known_until = self.accepted[fill.client_order_id]
            assert fill.symbol == order.symbol == bar.symbol
            assert fill.side is order.side
            assert bar.end_at > accepted_at
            assert bar.start_at >= known_until
            assert Decimal(repr(bar.low)) <= fill.price <= Decimal(repr(bar.high))
            assert fill.at in (bar.start_at, bar.end_at)
            if order.limit_price is not None:
                assert (fill.price - order.limit_price) * order.side.sign <= 0
        if self.participation is not None:
            taken = sum((fill.quantity for fill in self.fills[before:]), Decimal(0))
            assert taken <= Decimal(repr(volume)) * self.participation

    @rule()
    def close(self) -> None:
        self.history.append(("close_session", (self.now,)))
        self.take(self.engine.close_session(self.now))

    @invariant()
    def nothing_is_filled_beyond_what_was_ordered(self) -> None:
        for name, (order, _, _) in self.accepted.items():
            assert 0 <= self.filled_of(name) <= order.quantity

    @invariant()
    def the_position_is_the_signed_sum_of_the_fills(self) -> None:
        for symbol in ("AAPL", "SPY"):
            own = (f.quantity * f.side.sign for f in self.fills if f.symbol == symbol)
            assert self.engine.position(symbol) == sum(own, Decimal(0))

    @invariant()
    def an_accepted_order_is_open_or_has_ended(self) -> None:
        is_open = [resting.order.client_order_id for resting in self.engine.open_orders]

        assert is_open == [name for name in self.accepted if name not in self.ended]
        assert len(self.ended) == len(set(self.ended))

    @invariant()
    def an_open_order_knows_what_is_left_of_it(self) -> None:
        for resting in self.engine.open_orders:
            name = resting.order.client_order_id
            assert resting.remaining == resting.order.quantity - self.filled_of(name) > 0

    def teardown(self) -> None:
        again = MatchingEngine(max_participation=self.participation)
        replayed = [getattr(again, method)(*arguments) for method, arguments in self.history]

        assert replayed == self.reports


AnyTrading.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestAnyTrading = AnyTrading.TestCase
