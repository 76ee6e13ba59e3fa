"""Option symbols."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.brokerage.contracts import Right
from hydra.venues.simulated.market.occ import NotAnOption, OccSymbol, is_option, parse

SYMBOLS = st.builds(
    OccSymbol,
    root=st.from_regex(r"\A[A-Z][A-Z0-9]{0,5}\Z"),
    expiration=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    right=st.sampled_from(Right),
    strike=st.integers(1, 99_999_999).map(lambda n: (Decimal(n) / 1000).normalize()),
)


@pytest.mark.parametrize(
    ("text", "root", "expiration", "right", "strike"),
    [
        ("HYDR261218C00042500", "HYDR", date(2026, 12, 18), Right.CALL, "42.5"),
        ("SPY210129P00345000", "SPY", date(2021, 1, 29), Right.PUT, "345"),
        ("SPXW190426C02920000", "SPXW", date(2019, 4, 26), Right.CALL, "2920"),
        ("AAPL1260116C00000500", "AAPL1", date(2026, 1, 16), Right.CALL, "0.5"),
        ("F240229P00010125", "F", date(2024, 2, 29), Right.PUT, "10.125"),
    ],
)
def test_an_option_symbol_is_read(
    text: str, root: str, expiration: date, right: Right, strike: str
) -> None:
    found = parse(text)

    assert found == OccSymbol(root, expiration, right, Decimal(strike))
    assert str(found.strike) == strike
    assert str(found) == text


@given(SYMBOLS)
def test_what_was_written_is_read_again(symbol: OccSymbol) -> None:
    assert parse(str(symbol)) == symbol
    assert is_option(str(symbol))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAPL",
        "BTC/USD",
        "SPY   210129P00345000",
        "SPY210129X00345000",
        "SPY210230P00345000",
        "SPY211329P00345000",
        "SPY210129P0034500",
        "SPY210129P003450000",
        "SPY210129P00000000",
        "spy210129P00345000",
        "TOOLONG210129P00345000",
        "210129P00345000",
        "SPY210129P00345000\n",
        "SPY٢10129P00345000",
    ],
)
def test_what_is_no_option_symbol_is_refused_and_shown(text: str) -> None:
    with pytest.raises(NotAnOption, match="wanted an option symbol such as") as refusal:
        parse(text)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "symbol",
    [
        OccSymbol("", date(2026, 1, 16), Right.CALL, Decimal(1)),
        OccSymbol("BRK.B", date(2026, 1, 16), Right.CALL, Decimal(1)),
        OccSymbol("AAPL", date(1999, 1, 15), Right.CALL, Decimal(1)),
        OccSymbol("AAPL", date(2100, 1, 15), Right.CALL, Decimal(1)),
        OccSymbol("AAPL", date(2026, 1, 16), Right.CALL, Decimal(0)),
        OccSymbol("AAPL", date(2026, 1, 16), Right.CALL, Decimal(100_000)),
        OccSymbol("AAPL", date(2026, 1, 16), Right.CALL, Decimal("1.0005")),
    ],
)
def test_what_cannot_be_written_as_an_option_symbol_is_refused(symbol: OccSymbol) -> None:
    with pytest.raises(NotAnOption, match="wanted a root of 1 to 6"):
        str(symbol)
