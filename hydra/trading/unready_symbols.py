"""Which symbols must not be entered just now, by the data feed's word, and the causes for it.

That the exchange has halted a symbol is latched, like any halt. All else (its stream is down, bars
are missing, its price is old) is a cause for exactly as long as it is so: it comes and goes within
seconds, and nobody has to judge it.
"""

from collections.abc import Iterable

from hydra.trading.causes import SYMBOL_HALTED, SYMBOL_UNREADY, kind_of
from hydra.trading.symbol_prices import Unready
from hydra.trading.trading_state import Cause


class UnreadySymbols:
    """See the module. Of a feed of bars alone nothing of this is ever said."""

    def __init__(self) -> None:
        self._causes: dict[str, Cause] = {}

    def hear(self, symbol: str, why: Unready | None, detail: str, at: int) -> Cause | None:
        """Take up what the feed says; gives the cause that is to be latched, if there is one."""
        if why is None:
            self._causes.pop(symbol, None)
            return None
        words = f"{why.value}: {detail}"
        self._causes[symbol] = SYMBOL_UNREADY.cause(subject=symbol, since=at, detail=words)
        if why is not Unready.HALTED:
            return None
        return SYMBOL_HALTED.cause(subject=symbol, since=at, detail=detail)

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Those that stand now and are not latched."""
        return tuple(self._causes.values())

    def still_halted(self, latched: Iterable[Cause]) -> frozenset[str]:
        """The codes of those latched halts of a symbol of which no price can be relied on yet."""
        return frozenset(
            cause.code
            for cause in latched
            if kind_of(cause.code) is SYMBOL_HALTED and cause.symbol in self._causes
        )
