"""Any order at all, and situations that it may meet."""

from decimal import Decimal
from typing import TypeVar

from hypothesis import strategies as st

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.requests import (
    Leg,
    PlaceOrder,
    ReplaceOrder,
    StopLoss,
    TakeProfit,
)
from hydra.venues.simulated.brokerage.rulebook import RULEBOOKS
from hydra.venues.simulated.brokerage.view import AccountStanding, OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import (
    AssetClass,
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)
from tests.venues.simulated_broker.checks.situations import (
    AT_NIGHT,
    CALL,
    COIN,
    HIGHER_CALL,
    HIGHER_OPTION,
    IN_SESSION,
    OPTION,
    PUT,
    PUT_OPTION,
    STOCK,
    figures,
    having,
    holding,
    instant,
    view,
    working_order,
)

Drawn = TypeVar("Drawn")

ODD = st.sampled_from(
    [
        Decimal(text)
        for text in (
            "NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "0", "-0", "-1", "1E+999999",
            "1E-999999", "-1E+999999", "999999999999999999999999999999999999999999",
            "0.1234567890123456789012345678901234567890", "1E+12", "1E+9", "1000000000.001",
        )
    ]
)  # fmt: skip
SANE = st.decimals(min_value="0.0001", max_value=100_000, places=4) | st.integers(1, 500).map(
    Decimal
)
ANY_AMOUNT = SANE | ODD
MAYBE = st.none() | ANY_AMOUNT

SEEN = {
    "HYDR": STOCK,
    "BTC/USD": COIN,
    CALL.symbol: OPTION,
    HIGHER_CALL.symbol: HIGHER_OPTION,
    PUT.symbol: PUT_OPTION,
}
SYMBOLS = st.sampled_from([*SEEN, "ZZZZZ", ""])
OPTION_SYMBOLS = st.sampled_from([CALL.symbol, HIGHER_CALL.symbol, PUT.symbol])

LEGS = st.builds(
    Leg,
    symbol=OPTION_SYMBOLS | SYMBOLS,
    ratio_quantity=st.integers(1, 3).map(Decimal) | ANY_AMOUNT,
    side=st.sampled_from(Side),
    position_intent=st.none() | st.sampled_from(PositionIntent),
)


def orders(amounts: st.SearchStrategy[Decimal] = ANY_AMOUNT) -> st.SearchStrategy[PlaceOrder]:
    """Any order, its parts drawn without regard to one another."""
    maybe = st.none() | amounts
    return st.builds(
        PlaceOrder,
        symbol=SYMBOLS,
        quantity=maybe,
        notional=st.none() | maybe,
        side=st.sampled_from(Side) | st.none(),
        order_type=st.sampled_from(OrderType) | st.none(),
        time_in_force=st.sampled_from(TimeInForce) | st.none(),
        limit_price=maybe,
        stop_price=st.none() | maybe,
        trail_price=st.none() | maybe,
        trail_percent=st.none() | maybe,
        extended_hours=st.booleans(),
        client_order_id=st.none() | st.sampled_from(["", "a", "b" * 128, "c" * 129]),
        order_class=st.sampled_from(OrderClass),
        take_profit=st.none() | st.builds(TakeProfit, limit_price=amounts),
        stop_loss=st.none() | st.builds(StopLoss, stop_price=amounts, limit_price=maybe),
        position_intent=st.none() | st.sampled_from(PositionIntent),
        legs=st.lists(LEGS, max_size=5).map(tuple),
    )


PRICES = st.decimals(min_value=35, max_value=50, places=2)
WHOLE = st.integers(1, 3_000).map(Decimal)


@st.composite
def likely_orders(draw: st.DrawFn) -> PlaceOrder:
    """Orders that are well formed, of every kind, and often taken."""
    kind = draw(st.sampled_from(["stock", "coin", "option", "spread"]))
    order_type = draw(st.sampled_from([OrderType.MARKET, OrderType.LIMIT]))
    limited = order_type is OrderType.LIMIT
    side = draw(st.sampled_from(Side))
    match kind:
        case "stock":
            limit, symbol, tif = draw(PRICES), "HYDR", TimeInForce.DAY
            quantity = draw(WHOLE)
        case "coin":
            limit, symbol, tif = draw(PRICES) * 1500, "BTC/USD", TimeInForce.GTC
            quantity = draw(st.decimals(min_value="0.001", max_value=3, places=9))
        case "option":
            limit, symbol, tif = draw(PRICES) / 20, draw(OPTION_SYMBOLS), TimeInForce.DAY
            quantity = Decimal(draw(st.integers(1, 40)))
            limit = limit.quantize(Decimal("0.01"))
        case _:
            symbols = draw(st.lists(OPTION_SYMBOLS, min_size=2, max_size=3, unique=True))
            return PlaceOrder(
                quantity=Decimal(draw(st.integers(1, 40))),
                order_type=order_type,
                time_in_force=TimeInForce.DAY,
                limit_price=draw(st.decimals(-5, 5, places=2)) if limited else None,
                order_class=OrderClass.MLEG,
                legs=tuple(
                    Leg(leg, Decimal(draw(_mostly(1, 2))), draw(st.sampled_from(Side)))
                    for leg in symbols
                ),
            )
    return PlaceOrder(
        symbol=symbol,
        quantity=quantity,
        side=side,
        order_type=order_type,
        time_in_force=tif,
        limit_price=limit if limited else None,
    )


