"""Any requests, bars and closes, in any order: what must hold of the matching engine after each."""

from decimal import Decimal
from itertools import combinations, groupby
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import structs

from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.venue_view import VenueOrder
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import (
    OrderAccepted,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    VenueReport,
    client_order_id_of,
)
from tests.venues.simulated.draws import SYMBOLS, orders, ranges
from tests.venues.simulated.orders import MINUTE, bar_of


class AnyTrading(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.minute = 0
        self.newest_end = 0
        self.accepted: dict[str, tuple[Order, int, int]] = {}
        self.ended: list[str] = []
        self.fills: list[Fill] = []
        self.seen_fills: list[Fill] = []
        self.seen_orders: dict[str, VenueOrder] = {}
        self.seen_until = 0
        self.history: list[tuple[str, Any]] = []
        self.reports: list[tuple[VenueReport, ...]] = []
        self.terms = VenueTerms()
        self.engine = MatchingEngine(self.terms)

    @initialize(
        participation=st.none() | st.sampled_from([Decimal("0.1"), Decimal("0.033"), Decimal(1)]),
        shorts_allowed=st.booleans(),
        cash=st.sampled_from([Decimal(2_000), Decimal(10**6)]),
    )
    def begin(self, participation: Decimal | None, shorts_allowed: bool, cash: Decimal) -> None:
        self.terms = VenueTerms(
            max_participation=participation,
            shorts_allowed=shorts_allowed,
            starting_cash=cash,
            crypto_fee_bps=Decimal(0),  # `test_fees` has those
        )
        self.engine = MatchingEngine(self.terms)

    def take(self, reports: tuple[VenueReport, ...]) -> None:
        self.reports.append(reports)
        for report in reports:
            name = client_order_id_of(report)
            match report:
                case OrderAccepted():
                    pass
                case OrderRejected() | OrderUnknown():
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

    @rule(
        order=orders(),
        delay=st.sampled_from([0, 1, MINUTE // 3]),
        flaw=st.sampled_from([None] * 12 + ["name", "quantity", "time in force"]),
        replaces=st.sampled_from([None] * 8 + [0, 1, 1, 2]),
        minutes=st.lists(ranges(), max_size=2),
    )
    def submit(
        self,
        order: Order,
        delay: int,
        flaw: str | None,
        replaces: int | None,
        minutes: list[tuple[float, float, float, float]],
    ) -> None:
        """An order, and now and then what the market does next."""
        self.now += delay
        name = f"order-{0 if flaw == 'name' else len(self.history)}"
        order = structs.replace(order, client_order_id=name)
        if flaw == "quantity":
            order = structs.replace(order, quantity=Decimal("0.0000000001"))
        if flaw == "time in force":
            order = structs.replace(order, time_in_force=TimeInForce.DAY)
        if replaces == 0:
            order = structs.replace(order, replaces="never")
        elif replaces is not None and self.engine.open_orders:
            old = self.engine.open_orders[-replaces:][0].order
            order = structs.replace(
                old,
                client_order_id=name,
                quantity=order.quantity,
                replaces=old.client_order_id,
            )
        self.history.append(("submit", (order, self.now)))
        reports = self.engine.submit(order, self.now)
        if isinstance(reports[0], OrderAccepted):
            assert flaw != "quantity" and order.client_order_id not in self.accepted
            assert reports[0].echo == order
            assert (len(reports) == 2) == (order.replaces is not None)
            self.accepted[order.client_order_id] = (order, self.now, self.newest_end)
        self.take(reports)
        for prices in minutes:
            self.bar(order.symbol, prices, 1000.0, how="whole")

    def open_name(self, number: int) -> str:
        """One of the newest open orders, or one that there never was."""
        names = [resting.order.client_order_id for resting in self.engine.open_orders]
        return [*names, "never"][-number:][0] if number else "never"

    @rule(number=st.integers(min_value=0, max_value=3))
    def cancel(self, number: int) -> None:
        name = self.open_name(number)
        self.history.append(("cancel", (name, self.now)))
        self.take(self.engine.cancel(name, self.now))

    @rule(
        symbol=st.sampled_from(SYMBOLS),
        prices=ranges(),
        volume=st.sampled_from([0.0, 17.0, 1000.0, 99999.5]),
        how=st.sampled_from(["whole", "whole", "begins first", "late"]),
    )
    def any_bar(
        self, symbol: str, prices: tuple[float, float, float, float], volume: float, how: str
    ) -> None:
        self.bar(symbol, prices, volume, how=how)

    def bar(
        self, symbol: str, prices: tuple[float, float, float, float], volume: float, *, how: str
    ) -> None:
        if how != "late":
            self.minute = max(self.minute + 1, self.now // MINUTE)
        bar = bar_of(self.minute, prices, symbol=symbol, volume=volume)
        before = len(self.fills)
        if how == "begins first":
            self.history.append(("begin_bar", (bar,)))
            self.take(self.engine.begin_bar(bar))
            assert all(fill.at == bar.start_at for fill in self.fills[before:])
        self.now = max(self.now, bar.end_at)
        self.history.append(("on_bar", (bar,)))
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
        if self.terms.max_participation is not None:
            taken = sum((fill.quantity for fill in self.fills[before:]), Decimal(0))
            assert taken <= Decimal(repr(volume)) * self.terms.max_participation

    @rule()
    def close(self) -> None:
        self.history.append(("close_session", (self.now,)))
        self.take(self.engine.close_session(self.now))

    @rule()
    def look(self) -> None:
        """Whoever asks from where the last answer ended misses nothing."""
        snapshot = self.engine.snapshot(self.now, self.seen_until)
        self.seen_fills += [fill for fill in snapshot.fills if fill not in self.seen_fills]
        self.seen_orders |= {order.order.client_order_id: order for order in snapshot.orders}
        self.seen_until = self.now

        assert self.seen_fills == self.fills
        assert set(self.accepted) <= set(self.seen_orders)
        for name, order in self.seen_orders.items():
            found = self.engine.find(name)
            assert found == order
            assert order.filled_quantity == self.filled_of(name)
            is_open = order.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
            assert is_open == (name in self.accepted and name not in self.ended)

    @invariant()
    def nothing_is_filled_beyond_what_was_ordered(self) -> None:
        for name, (order, _, _) in self.accepted.items():
            assert 0 <= self.filled_of(name) <= order.quantity

    @invariant()
    def the_account_is_the_sum_of_the_fills(self) -> None:
        account = self.engine.account
        for symbol in SYMBOLS:
            own = (f.quantity * f.side.sign for f in self.fills if f.symbol == symbol)
            assert account.position(symbol) == sum(own, Decimal(0))
        paid = sum((f.quantity * f.side.sign * f.price for f in self.fills), Decimal(0))
        assert account.cash == self.terms.starting_cash - paid

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

    @invariant()
    def open_orders_could_not_trade_with_each_other(self) -> None:
        by_symbol = sorted(self.engine.open_orders, key=lambda resting: resting.order.symbol)
        for _, group in groupby(by_symbol, key=lambda resting: resting.order.symbol):
            for one, other in combinations([resting.order for resting in group], 2):
                if one.side is other.side:
                    continue
                buy, sell = (one, other) if one.side is Side.BUY else (other, one)
                assert buy.order_type is sell.order_type is OrderType.LIMIT
                assert buy.limit_price is not None and sell.limit_price is not None
                assert buy.limit_price < sell.limit_price

    @invariant()
    def what_is_not_held_is_not_sold(self) -> None:
        for symbol in SYMBOLS:
            if self.terms.shorts_allowed and symbol != "BTC/USD":
                continue
            selling = sum(
                (
                    resting.remaining
                    for resting in self.engine.open_orders
                    if (resting.order.symbol, resting.order.side) == (symbol, Side.SELL)
                ),
                Decimal(0),
            )
            assert 0 <= selling <= self.engine.account.position(symbol)

    def teardown(self) -> None:
        again = MatchingEngine(self.terms)
        replayed = [getattr(again, method)(*arguments) for method, arguments in self.history]

        assert replayed == self.reports


AnyTrading.TestCase.settings = settings(max_examples=5, stateful_step_count=200, deadline=None)
TestAnyTrading = AnyTrading.TestCase
