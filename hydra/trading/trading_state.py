"""The trading state: the worst of a set of causes, never a flag somebody flips."""

from collections.abc import Iterable
from enum import Enum

import msgspec

from hydra.trading.option_symbols import parsed, root_of


class TradingState(Enum):
    """What may pass: everything, only what reduces a position, or nothing."""

    ACTIVE = "active"
    CLOSE_ONLY = "close_only"
    HALTED = "halted"

    @property
    def severity(self) -> int:
        """Larger is worse."""
        return _SEVERITY[self]


_SEVERITY = {TradingState.ACTIVE: 0, TradingState.CLOSE_ONLY: 1, TradingState.HALTED: 2}


class CauseClass(Enum):
    """Who clears a cause."""

    START = "start"
    """A passed preflight."""
    COOLDOWN = "cooldown"
    """Its clock; it blocks one bot's entries only."""
    LIMIT = "limit"
    """Preflight after a cool-off, or an operator."""
    INTEGRITY = "integrity"
    """An operator, with a reason."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One reason not to trade freely. `code` names it within the set; `since` is market time.

    With `bot`, `symbol` or both it holds for the orders of that bot, in that symbol, only.
    """

    code: str
    cause_class: CauseClass
    state: TradingState
    since: int
    detail: str
    bot: str | None = None
    symbol: str | None = None

    @property
    def is_global(self) -> bool:
        """It holds for every order."""
        return self.bot is None and self.symbol is None


def effective_state(causes: Iterable[Cause]) -> TradingState:
    """The trading state: the most restrictive of all global causes; ACTIVE only if none stand."""
    return _worst(cause for cause in causes if cause.is_global)


def state_for(causes: Iterable[Cause], bot: str, symbol: str) -> TradingState:
    """What an order of this bot in this symbol finds: the global causes and its own ones."""
    return _worst(cause for cause in causes if concerns(cause, bot, symbol))


def concerns(cause: Cause, bot: str, symbol: str) -> bool:
    """Whether an order of this bot in this symbol is held against the cause.

    A cause against a share is one against the contracts on it.
    """
    return cause.bot in (None, bot) and (
        cause.symbol in (None, symbol) or _is_on(symbol, cause.symbol)
    )


def _is_on(symbol: str, underlying: str | None) -> bool:
    option = parsed(str(symbol))  # what is no text is no contract either (I34)
    return option is not None and underlying is not None and option.root == root_of(underlying)


def _worst(causes: Iterable[Cause]) -> TradingState:
    states = (cause.state for cause in causes)
    return max(states, key=lambda state: state.severity, default=TradingState.ACTIVE)
