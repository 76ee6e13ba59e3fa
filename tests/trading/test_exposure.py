from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.exact import add, multiply, subtract
from hydra.trading.exposure import (
    NOTHING,
    Claim,
    Holding,
    Outstanding,
    claim_on,
    is_price,
    outstanding,
    worst_exposure,
)
from hydra.trading.fees import ALPACA_FEES, NO_FEES, FeeSchedule
from hydra.trading.instruments import value_of
from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import Fill, Side
from hydra.trading.reckoning import reckoning

D = Decimal
GAP = reckoning("AAPL", D("1.5"), NO_FEES)
"""Shares, and no fees."""
SYMBOLS = ("AAPL", "BTC/USD", "SPY240719C00552000")
RECKONED = {
    (symbol, fees): reckoning(symbol, D("1.5"), fees)
    for symbol in SYMBOLS
    for fees in (NO_FEES, ALPACA_FEES)
}

QUANTITIES = st.decimals("0.000000001", "1000", places=9)
PRICES = st.decimals("0.01", "1000", places=2)
MARK = D(100)

BUY_10 = Claim(
    side=Side.BUY, quantity=D(10), opens=True, low=D(98), high=D(99), needs_mark=False, stop=D(95)
)


def claims() -> st.SearchStrategy[Claim]:
    return st.builds(
        lambda side, quantity, opens, prices, stop: Claim(
            side=side,
            quantity=quantity,
            opens=opens,
            low=min(prices),
            high=max(prices),
            needs_mark=False,
            stop=stop,
        ),
        st.sampled_from(Side),
        QUANTITIES,
        st.booleans(),
        st.tuples(PRICES, PRICES),
        st.none() | PRICES,
    )


def buy(changes: dict[str, Any]) -> Claim:
    return msgspec.structs.replace(BUY_10, **changes)


def test_a_claim_spans_the_prices_that_the_order_names() -> None:
    claim = claim_on(
        side=Side.SELL,
        quantity=D(3),
        opens=True,
        limit_price=D(101),
        stop_price=D(99),
        reference_price=D(100),
        protective_stop=D(104),
    )

    assert claim == Claim(
        side=Side.SELL,
        quantity=D(3),
        opens=True,
        low=D(99),
        high=D(101),
        needs_mark=False,
        stop=D(104),
    )


def test_without_a_reference_an_order_can_only_be_valued_by_the_market_i35() -> None:
    claim = claim_on(
        side=Side.BUY,
        quantity=D(3),
        opens=True,
        limit_price=D(101),
        stop_price=None,
        reference_price=None,
        protective_stop=None,
    )

    assert claim == Claim(
        side=Side.BUY,
        quantity=D(3),
        opens=True,
        low=D(101),
        high=D(101),
        needs_mark=True,
        stop=None,
    )
    assert outstanding([claim], None, GAP) == Outstanding(buys=D(3), unvalued=1)
    assert outstanding([claim], D(100), GAP) == Outstanding(
        buys=D(3), buys_value=D(303), loss=D(303)
    )


NO_NUMBERS = [
    D("NaN"),
    D("sNaN"),
    D("Infinity"),
    D("-1"),
    D(0),
    D("1E+999999"),
    D("1E-999999"),
    D("1." + "1" * 90),
    1.5,
    True,
    "1",
]


@pytest.mark.parametrize("bad", NO_NUMBERS, ids=str)
@pytest.mark.parametrize(
    "field", ["quantity", "limit_price", "stop_price", "reference_price", "protective_stop"]
)
def test_what_is_no_number_makes_no_claim_i34(field: str, bad: Any) -> None:
    fine: dict[str, Any] = {
        "side": Side.BUY,
        "quantity": D(1),
        "opens": True,
        "limit_price": D(1),
        "stop_price": D(1),
        "reference_price": D(1),
        "protective_stop": D(1),
    }

    assert claim_on(**fine) is not None
    assert claim_on(**{**fine, field: bad}) is None


def test_numbers_at_the_edge_of_what_is_sane_are_taken_i34() -> None:
    def quantity_is_taken(quantity: str) -> bool:
        fine = {"limit_price": None, "stop_price": None, "protective_stop": None}
        claim = claim_on(
            side=Side.BUY, quantity=D(quantity), opens=True, reference_price=D(1), **fine
        )
        return claim is not None

    assert quantity_is_taken("1E+12") and not quantity_is_taken("1000000000000.000000001")
    assert quantity_is_taken("1E-9") and not quantity_is_taken("1E-10")
    assert is_price(D("1E+9")) and not is_price(D("1000000000.01"))
    assert is_price(D("1E-30")) and not is_price(D("1E-31"))


