from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.instruments import Instrument, instrument
from hydra.trading.option_symbols import OptionSymbol, Right, parsed
from tests.trading.market_data import rows_of

SPY_OPTIONS = "options_eod/SPY_options_eod_2021-01-04_2021-08-31.csv.gz"


def test_a_symbol_says_root_expiration_right_and_strike() -> None:
    assert parsed("SPY210129P00345000") == OptionSymbol(
        "SPY", date(2021, 1, 29), Right.PUT, Decimal(345)
    )
    assert parsed("F1260117C00000500") == OptionSymbol(
        "F1", date(2026, 1, 17), Right.CALL, Decimal("0.5")
    )


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "SPY",
        "BTC/USD",
        "SPY210230C00345000",
        "SPY211301C00345000",
        "SPY210129X00345000",
        "SPY210129C00000000",
        "SPY210129C0034500",
        "SPY 210129C00345000",
        "spy210129C00345000",
        "1PY210129C00345000",
        "TOOLONG210129C00345000",
        "SPY210129C00345000\n",
        "SPY\uff12\uff110129C00345000",
    ],
)
def test_what_is_no_option_symbol_says_nothing_i34(symbol: str) -> None:
    assert parsed(symbol) is None


@given(
    st.from_regex(r"[A-Z]{1,6}", fullmatch=True),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(Right),
    st.integers(1, 99_999_999),
)
def test_every_symbol_says_what_it_was_made_of(
    root: str, expiration: date, right: Right, thousandths: int
) -> None:
    letter = right.name[0]
    symbol = f"{root}{expiration:%y%m%d}{letter}{thousandths:08}"

    strike = Decimal(thousandths).scaleb(-3)
    assert parsed(symbol) == OptionSymbol(root, expiration, right, strike)
    assert instrument(symbol) is Instrument.OPTION


def test_real_symbols_say_what_their_rows_say() -> None:
    for row in rows_of(SPY_OPTIONS):
        assert parsed(row["occ_symbol"]) == OptionSymbol(
            row["underlying"],
            date.fromisoformat(row["expiration"]),
            Right.CALL if row["right"] == "C" else Right.PUT,
            Decimal(row["strike"]),
        )
