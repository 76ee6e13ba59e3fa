"""Which causes follow from the data feed's word on a symbol."""

from hydra.trading.causes import SYMBOL_HALTED, SYMBOL_UNREADY
from hydra.trading.symbol_prices import Unready
from hydra.trading.unready_symbols import UnreadySymbols

UNKNOWN = SYMBOL_UNREADY.cause(subject="AAPL", since=7, detail="unknown: no price")
HALTED = SYMBOL_UNREADY.cause(subject="AAPL", since=8, detail="halted: T1")
HALT = SYMBOL_HALTED.cause(subject="AAPL", since=8, detail="T1")


def test_a_symbol_that_cannot_be_relied_on_has_a_cause_for_as_long_i45() -> None:
    symbols = UnreadySymbols()

    latched = symbols.hear("AAPL", Unready.UNKNOWN, "no price", 7)
    standing = symbols.causes
    symbols.hear("AAPL", None, "", 9)

    assert (latched, standing, symbols.causes) == (None, (UNKNOWN,), ())


def test_what_the_exchange_halts_is_to_be_latched_until_its_prices_are_relied_on_again_i46() -> (
    None
):
    symbols = UnreadySymbols()
    other = SYMBOL_HALTED.cause(subject="NOVA", since=1, detail="before a restart")

    latched = symbols.hear("AAPL", Unready.HALTED, "T1", 8)
    standing = symbols.causes
    symbols.hear("AAPL", Unready.UNKNOWN, "no price since it was resumed", 9)
    without_a_price = symbols.still_halted([HALT, other])
    symbols.hear("AAPL", None, "", 10)

    assert (latched, standing) == (HALT, (HALTED,))
    assert without_a_price == {"symbol_halted:AAPL"}
    assert symbols.still_halted([HALT, other]) == frozenset()