@given(
    st.decimals()
    | st.builds(
        lambda digits, exponent: D((0, tuple(digits), exponent)),
        st.lists(st.integers(0, 9), min_size=1, max_size=45),
        st.integers(-45, 12) | st.sampled_from([-(10**7), 10**7]),
    )
)
def test_a_price_is_held_to_its_range_and_to_the_places_that_are_written_i34(
    value: Decimal,
) -> None:
    """Also to places that are written and zero: the venue would be sent them."""
    exponent = value.as_tuple().exponent
    is_sane = isinstance(exponent, int) and exponent >= -30 and 0 < value <= 10**9

    assert is_price(value) is is_sane


@pytest.mark.parametrize(
    ("claim", "mark", "found"),
    [
        pytest.param(
            BUY_10,
            D("98.5"),
            Outstanding(buys=D(10), buys_value=D(990), loss=D(60)),
            id="valued at the highest price, lost from there to the stop, one and a half times",
        ),
        pytest.param(
            BUY_10,
            D(100),
            Outstanding(buys=D(10), buys_value=D(1000), loss=D(75)),
            id="the mark is a price as well",
        ),
        pytest.param(
            BUY_10,
            None,
            Outstanding(buys=D(10), buys_value=D(990), loss=D(60)),
            id="without a mark, at its own prices",
        ),
        pytest.param(
            BUY_10,
            D(95),
            Outstanding(buys=D(10), buys_value=D(990), loss=D(990)),
            id="a stop that is not below every price is none",
        ),
        pytest.param(
            buy({"stop": D(98)}),
            D(100),
            Outstanding(buys=D(10), buys_value=D(1000), loss=D(1000)),
            id="also not below its own prices",
        ),
        pytest.param(
            buy({"stop": None}),
            D(90),
            Outstanding(buys=D(10), buys_value=D(990), loss=D(990)),
            id="no stop, and all is lost",
        ),
        pytest.param(
            buy({"stop": D(1)}),
            D(90),
            Outstanding(buys=D(10), buys_value=D(990), loss=D(990)),
            id="a long loses no more than all",
        ),
        pytest.param(
            buy({"opens": False}),
            D(100),
            Outstanding(buys=D(10), buys_value=D(1000)),
            id="what reduces loses nothing",
        ),
        pytest.param(
            buy({"low": None, "high": None}),
            D(100),
            Outstanding(buys=D(10), buys_value=D(1000), loss=D(75)),
            id="an order at the market",
        ),
        pytest.param(
            buy({"low": None, "high": None, "needs_mark": True}),
            None,
            Outstanding(buys=D(10), unvalued=1),
            id="an order at an unknown market",
        ),
        pytest.param(
            buy({"side": Side.SELL, "stop": D(103)}),
            D(100),
            Outstanding(sells=D(10), sells_value=D(1000), loss=D(75)),
            id="a short loses from the lowest price to its stop",
        ),
        pytest.param(
            buy({"side": Side.SELL, "stop": D(100)}),
            D(100),
            Outstanding(sells=D(10), sells_value=D(1000), loss=D(2000)),
            id="a short whose stop is not above every price loses twice its worth",
        ),
        pytest.param(
            buy({"side": Side.SELL, "stop": None}),
            D(100),
            Outstanding(sells=D(10), sells_value=D(1000), loss=D(2000)),
            id="and so does one without a stop",
        ),
        pytest.param(
            buy({"side": Side.SELL, "stop": D(998)}),
            D(98),
            Outstanding(sells=D(10), sells_value=D(990), loss=D(1980)),
            id="and so does one whose stop is farther away than that",
        ),
    ],
)
def test_an_order_counts_at_the_worst_of_the_prices_known_i31(
    claim: Claim, mark: Decimal | None, found: Outstanding
) -> None:
    assert outstanding([claim], mark, GAP) == found


