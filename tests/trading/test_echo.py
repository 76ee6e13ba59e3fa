"""The venue's echo, held against what was sent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.echo import echo_mismatch
from hydra.trading.orders import Order, OrderType, Side, TimeInForce

SENT = Order(
    client_order_id="hy1-20240102-0123456789abcdef-e",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(10),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal("187.30"),
)

ALTERATIONS: list[tuple[str, object, str]] = [
    (
        "client_order_id",
        "hy1-20240102-0123456789abcdef-x",
        "client order id is hy1-20240102-0123456789abcdef-x, sent was hy1-",
    ),
    ("symbol", "MSFT", "symbol is MSFT, sent was AAPL"),
    ("side", Side.SELL, "side is sell, sent was buy"),
    ("quantity", Decimal(11), "quantity is 11, sent was 10"),
    ("order_type", OrderType.STOP, "order type is stop, sent was limit"),
    ("time_in_force", TimeInForce.GTC, "time in force is gtc, sent was day"),
    ("limit_price", Decimal("187.31"), "limit price is 187.31, sent was 187.30"),
    ("limit_price", None, "limit price is none, sent was 187.30"),
    ("stop_price", Decimal(180), "stop price is 180, sent was none"),
    ("replaces", "hy1-20240102-aaaaaaaaaaaaaaaa-e", "replaces is hy1-20240102-aaaaaaaaaaaaaaaa-e"),
    ("symbol", "", "symbol is '', sent was AAPL"),
    ("symbol", "AA\nPL", "symbol is 'AA\\nPL', sent was AAPL"),
    ("quantity", Decimal("NaN"), "quantity is NaN, sent was 10"),
    ("quantity", Decimal("sNaN"), "quantity is sNaN, sent was 10"),
    ("quantity", Decimal(-10), "quantity is -10, sent was 10"),
    ("quantity", Decimal("1E+9999999"), "quantity is 1E+9999999, sent was 10"),
    ("limit_price", Decimal("Infinity"), "limit price is Infinity, sent was 187.30"),
]


def altered(field: str, value: object) -> Order:
    return structs.replace(SENT, **{field: value})


def test_an_echo_of_what_was_sent_is_no_mismatch_i27() -> None:
    assert echo_mismatch(SENT, structs.replace(SENT)) is None


@pytest.mark.parametrize(("field", "value", "told"), ALTERATIONS)
def test_each_altered_field_is_named_with_both_values_i27(
    field: str, value: object, told: str
) -> None:
    mismatch = echo_mismatch(SENT, altered(field, value))

    assert mismatch is not None
    assert mismatch.startswith(told)
    assert ";" not in mismatch


def test_every_field_of_an_order_is_compared_i27() -> None:
    assert {field for field, _, _ in ALTERATIONS} == set(Order.__struct_fields__)


def test_all_altered_fields_are_named_in_one_line_i27() -> None:
    echoed = structs.replace(SENT, side=Side.SELL, quantity=Decimal(5))

    assert echo_mismatch(SENT, echoed) == ("side is sell, sent was buy; quantity is 5, sent was 10")


@given(
    st.decimals(min_value="-1e12", max_value="1e12", places=9),
    st.integers(min_value=0, max_value=9),
)
def test_equal_numbers_are_equal_however_they_are_written_i27(price: Decimal, zeros: int) -> None:
    sent = altered("limit_price", price)
    echoed = altered("limit_price", Decimal(f"{price:f}" + "0" * zeros))

    assert echo_mismatch(sent, echoed) is None


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_does_not_even_equal_itself_i27(number: str) -> None:
    odd = altered("quantity", Decimal(number))

    assert echo_mismatch(odd, odd) == f"quantity is {number}, sent was {number}"
