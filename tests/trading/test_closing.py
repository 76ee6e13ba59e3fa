from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.closing import Close, Holding, closes_of, stops_of, to_close
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.exact import multiply, subtract
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.venue_view import VenueOrder

LARGE = "1234567890123456789012345678901234567890.123456789"
"""More digits than Python's decimals keep by themselves."""


def holding(at_venue: str, excluded: str = "0", **of_bots: str) -> Holding:
    return Holding(
        symbol="AAPL",
        at_venue=Decimal(at_venue),
        excluded=Decimal(excluded),
        of_bots=tuple((bot, Decimal(quantity)) for bot, quantity in of_bots.items()),
    )


def quantities(held: Holding) -> dict[str, Decimal]:
    return {close.bot: close.quantity for close in closes_of(held, 7)}


@pytest.mark.parametrize(
    ("at_venue", "excluded", "left"),
    [
        ("10", "0", "10"),
        ("-10", "0", "-10"),
        ("10", "4", "6"),
        ("-10", "-4", "-6"),
        ("10", "10", "0"),
        ("10", "12", "0"),
        ("-10", "-12", "0"),
        ("10", "-3", "10"),
        ("-10", "3", "-10"),
        ("0", "5", "0"),
        ("0", "-5", "0"),
    ],
)
def test_all_but_what_is_excluded_goes_and_never_more_than_there_is_i09(
    at_venue: str, excluded: str, left: str
) -> None:
    assert to_close(holding(at_venue, excluded)) == Decimal(left)


def test_each_bots_position_is_closed_by_an_order_of_its_own_i28() -> None:
    assert closes_of(holding("-10", second="-4", first="-6"), 7) == (
        Close(bot="first", symbol="AAPL", quantity=Decimal(6), number=7),
        Close(bot="second", symbol="AAPL", quantity=Decimal(4), number=7),
    )


@pytest.mark.parametrize(
    ("held", "closed"),
    [
        (holding("10", a="10"), {"a": "-10"}),
        (holding("4", a="10"), {"a": "-4"}),
        (holding("10", a="4"), {"a": "-4"}),
        (holding("10", a="6", b="6"), {"a": "-6", "b": "-4"}),
        (holding("10", a="10", b="6"), {"a": "-10"}),
        (holding("6", a="10", b="-4"), {"a": "-6"}),
        (holding("-6", a="4", b="-10"), {"b": "6"}),
        (holding("0", a="4", b="-4"), {}),
        (holding("0", a="4"), {}),
        (holding("-4", a="4"), {}),
        (holding("10", "4", a="6"), {"a": "-6"}),
        (holding("10", a="0", b="10"), {"b": "-10"}),
        (holding("10"), {}),
    ],
)
def test_no_more_is_closed_than_the_venue_and_the_bot_hold_i09(
    held: Holding, closed: dict[str, str]
) -> None:
    assert quantities(held) == {bot: Decimal(quantity) for bot, quantity in closed.items()}


def test_quantities_are_closed_to_the_last_digit_i34() -> None:
    assert to_close(holding(LARGE, "0.000000009")) == Decimal(f"{LARGE[:-1]}0")
    assert quantities(holding(LARGE, a=LARGE)) == {"a": Decimal(f"-{LARGE}")}
    assert quantities(holding(LARGE, a="0.000000001", b=LARGE)) == {
        "a": Decimal("-0.000000001"),
        "b": Decimal("-1234567890123456789012345678901234567890.123456788"),
    }


POSITIONS = st.decimals(-1000, 1000, places=3)


@given(
    at_venue=POSITIONS,
    excluded=st.one_of(st.just(Decimal(0)), POSITIONS),
    of_bots=st.dictionaries(st.sampled_from("abcd"), POSITIONS),
)
def test_closing_never_opens_and_never_passes_through_zero_i09(
    at_venue: Decimal, excluded: Decimal, of_bots: dict[str, Decimal]
) -> None:
    held = Holding(
        symbol="AAPL",
        at_venue=at_venue,
        excluded=excluded,
        of_bots=tuple(of_bots.items()),
    )
    closed = quantities(held)

    total = sum(closed.values(), Decimal(0))
    assert is_towards_zero(at_venue, total)
    assert all(is_towards_zero(of_bots[bot], quantity) for bot, quantity in closed.items())
    assert 0 not in closed.values()
    # What stays is excluded, or nobody's: each bot that holds on this side is closed whole.
    if to_close(held) + total:
        held_on_this_side = {bot for bot in of_bots if of_bots[bot] * at_venue > 0}
        assert closed == {bot: -of_bots[bot] for bot in held_on_this_side}