@given(st.lists(claims(), max_size=4), st.lists(claims(), max_size=4), st.none() | PRICES)
def test_orders_add_up_i33(some: list[Claim], others: list[Claim], mark: Decimal | None) -> None:
    first, second = outstanding(some, mark, GAP), outstanding(others, mark, GAP)

    assert outstanding(some + others, mark, GAP) == first.plus(second)
    assert (first.plus(NOTHING), NOTHING.plus(first)) == (first, first)


def test_what_cannot_be_valued_is_counted_and_its_quantity_is_known_i33() -> None:
    unvalued = buy({"needs_mark": True})

    both = outstanding([BUY_10, unvalued], None, GAP)

    assert both == Outstanding(buys=D(20), buys_value=D(990), loss=D(60), unvalued=1)
    assert both.plus(both).unvalued == 2


def test_orders_on_the_side_that_closes_a_position_reduce_it() -> None:
    orders = Outstanding(buys=D(3), sells=D(4))

    assert [orders.reducing(D(position)) for position in (10, -10, 0)] == [D(4), D(3), D(0)]


@pytest.mark.parametrize(
    ("position", "orders", "exposure"),
    [
        (D(0), NOTHING, D(0)),
        (D(10), NOTHING, D(1000)),
        (D(-10), NOTHING, D(1000)),
        (D(10), Outstanding(buys=D(5), buys_value=D(505)), D(1505)),
        (D(-10), Outstanding(sells=D(5), sells_value=D(505)), D(1505)),
        # A sell at a higher price only reduces a long.
        (D(10), Outstanding(sells=D(10), sells_value=D(2500)), D(1000)),
        (D(-10), Outstanding(buys=D(10), buys_value=D(2500)), D(1000)),
        # It goes through zero: what is left of the orders, at their price.
        (D(2), Outstanding(sells=D(10), sells_value=D(1100)), D(900)),
        (D(-2), Outstanding(buys=D(10), buys_value=D(1100)), D(900)),
        # Either side may be filled alone.
        (D(1), Outstanding(D(3), D(300), D(9), D(900)), D(800)),
        (D(1), Outstanding(D(9), D(900), D(3), D(300)), D(1000)),
        (D(0), Outstanding(buys=D(1), unvalued=1), None),
    ],
)
def test_exposure_is_the_worse_of_all_buys_and_all_sells_filled_i31(
    position: Decimal, orders: Outstanding, exposure: Decimal | None
) -> None:
    assert worst_exposure(position, MARK, orders) == exposure


def test_what_is_held_needs_a_mark_and_what_is_not_held_needs_none_i35() -> None:
    orders = Outstanding(buys=D(5), buys_value=D(505))

    assert worst_exposure(D(1), None, orders) is None
    assert worst_exposure(D(-1), None, NOTHING) is None
    assert worst_exposure(D(0), None, orders) == D(505)


@given(
    symbol=st.sampled_from(SYMBOLS),
    position=st.decimals("-1000", "1000", places=9),
    orders=st.lists(claims(), max_size=4),
    data=st.data(),
)
def test_no_fills_in_any_order_lead_above_the_worst_exposure_i31(
    symbol: str, position: Decimal, orders: list[Claim], data: st.DataObject
) -> None:
    by = RECKONED[symbol, NO_FEES]
    worst = worst_exposure(position, MARK, outstanding(orders, MARK, by), by.units)
    assert worst is not None

    while orders:
        number = data.draw(st.integers(0, len(orders) - 1))
        order = orders.pop(number)
        part = data.draw(st.decimals("0.000000001", order.quantity, places=9))
        position = add(position, multiply(part, D(order.side.sign)))
        if part < order.quantity and data.draw(st.booleans()):  # else the rest is canceled
            rest = subtract(order.quantity, part)
            orders.append(msgspec.structs.replace(order, quantity=rest))

        assert value_of(symbol, position.copy_abs(), MARK) <= worst
        still = worst_exposure(position, MARK, outstanding(orders, MARK, by), by.units)
        assert still is not None and still <= worst


def executed(
    number: int, side: Side, quantity: Decimal, price: Decimal = MARK, symbol: str = "AAPL"
) -> Fill:
    return Fill(
        execution_id=f"execution-{number}",
        client_order_id=f"order-{number}",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        at=number,
    )


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 5), st.integers(1, 500)), max_size=20)
)
def test_every_lot_keeps_the_stop_that_it_was_opened_with(
    fills: list[tuple[Side, int, int]],
) -> None:
    holding, stops = Holding(FifoInventory("AAPL")), dict[str, Decimal | None]()

    for number, (side, quantity, stop) in enumerate(fills):
        stops[f"execution-{number}"] = D(stop)
        holding, _ = holding.after(executed(number, side, D(quantity)), D(stop))

        assert holding == Holding.of(holding.inventory, stops)
        assert holding.position == holding.inventory.position


