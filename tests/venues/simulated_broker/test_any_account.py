"""Whatever is asked of the broker and whatever the market does, the books are right."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.exact import add, multiply, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.activities import Activity, FillActivity, OtherActivity
from hydra.venues.simulated.brokerage.acts import (
    Act,
    FillAfterCancel,
    FillInParts,
    HaltSymbol,
    HoldCancels,
    RejectCancels,
    RejectLate,
    RejectReplacements,
    ReleaseCancels,
    ResumeSymbol,
)
from hydra.venues.simulated.brokerage.answers import Answered
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.queries import ActivityQuery, OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.requests import (
    BrokerRequest,
    CancelAllOrders,
    CancelOrder,
    CloseAllPositions,
    ClosePosition,
    Leg,
    PlaceOrder,
    ReplaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, TimeInForce
from tests.venues.simulated_broker.stage import (
    CALL_40,
    CALL_45,
    MINUTE,
    OPEN,
    PUT_45,
    SESSIONS,
    StageMarket,
)

Told: TypeAlias = Answered | tuple[TradeUpdate, ...]

SYMBOLS = ("HYDR", "NOVA", "BTC/USD", CALL_40.symbol, PUT_45.symbol)
BAR_SYMBOLS = ("HYDR", "NOVA", "BTC/USD")
STARTING_CASH = Decimal(100_000)

cents = st.integers(3_000, 6_000).map(lambda n: Decimal(n).scaleb(-2))
prices_near = st.integers(3_900, 4_600).map(lambda n: n / 100)
bars = st.tuples(prices_near, prices_near, prices_near, prices_near).map(
    lambda p: (p[0], max(p), min(p), p[3])
)
whole = st.sampled_from([Decimal(n) for n in ("1", "2", "10", "40", "300")])
quantities = st.sampled_from([Decimal(n) for n in ("1", "5", "10", "40", "0.5", "2.25", "300")])
sides = st.sampled_from([Side.BUY, Side.BUY, Side.SELL])
ratios = st.integers(1, 3).map(Decimal)
acts = st.one_of(
    st.sampled_from(
        [
            HoldCancels(),
            ReleaseCancels(),
            RejectCancels(),
            RejectReplacements(),
            RejectLate(),
            FillAfterCancel(),
            FillAfterCancel(quantity=Decimal(1)),
            FillInParts(shares=(Decimal("0.3"), Decimal("0.3"))),
        ]
    ),
    st.sampled_from(BAR_SYMBOLS).map(HaltSymbol),
    st.sampled_from(BAR_SYMBOLS).map(ResumeSymbol),
)


@st.composite
def placements(draw: st.DrawFn) -> PlaceOrder:
    """An order such as the broker may take."""
    symbol = draw(st.sampled_from(SYMBOLS))
    is_coin, is_option = "/" in symbol, len(symbol) > 10
    order_type = draw(st.sampled_from(OrderType))
    if is_coin and order_type in (OrderType.STOP, OrderType.TRAILING_STOP):
        order_type = OrderType.MARKET
    if is_option and order_type is OrderType.TRAILING_STOP:
        order_type = OrderType.LIMIT
    has_limit = order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
    has_stop = order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
    trails = order_type is OrderType.TRAILING_STOP
    by_value = order_type is OrderType.MARKET and not is_option and draw(st.booleans())
    quantity = draw(whole if trails or is_option else quantities)
    times = [TimeInForce.DAY]
    if is_coin:
        times = [TimeInForce.GTC, TimeInForce.IOC]
    elif not is_option and not by_value and quantity == int(quantity):
        times = [TimeInForce.DAY, TimeInForce.GTC]
        if not (has_stop or trails):
            times += [TimeInForce.IOC, TimeInForce.FOK, TimeInForce.CLS]
    prices = st.sampled_from([Decimal("1.95"), Decimal("2.10"), Decimal("2.30")])
    price = draw(prices if is_option else cents)
    return PlaceOrder(
        symbol=symbol,
        quantity=None if by_value else quantity,
        notional=Decimal("500.75") if by_value else None,
        side=draw(sides),
        order_type=order_type,
        time_in_force=draw(st.sampled_from(times)),
        limit_price=price if has_limit else None,
        stop_price=price if has_stop else None,
        trail_price=Decimal("0.5") if trails else None,
    )


@st.composite
def groups(draw: st.DrawFn) -> PlaceOrder:
    """A bracket, an OTO or an OCO."""
    order_class = draw(st.sampled_from([OrderClass.BRACKET, OrderClass.OTO, OrderClass.OCO]))
    side, limit = draw(sides), draw(cents)
    exits_high = (side is Side.BUY) != (order_class is OrderClass.OCO)
    step = Decimal(1) if exits_high else Decimal(-1)
    has_target = order_class is not OrderClass.OTO or draw(st.booleans())
    has_stop = order_class is not OrderClass.OTO or not has_target
    is_market = order_class is not OrderClass.OCO and draw(st.booleans())
    base = Decimal("42.5") if is_market else limit
    stop_limit = draw(st.sampled_from([None, base - 3 * step]))
    return PlaceOrder(
        symbol=draw(st.sampled_from(["HYDR", "NOVA"])),
        quantity=Decimal(draw(st.integers(1, 20))),
        side=side,
        order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
        time_in_force=draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC])),
        limit_price=None if is_market or order_class is OrderClass.OCO else limit,
        order_class=order_class,
        take_profit=TakeProfit(base + step) if has_target else None,
        stop_loss=StopLoss(base - step, stop_limit) if has_stop else None,
    )


@st.composite
def spreads(draw: st.DrawFn) -> PlaceOrder:
    """Two calls at once."""
    side = draw(sides)
    return PlaceOrder(
        quantity=Decimal(draw(st.integers(1, 3))),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=Decimal(draw(st.sampled_from(["0.15", "-0.20", "3"]))),
        order_class=OrderClass.MLEG,
        legs=(
            Leg(CALL_40.symbol, Decimal(1), side),
            Leg(CALL_45.symbol, draw(ratios), side.opposite),
        ),
    )


class AnyAccount(RuleBasedStateMachine):
    """Two brokers are told the same; the first one's books are gone over after every step."""

    @initialize(
        participation=st.sampled_from([None, Decimal("0.1")]),
        partial=st.sampled_from([Decimal(0), Decimal("0.3")]),
        slippage=st.sampled_from([Decimal(0), Decimal(7)]),
    )
    def open_the_account(
        self, participation: Decimal | None, partial: Decimal, slippage: Decimal
    ) -> None:
        terms = BrokerageTerms(
            starting_cash=STARTING_CASH,
            max_participation=participation,
            partial_fill_rate=partial,
            slippage_bps=slippage,
        )
        self.market = StageMarket()
        for symbol in BAR_SYMBOLS:  # seen before, so that everything has a price
            self.market.add(Bar(symbol, OPEN - MINUTE, OPEN, 42.0, 42.5, 41.5, 42.0, 400.0))
        self.brokers = (Brokerage(terms, self.market), Brokerage(terms, self.market))
        self.now = OPEN
        self.in_progress: list[Bar] = []
        self.known: dict[str, BrokerOrder] = {}
        self.told_filled: dict[str, Decimal] = {}
        self.over: set[str] = set()
        self._both(lambda broker: broker.come_to(self.now))

    def _both(self, call: Callable[[Brokerage], Told]) -> None:
        first, second = (call(broker) for broker in self.brokers)
        assert first == second
        for update in first.updates if isinstance(first, Answered) else first:
            order = update.order
            assert order.id not in self.over, "nothing is told of what is over"
            assert order.filled_quantity >= self.told_filled.get(order.id, Decimal(0))
            self.told_filled[order.id] = order.filled_quantity
            if order.status.is_terminal:
                is_word_of_cancel = update.event.value.endswith("_rejected")
                if not is_word_of_cancel:
                    self._end(order, update.event.value)

    def _end(self, order: BrokerOrder, event: str) -> None:
        # The word that a cancel was too late may follow the fill.
        if event != "fill":
            self.over.add(order.id)

    def _ask(self, request: BrokerRequest) -> None:
        self._both(lambda broker: broker.receive(request, self.now))

    @rule(request=placements())
    def place(self, request: PlaceOrder) -> None:
        self._ask(request)

    @rule(request=placements())
    def place_another(self, request: PlaceOrder) -> None:
        self._ask(request)

    @rule(request=groups())
    def place_group(self, request: PlaceOrder) -> None:
        self._ask(request)

    @rule(request=spreads())
    def place_spread(self, request: PlaceOrder) -> None:
        self._ask(request)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self._ask(CancelOrder(self._some_order(data)))

    @rule(data=st.data(), limit=cents, stop=cents, quantity=quantities)
    def replace(
        self, data: st.DataObject, limit: Decimal, stop: Decimal, quantity: Decimal
    ) -> None:
        order = self.brokers[0].order(self._some_order(data))
        if order is None:
            return
        self._ask(
            ReplaceOrder(
                order_id=order.id,
                limit_price=limit if order.limit_price is not None else None,
                stop_price=None if order.stop_price is None or order.trail_price else stop,
                quantity=data.draw(st.sampled_from([None, quantity])),
            )
        )

    @rule(symbol=st.sampled_from(SYMBOLS), percentage=st.sampled_from([None, Decimal(50)]))
    @precondition(lambda self: bool(self.brokers[0].positions()))
    def close(self, symbol: str, percentage: Decimal | None) -> None:
        self._ask(ClosePosition(asset=symbol, percentage=percentage))

    @rule(request=st.sampled_from([CancelAllOrders(), CloseAllPositions(cancel_orders=True)]))
    @precondition(lambda self: len(self.brokers[0].orders(OrderQuery())) > 4)
    def clear(self, request: BrokerRequest) -> None:
        self._ask(request)

    @rule(act=acts)
    def act(self, act: Act) -> None:
        self._both(lambda broker: broker.act(act, self.now))

    @rule(shape=bars, symbols=st.sets(st.sampled_from(BAR_SYMBOLS), min_size=1))
    @precondition(lambda self: not self.in_progress)
    def bars_begin(self, shape: tuple[float, float, float, float], symbols: set[str]) -> None:
        for symbol in sorted(symbols):
            bar = Bar(symbol, self.now, self.now + MINUTE, *shape, 400.0)
            self.market.add(bar)
            self.in_progress.append(bar)
            self._both(_begins(bar))

    @rule(shape=bars, symbols=st.sets(st.sampled_from(BAR_SYMBOLS), min_size=1))
    def bars_pass(self, shape: tuple[float, float, float, float], symbols: set[str]) -> None:
        if not self.in_progress:
            self.bars_begin(shape, symbols)
        self.bars_end()

    @rule(part=st.integers(1, 3))
    @precondition(lambda self: bool(self.in_progress))
    def time_goes_by(self, part: int) -> None:
        self.now = self.in_progress[0].start_at + part * MINUTE // 4
        self._both(lambda broker: broker.come_to(self.now))

    @rule()
    @precondition(lambda self: bool(self.in_progress))
    def bars_end(self) -> None:
        self.now = self.in_progress[0].end_at
        for bar in self.in_progress:
            self._both(_ends(bar))
        self.in_progress.clear()
        self._both(lambda broker: broker.come_to(self.now))

    @rule(much=st.integers(0, 3))
    @precondition(lambda self: not self.in_progress)
    def the_day_ends(self, much: int) -> None:
        if much < 3:
            return
        moments = [
            t for s in SESSIONS.sessions for t in (s.open_at, s.close_at, s.close_at + MINUTE)
        ]
        self.now = min((t for t in moments if t > self.now), default=self.now)
        self._both(lambda broker: broker.come_to(self.now))

    @invariant()
    def holdings_are_the_sum_of_what_happened(self) -> None:
        broker = self.brokers[0]
        cash, held = STARTING_CASH, defaultdict[str, Decimal](Decimal)
        for activity in _all_activities(broker):
            match activity:
                case FillActivity():
                    signed = activity.side.sign * activity.quantity
                    contract = self.market.contract(activity.symbol)
                    multiplier = Decimal(1 if contract is None else contract.multiplier)
                    value = multiply(multiply(signed, activity.price), multiplier)
                    held[activity.symbol] = add(held[activity.symbol], signed)
                    cash = subtract(cash, value)
                case OtherActivity():
                    cash = add(cash, activity.net_amount)
                    if activity.symbol is not None and activity.quantity is not None:
                        held[activity.symbol] = add(held[activity.symbol], activity.quantity)
        assert broker.account().cash == cash
        found = {position.symbol: position.quantity for position in broker.positions()}
        assert found == {symbol: quantity for symbol, quantity in held.items() if quantity}

    @invariant()
    def no_order_goes_back(self) -> None:
        for order in self.brokers[0].orders(OrderQuery(which=WhichOrders.ALL, limit=10_000)):
            before = self.known.get(order.id)
            if before is not None:
                assert order.filled_quantity >= before.filled_quantity
                if before.status.is_terminal:
                    assert structs.replace(order, legs=(), parent=None) == structs.replace(
                        before, legs=(), parent=None
                    )
            self.known[order.id] = order

    @invariant()
    def exits_never_trade_more_than_their_entry(self) -> None:
        filled = defaultdict[str, Decimal](Decimal)
        entries = {o.id: o for o in self.known.values() if o.order_class is OrderClass.BRACKET}
        for order in entries.values():
            if order.parent is not None:
                filled[order.parent] = add(filled[order.parent], order.filled_quantity)
        for parent, exited in filled.items():
            # What replaced the entry has its children, and what it had filled before is theirs.
            entered = self._filled_by_chain(parent)
            assert exited <= entered

    @invariant()
    def coins_are_never_short_and_equity_is_cash_and_positions(self) -> None:
        broker = self.brokers[0]
        account = broker.account()
        values = [p.market_value for p in broker.positions()]
        equity = account.cash
        for value in values:
            assert value is not None
            equity = add(equity, value)
        assert account.equity == equity
        coins = broker.position("BTCUSD")
        assert coins is None or coins.quantity > 0

    def teardown(self) -> None:
        if not hasattr(self, "brokers"):
            return
        first, second = self.brokers
        assert _all_activities(first) == _all_activities(second)
        assert first.account() == second.account()
        assert first.positions() == second.positions()

    def _some_order(self, data: st.DataObject) -> str:
        found = [order.id for order in self.brokers[0].orders(OrderQuery())]
        return data.draw(st.sampled_from(found or [*self.known, "none"]))

    def _filled_by_chain(self, order_id: str) -> Decimal:
        order: BrokerOrder | None = self.known[order_id]
        filled = Decimal(0)
        while order is not None:
            filled = add(filled, order.filled_quantity)
            order = None if order.replaces is None else self.known[order.replaces]
        return filled


def _begins(bar: Bar) -> Callable[[Brokerage], Told]:
    return lambda broker: broker.bar_begins(bar, bar.start_at)


def _ends(bar: Bar) -> Callable[[Brokerage], Told]:
    return lambda broker: broker.bar_ends(bar)


def _all_activities(broker: Brokerage) -> tuple[Activity, ...]:
    return broker.activities(ActivityQuery(page_size=100_000, ascending=True))


def test_the_books_are_right_whatever_happens() -> None:
    run_state_machine_as_test(
        AnyAccount, settings=settings(max_examples=20, stateful_step_count=40, deadline=None)
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_books_are_right_in_many_more_histories() -> None:
    run_state_machine_as_test(
        AnyAccount, settings=settings(max_examples=800, stateful_step_count=60, deadline=None)
    )
