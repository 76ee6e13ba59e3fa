"""How the reasons not to trade are told: each with since when, why, and how it ends."""

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

from hydra.ops.debug.describing import Row, utc_text
from hydra.trading.causes import remedy_of
from hydra.trading.trading_state import Cause

Earliest: TypeAlias = Callable[[Cause], int | None]
"""Before when (market time) nothing clears it; None: no clock says anything of it."""

LET_GO = "at the next clean pass: an operator has let it go"
"""How a cause ends that an operator has resumed."""


def causes_told(
    causes: Iterable[Cause], earliest: Earliest, noted: Collection[str] = ()
) -> list[Row]:
    """Each cause as a row. `noted`: the codes that an operator lets be cleared.

    `since` and `not_before` are market time; null where there is none, or none is known.
    """
    return [
        {
            "code": cause.code,
            "class": cause.cause_class.value,
            "state": cause.state.name,
            "since": _text(cause.since or None),
            "detail": cause.detail,
            "bot": cause.bot,
            "symbol": cause.symbol,
            "not_before": _text(earliest(cause)),
            "ends": _ends(cause, is_noted=cause.code in noted),
        }
        for cause in causes
    ]


def earliest_clearing(causes: Iterable[Cause], earliest: Earliest) -> str | None:
    """Before this market time trading is not open again; None: no clock says anything of it."""
    times = [earliest(cause) for cause in causes if cause.is_global]
    known = [at for at in times if at is not None]
    return _text(max(known)) if known else None


def no_clock(_cause: Cause) -> None:
    """Where nobody knows the market's time."""


def _ends(cause: Cause, *, is_noted: bool) -> str:
    """When it is cleared, or what an operator is to do. No clock alone clears a halt (I04)."""
    return LET_GO if is_noted else remedy_of(cause.code)


def _text(at: int | None) -> str | None:
    return None if at is None else utc_text(at)