def is_towards_zero(position: Decimal, quantity: Decimal) -> bool:
    return quantity == 0 or (quantity * position < 0 and abs(quantity) <= abs(position))


def order(name: str, side: Side, quantity: str, **how: Any) -> VenueOrder:
    """A stop order for AAPL that rests, unless something else is said."""
    asked = {"order_type": OrderType.STOP, "stop_price": Decimal(90), "symbol": "AAPL"}
    about = {key: how.pop(key) for key in asked if key in how}
    return VenueOrder(
        order=Order(
            client_order_id=name,
            side=side,
            quantity=Decimal(quantity),
            time_in_force=TimeInForce.GTC,
            **{**asked, **about},
        ),
        venue_order_id=f"venue-{name}",
        **{"status": OrderStatus.ACCEPTED, "filled_quantity": Decimal(0), **how},
    )


SELL, BUY = Side.SELL, Side.BUY


@pytest.mark.parametrize(
    ("held", "orders", "kept"),
    [
        (holding("10"), [order("stop", SELL, "10")], ("stop",)),
        (holding("-10"), [order("stop", BUY, "10")], ("stop",)),
        (holding("10"), [order("a", SELL, "6"), order("b", SELL, "4")], ("a", "b")),
        (holding("10"), [order("stop", SELL, "12", filled_quantity=Decimal(2))], ("stop",)),
        # Whatever could do more than close what is to be closed goes, as everything does.
        (holding("10"), [order("stop", SELL, "11")], ()),
        (holding("10"), [order("a", SELL, "6"), order("b", SELL, "6")], ("a",)),
        (holding("10", "4"), [order("stop", SELL, "10")], ()),
        (holding("10"), [order("stop", BUY, "10")], ()),
        (holding("0"), [order("stop", SELL, "10")], ()),
        # And what protects nothing.
        (
            holding("10"),
            [order("limit", SELL, "10", order_type=OrderType.LIMIT, stop_price=None)],
            (),
        ),
        (holding("10"), [order("stop", SELL, "10", symbol="TSLA")], ()),
        (holding("10"), [order("stop", SELL, "10", status=OrderStatus.CANCELED)], ()),
        (holding("10"), [order("stop", SELL, "10", unread="type is pegged")], ()),
    ],
)
def test_a_stop_that_only_closes_what_is_to_be_closed_is_what_protects_it_i11(
    held: Holding, orders: list[VenueOrder], kept: tuple[str, ...]
) -> None:
    assert stops_of(held, orders) == kept


def coins_of(held: Decimal, price: Decimal | None) -> Holding:
    return Holding(
        symbol="BTC/USD",
        at_venue=held,
        of_bots=(("a", held),),
        coin=CoinTerms(),
        price=price,
    )


@pytest.mark.parametrize(
    ("price", "tries", "closed"),
    [
        ("60000", 0, "-2.5"),  # a half: 5 are worth 300,000, of 180,000 at most
        ("60000", 1, "-1.25"),
        ("60000", 2, "-0.714285714"),
        ("30000", 0, "-5"),
        ("30000", 1, "-2.5"),
        (None, 1, "-5"),
    ],
)
def test_of_a_coin_one_order_closes_what_it_may_and_less_after_each_try_in_vain(
    price: str | None, tries: int, closed: str
) -> None:
    held = coins_of(Decimal(5), None if price is None else Decimal(price))

    assert [each.quantity for each in closes_of(held, 7, tries)] == [Decimal(closed)]


@given(
    st.decimals("0.001", "50", places=9),
    st.decimals("10000", "90000", places=2),
    st.lists(st.decimals("0.95", "1.09", places=2), min_size=60, max_size=60),
)
def test_parts_of_a_coin_add_up_to_it_and_each_is_an_order_that_the_venue_takes_i16(
    held: Decimal, price: Decimal, moves: list[Decimal]
) -> None:
    """Wherever the price goes by less than the room that is left for it."""
    left = held
    for move in moves:
        (close,) = closes_of(coins_of(left, price), 7)
        value = multiply(close.quantity.copy_abs(), multiply(price, move))
        assert Decimal(9) < value <= Decimal(200_000)
        left = subtract(left, close.quantity.copy_abs())
        if not left:
            return
    raise AssertionError(f"{left} of {held} is left")
