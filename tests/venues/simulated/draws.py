"""Anything that may be asked of a venue and may happen to it, for properties."""

from decimal import Decimal

from hypothesis import strategies as st

from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Order, OrderType, Side, TimeInForce

SYMBOLS = ("AAPL", "BTC/USD")

_CENTS = st.integers(min_value=9_500, max_value=10_500)
_PRICES = _CENTS.map(lambda cents: Decimal(cents) / 100)
_DAY, _GTC, _IOC = TimeInForce
_MARKET, _LIMIT, _STOP = OrderType


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """An order that a venue with a large enough account takes. Whoever draws it names it."""
    symbol = draw(st.sampled_from(SYMBOLS))
    quantity = draw(st.sampled_from(["1", "7", "30", "30.5", "0.123456789"]).map(Decimal))
    is_whole = quantity == int(quantity)
    if is_crypto(symbol):
        order_type, tif = draw(st.sampled_from([(_MARKET, _IOC), (_LIMIT, _GTC), (_LIMIT, _IOC)]))
    else:
        order_type = draw(st.sampled_from(OrderType))
        tif = draw(st.sampled_from([_DAY, _GTC])) if is_whole else _DAY
        if is_whole and order_type is not _STOP and draw(st.booleans()):
            tif = _IOC
    return Order(
        client_order_id="",
        symbol=symbol,
        side=draw(st.sampled_from([Side.BUY, Side.BUY, Side.SELL])),
        quantity=quantity,
        order_type=order_type,
        time_in_force=tif,
        limit_price=draw(_PRICES) if order_type is _LIMIT else None,
        stop_price=draw(_PRICES) if order_type is _STOP else None,
    )


@st.composite
def ranges(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Open, high, low and close, in whole cents."""
    first, last, up, down = draw(st.tuples(_CENTS, _CENTS, st.integers(0, 99), st.integers(0, 99)))
    return first / 100, (max(first, last) + up) / 100, (min(first, last) - down) / 100, last / 100
