"""The trading state: the worst of a set of causes, never a flag somebody flips."""

from enum import Enum

import msgspec


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
    """One reason not to trade freely. `code` names it within the set; `since` is market time."""

    code: str
    cause_class: CauseClass
    state: TradingState
    since: int
    detail: str


def effective_state(causes: "tuple[Cause, ...]") -> TradingState:
    """The most restrictive of all causes; ACTIVE only if there are none."""
    states = (cause.state for cause in causes)
    return max(states, key=lambda state: state.severity, default=TradingState.ACTIVE)
