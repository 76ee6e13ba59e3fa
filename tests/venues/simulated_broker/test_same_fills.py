"""The broker and the in-process venue execute by one rule: the same orders give the same trades."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.brokerage.answers import Answered
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.requests import CancelOrder, PlaceOrder
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.brokerage.words import OrderType as BrokerType
from hydra.venues.simulated.brokerage.words import TimeInForce as BrokerTime
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderFilled, OrderRejected, VenueReport
from tests.venues.simulated_broker.stage import MINUTE, OPEN, StageMarket

CASH = Decimal(10_000_000)
Trade = tuple[str, str, Decimal, Decimal, int]

prices = st.integers(9_800, 10_200).map(lambda cents: cents / 100)
order_prices = st.integers(9_750, 10_250).map(lambda cents: Decimal(cents).scaleb(-2))
shapes = st.tuples(prices, prices, prices, prices).map(lambda p: (p[0], max(p), min(p), p[3]))


@st.composite
def orders(draw: st.DrawFn) -> tuple[Side, Decimal, OrderType, TimeInForce, Decimal | None]:
    """Side, quantity, type, time in force, price."""
    order_type = draw(st.sampled_from(OrderType))
    times = [TimeInForce.DAY, TimeInForce.GTC]
    if order_type is not OrderType.STOP:
        times.append(TimeInForce.IOC)
    return (
        draw(st.sampled_from(Side)),
        Decimal(draw(st.integers(1, 90))),
        order_type,
        draw(st.sampled_from(times)),
        None if order_type is OrderType.MARKET else draw(order_prices),
    )


minutes = st.lists(st.tuples(st.lists(orders(), max_size=3), shapes), min_size=1, max_size=8)


@given(
    minutes=minutes,
    slippage=st.sampled_from([Decimal(0), Decimal(5)]),
    participation=st.sampled_from([None, Decimal("0.1")]),
)
def test_orders_sent_between_two_bars_get_the_same_executions_on_both_faces(
    minutes: list[
        tuple[
            list[tuple[Side, Decimal, OrderType, TimeInForce, Decimal | None]],
            tuple[float, float, float, float],
        ]
    ],
    slippage: Decimal,
    participation: Decimal | None,
) -> None:
    engine = MatchingEngine(
        VenueTerms(starting_cash=CASH, slippage_bps=slippage, max_participation=participation)
    )
    market = StageMarket()
    broker = Brokerage(
        BrokerageTerms(
            starting_cash=CASH,
            slippage_bps=slippage,
            max_participation=participation,
            multiplier=1,
        ),
        market,
    )
    reports: list[VenueReport] = []
    updates: list[TradeUpdate] = []

    for number, (wanted, shape) in enumerate(minutes):
        at = OPEN + number * MINUTE
        updates.extend(broker.come_to(at))
        for place, (side, quantity, order_type, tif, price) in enumerate(wanted):
            name = f"order-{number}-{place}"
            is_limit = order_type is OrderType.LIMIT
            is_stop = order_type is OrderType.STOP
            answered = broker.receive(
                PlaceOrder(
                    symbol="HYDR",
                    quantity=quantity,
                    side=side,
                    order_type=BrokerType(order_type.value),
                    time_in_force=BrokerTime(tif.value),
                    limit_price=price if is_limit else None,
                    stop_price=price if is_stop else None,
                    client_order_id=name,
                ),
                at,
            )
            told = engine.submit(
                Order(
                    client_order_id=name,
                    symbol="HYDR",
                    side=side,
                    quantity=quantity,
                    order_type=order_type,
                    time_in_force=tif,
                    limit_price=price if is_limit else None,
                    stop_price=price if is_stop else None,
                ),
                at,
            )
            _agree(broker, engine, name, answered, told, at)
            updates.extend(answered.updates)
        bar = Bar("HYDR", at, at + MINUTE, *shape, 500.0)
        market.add(bar)
        updates.extend(broker.bar_begins(bar, at))
        updates.extend(broker.bar_ends(bar))
        reports.extend(engine.on_bar(bar))

    fills = [report.fill for report in reports if isinstance(report, OrderFilled)]
    ours = [(f.client_order_id, f.side.value, f.quantity, f.price, f.at) for f in fills]
    assert sorted(_trades(updates)) == sorted(ours)


def _agree(
    broker: Brokerage,
    engine: MatchingEngine,
    name: str,
    answered: Answered,
    told: tuple[VenueReport, ...],
    at: int,
) -> None:
    """The two have rules of their own about money; what only one of them took is taken back."""
    was_refused = isinstance(told[0], OrderRejected)
    if isinstance(answered.answer, BrokerOrder) and was_refused:
        broker.receive(CancelOrder(answered.answer.id), at)
    elif not isinstance(answered.answer, BrokerOrder) and not was_refused:
        engine.cancel(name, at)


def _trades(updates: list[TradeUpdate]) -> list[Trade]:
    return [
        (u.order.client_order_id, u.order.side.value, u.quantity, u.price, u.at)
        for u in updates
        if u.quantity is not None and u.price is not None and u.order.side is not None
    ]