WORKING = st.builds(
    working_order,
    side=st.sampled_from(Side),
    quantity=st.none() | SANE,
    notional=st.just(Decimal(100)),
    order_type=st.sampled_from([OrderType.LIMIT, OrderType.MARKET, OrderType.STOP]),
    limit_price=PRICES,
    order_class=st.sampled_from(OrderClass),
    status=st.sampled_from([Status.NEW, Status.HELD, Status.PARTIALLY_FILLED]),
    filled_quantity=st.just(Decimal("0.00001")),
)


@st.composite
def views(draw: st.DrawFn, order: PlaceOrder) -> OrderView:
    """A situation for this order: its symbols looked up, positions and other orders drawn."""
    figures_now = figures(
        cash=str(draw(st.sampled_from([-500, 0, 1_500, 20_000, 250_000]))),
        shares=str(draw(st.sampled_from([0, 10_000, -5_000]))),
        multiplier=draw(st.sampled_from([1, 2, 4])),
    )
    lots = draw(
        st.lists(
            st.tuples(st.sampled_from([CALL, HIGHER_CALL, PUT]), st.integers(-5, 5)),
            max_size=3,
            unique_by=lambda lot: lot[0].symbol,
        )
    )
    book = holding(
        *((contract, str(quantity)) for contract, quantity in lots),
        shares=str(draw(st.sampled_from([0, 100, 1_000]))),
    )
    held = {lot.contract.symbol: lot.quantity for lot in book.held}
    subject = draw(_seen(order.symbol, held))
    return view(
        subject,
        at=draw(_mostly(IN_SESSION, AT_NIGHT, instant("2026-12-18T15:20"))),
        legs=tuple(draw(_seen(leg.symbol, held)) for leg in order.legs),
        figures=figures_now,
        options=book,
        standing=AccountStanding(
            trading_blocked=draw(_rarely()),
            liquidation_only=draw(_rarely()),
            shorting_enabled=not draw(_rarely()),
            options_level=draw(_mostly(3, 2, 1, 0)),
        ),
        configuration=AccountConfiguration(
            fractional_trading=not draw(_rarely()),
            max_options_trading_level=draw(st.none() | st.integers(0, 3)),
        ),
        client_order_id_used=draw(_rarely()),
        rules=draw(st.sampled_from(RULEBOOKS)),
    )


@st.composite
def changes_and_views(draw: st.DrawFn) -> tuple[ReplaceOrder, OrderView]:
    """Any change of any open or closed order in a stock or coin."""
    symbol = draw(st.sampled_from(["HYDR", "BTC/USD"]))
    old: BrokerOrder = working_order(
        symbol=symbol,
        side=draw(st.sampled_from(Side)),
        asset_class=AssetClass.EQUITY if symbol == "HYDR" else AssetClass.CRYPTO,
        quantity=draw(SANE),
        order_type=draw(st.sampled_from(OrderType)),
        time_in_force=draw(st.sampled_from(TimeInForce)),
        limit_price=draw(st.none() | SANE),
        stop_price=draw(st.none() | SANE),
        trail_percent=draw(st.none() | SANE),
        trail_price=draw(st.none() | SANE),
        order_class=draw(st.sampled_from(OrderClass)),
        parent=draw(st.none() | st.just("parent")),
        status=draw(st.sampled_from(Status) | st.just(Status.NEW)),
        filled_quantity=draw(st.just(Decimal(0)) | st.just(Decimal("0.0001"))),
    )
    change = ReplaceOrder(
        order_id="any",
        quantity=draw(MAYBE),
        time_in_force=draw(st.none() | st.sampled_from(TimeInForce)),
        limit_price=draw(MAYBE),
        stop_price=draw(MAYBE),
        trail=draw(MAYBE),
        client_order_id=draw(st.none() | st.just("n" * 130)),
    )
    seen = having(SEEN[symbol], str(draw(st.integers(-20, 20))))
    return change, view(seen, replaced=old)


@st.composite
def _seen(draw: st.DrawFn, symbol: str, held: dict[str, Decimal]) -> SymbolView:
    known = SEEN.get(symbol, SymbolView(symbol=symbol))
    position = held.get(symbol, Decimal(0))
    if known.contract is None:
        position = draw(st.sampled_from([0, 0, 5, 100, -20]).map(Decimal) | SANE)
    return having(known, str(position), *draw(st.lists(WORKING, max_size=2)))


def _mostly(usual: Drawn, *others: Drawn) -> st.SearchStrategy[Drawn]:
    return st.sampled_from([usual] * 4 * len(others) + list(others))


def _rarely() -> st.SearchStrategy[bool]:
    return st.sampled_from([False] * 19 + [True])
