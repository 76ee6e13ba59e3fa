"""What a symbol names, by how it is spelled."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.instruments import Instrument, instrument, units_of, value_of
from hydra.trading.option_symbols import parsed


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [
        ("AAPL", Instrument.SHARE),
        ("F", Instrument.SHARE),
        ("BRK.B", Instrument.SHARE),
        ("BTC/USD", Instrument.COIN),
        ("AAPL261218C00200000", Instrument.OPTION),
        ("HYDR261218P00042500", Instrument.OPTION),
        ("AAPL1261218P00042500", Instrument.OPTION),
        ("", None),
        ("aapl", None),
        ("BTC-USD", None),
        ("BTC/", None),
        ("AAPL ", None),
        ("AAPL261218X00200000", None),
    ],
)
def test_a_symbol_is_known_by_its_spelling(symbol: str, kind: Instrument | None) -> None:
    assert instrument(symbol) is kind


@given(
    st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from("CP"),
    st.integers(1, 10**8 - 1),
)
def test_whatever_is_read_as_an_option_is_worth_a_contract(
    root: str, expiration: date, right: str, strike: int
) -> None:
    symbol = f"{root}{expiration:%y%m%d}{right}{strike:08d}"

    assert parsed(symbol) is not None
    assert (instrument(symbol), units_of(symbol)) == (Instrument.OPTION, Decimal(100))


@pytest.mark.parametrize(
    ("symbol", "value"),
    [("AAPL", "-6.3"), ("BTC/USD", "-6.3"), ("SPY240719C00552000", "-630"), ("?", "-6.3")],
)
def test_a_contract_is_worth_a_hundred_times_its_price(symbol: str, value: str) -> None:
    assert value_of(symbol, Decimal(-3), Decimal("2.10")) == Decimal(value)