def test_a_holding_gives_the_lots_that_a_fill_closed() -> None:
    holding, nothing = Holding(FifoInventory("AAPL")).after(executed(1, Side.BUY, D(2)), None)
    flat, closed = holding.after(executed(2, Side.SELL, D(2)), None)

    assert nothing == () and [lot.quantity for lot in closed] == [D(2)]
    assert flat == Holding(FifoInventory("AAPL"))


def test_a_lot_that_the_record_names_no_stop_for_has_none() -> None:
    holding, _ = Holding(FifoInventory("AAPL")).after(executed(1, Side.BUY, D(2)), D(95))

    assert Holding.of(holding.inventory, {"execution-2": D(95)}).stops == (None,)


@pytest.mark.parametrize(
    ("side", "entry", "stop", "mark", "lost"),
    [
        # From the entry or from the mark, whichever is farther from the stop.
        (Side.BUY, 100, 96, 98, 6),
        (Side.BUY, 100, 96, 102, 9),
        (Side.SELL, 100, 104, 102, 6),
        (Side.SELL, 100, 104, 98, 9),
        # A stop that was moved behind the entry keeps a part of the gain.
        (Side.BUY, 100, 104, 106, 3),
        (Side.SELL, 100, 96, 94, 3),
        # What the market has reached protects no more.
        (Side.BUY, 100, 96, 96, 100),
        (Side.BUY, 100, 96, 90, 100),
        (Side.SELL, 100, 104, 104, 208),
        (Side.SELL, 100, 104, 110, 220),
        # Nor does a stop that there is not.
        (Side.BUY, 100, None, 102, 102),
        (Side.SELL, 100, None, 98, 200),
        # A long loses no more than all.
        (Side.BUY, 100, 1, 50, 100),
    ],
)
def test_a_lot_loses_from_the_worse_of_entry_and_mark_to_its_stop(
    side: Side, entry: int, stop: int | None, mark: int, lost: int
) -> None:
    stopped = None if stop is None else D(stop)
    holding, _ = Holding(FifoInventory("AAPL")).after(executed(1, side, D(2), D(entry)), stopped)

    assert holding.loss_at_stop(D(mark), GAP) == 2 * lost


def test_lots_lose_each_to_its_own_stop() -> None:
    holding = Holding(FifoInventory("AAPL"))
    for number, (quantity, stop) in enumerate([(1, D(98)), (2, None), (4, D(96))]):
        holding, _ = holding.after(executed(number, Side.BUY, D(quantity)), stop)

    assert holding.loss_at_stop(MARK, GAP) == 1 * 3 + 2 * 100 + 4 * 6


@given(
    st.sampled_from(SYMBOLS),
    st.sampled_from([NO_FEES, ALPACA_FEES]),
    claims(),
    st.integers(1, 4),
    PRICES,
    PRICES,
)
def test_a_fill_at_a_known_price_never_raises_what_is_at_risk_i31_i32(
    symbol: str, fees: FeeSchedule, claim: Claim, filled: int, price: Decimal, mark: Decimal
) -> None:
    by = RECKONED[symbol, fees]
    claim = msgspec.structs.replace(claim, opens=True)
    low, high = min(claim.low or mark, mark), max(claim.high or mark, mark)
    price = min(max(price, low), high)
    part = claim.quantity if filled == 4 else claim.quantity / 4

    before = outstanding([claim], mark, by)
    rest = msgspec.structs.replace(claim, quantity=claim.quantity - part)
    after = outstanding([rest] if rest.quantity else [], mark, by)
    holding, _ = Holding(FifoInventory(symbol)).after(
        executed(1, claim.side, part, price, symbol), claim.stop
    )

    assert add(after.loss, holding.loss_at_stop(mark, by)) <= before.loss
    exposed = (
        worst_exposure(D(0), mark, before, by.units),
        worst_exposure(holding.position, mark, after, by.units),
    )
    assert exposed[0] is not None and exposed[1] is not None and exposed[1] <= exposed[0]
