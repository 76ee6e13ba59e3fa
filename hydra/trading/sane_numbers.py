"""Which numbers are numbers: of their exact type, finite, in range, and not over-precise (I34).

This is asked before anything is compared: a limit holds no NaN back, because `NaN > limit` is
false, and a bool or a float compares with a limit like the number that it is not.
"""

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, InvalidOperation, Rounded
from operator import attrgetter
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import structs

from hydra.trading.durations import DAY
from hydra.trading.situation import Limits, Situation

# Beyond these a number is no order, no price, no sum and no limit, but a mistake.
QUANTITY_MAX = Decimal(10**12)
QUANTITY_PLACES_MAX = 9
PRICE_MAX = Decimal(10**9)
PRICE_PLACES_MAX = 30
MONEY_MAX = Decimal(10**15)
MONEY_PLACES_MAX = 60
"""A quantity times a price times a gap factor has 48; and all of it can still be added exactly."""
COUNT_MAX = 10**9
TIME_MAX = 2**63 - 1
"""In the year 2262: the last instant that a signed 64-bit count of nanoseconds can name."""

LIMIT_PLACES_MAX = 9
LIMIT_COUNT_MAX = 10_000
LIMIT_DURATION_MAX = 366 * DAY
GROSS_PCT_MAX = Decimal(10_000)
GAP_FACTOR_MAX = Decimal(100)


write_out = Context(prec=100, traps=[InvalidOperation, Rounded]).quantize
"""For one purpose: to raise `Rounded` for a value that has more places than the step given."""


class _Decimals(msgspec.Struct, frozen=True):
    """Decimals from `low` to `high`, written no finer than `step`."""

    wanted: str
    low: Decimal
    high: Decimal
    step: Decimal
    is_optional: bool = False


class _Wholes(msgspec.Struct, frozen=True):
    """Integers from `low` to `high`."""

    wanted: str
    low: int
    high: int
    is_optional: bool = False


_AnyKind = TypeVar("_AnyKind", _Decimals, _Wholes)
_FaultIn: TypeAlias = Callable[[object], str | None]


def numbers_are_sane(s: Situation) -> str | None:
    """Every number is of its type, finite, in range, and not more precise than can be meant."""
    return (
        _DECIMALS(s)
        or _WHOLES(s)
        or _STEPS.fault_in(s.market.price_steps, s.proposal.symbol)
        or _LIMITS.fault_in(s.limits, s.proposal.bot)
    )


class _LastSeen:
    """A bot's limits and a symbol's price steps hold for a whole run: the last sane ones of each
    are not looked at again.

    They are known by which object they are: what is equal is not good enough, 1 == True. Only what
    cannot change is remembered.
    """

    def __init__(self, fault_in: _FaultIn, unchanging: type) -> None:
        self._look_for_fault = fault_in
        self._unchanging = unchanging
        self._sane: dict[str, object] = {}

    def fault_in(self, value: object, whose: str) -> str | None:
        if value is self._sane.get(whose, _NONE_YET):
            return None
        fault = self._look_for_fault(value)
        if fault is None and type(value) is self._unchanging:
            if len(self._sane) >= _REMEMBERED_MAX:
                self._sane.clear()
            self._sane[whose] = value
        return fault


def _fault_in_limits(limits: object) -> str | None:
    return _LIMIT_DECIMALS(limits) or _LIMIT_WHOLES(limits)


def _fault_in_steps(steps: Any) -> str | None:
    return next(filter(None, map(_STEP, steps)), None)


def _decimals_of(kinds: Mapping[str, _Decimals]) -> _FaultIn:
    """What is wrong with the first of these fields of a value that is not of its kind.

    A third of the time of all checks is spent here, so it is one plain loop without calls.
    """
    values_of = attrgetter(*kinds)
    fields = [(kind.low, kind.high, kind.step, name, kind) for name, kind in kinds.items()]

    def fault_in(view: object) -> str | None:
        for value, (low, high, step, name, kind) in zip(values_of(view), fields, strict=True):
            # The exact type: a bool is an int, and a float compares with a limit like a decimal.
            if type(value) is Decimal and value.is_finite() and low <= value <= high:
                try:
                    write_out(value, step)
                except Rounded:
                    return _fault(name, value, kind)
            elif value is not None or not kind.is_optional:
                return _fault(name, value, kind)
        return None

    return fault_in


def _wholes_of(kinds: Mapping[str, _Wholes]) -> _FaultIn:
    """As `_decimals_of`."""
    values_of = attrgetter(*kinds)
    fields = [(kind.low, kind.high, name, kind) for name, kind in kinds.items()]

    def fault_in(view: object) -> str | None:
        for value, (low, high, name, kind) in zip(values_of(view), fields, strict=True):
            if type(value) is int and low <= value <= high:
                continue
            if value is not None or not kind.is_optional:
                return _fault(name, value, kind)
        return None

    return fault_in


def _fault(name: str, value: object, kind: _Decimals | _Wholes) -> str:
    return f"{name} is {_shown(value)}, wanted {kind.wanted}"


def _shown(value: object) -> str:
    if type(value) is int and value.bit_length() > _SHOWN_BITS_MAX:
        return f"an integer of {value.bit_length()} bits"  # Python prints no very long ones
    text = str(value) if type(value) in (int, Decimal) else repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


_SHOWN_MAX = 60
_SHOWN_BITS_MAX = 160


def _decimals(wanted: str, low: Decimal, high: Decimal, places: int) -> _Decimals:
    wanted = f"a decimal {wanted} of at most {places} places"
    return _Decimals(wanted, low, high, step=Decimal(1).scaleb(-places))


def _above_zero(high: Decimal, places: int) -> _Decimals:
    smallest = Decimal(1).scaleb(-places)
    return _decimals(f"above 0 and up to {high:.0e}", smallest, high, places)


def _from_zero(high: Decimal, places: int) -> _Decimals:
    return _decimals(f"from 0 to {high:.0e}", Decimal(0), high, places)


def _signed(high: Decimal, places: int) -> _Decimals:
    return _decimals(f"within {high:.0e}", -high, high, places)


def _wholes(low: int, high: int) -> _Wholes:
    return _Wholes(f"a whole number from {low} to {high}", low, high)


def _optional(kind: _AnyKind) -> _AnyKind:
    return structs.replace(kind, wanted=f"{kind.wanted}, or none", is_optional=True)


_TIME = _wholes(0, TIME_MAX)
_COUNT = _wholes(0, COUNT_MAX)
_COUNT_LIMIT = _wholes(1, LIMIT_COUNT_MAX)
_DURATION_LIMIT = _wholes(1, LIMIT_DURATION_MAX)

_QUANTITY = _above_zero(QUANTITY_MAX, QUANTITY_PLACES_MAX)
_POSITION = _signed(QUANTITY_MAX, QUANTITY_PLACES_MAX)
_LIVE = _from_zero(QUANTITY_MAX, QUANTITY_PLACES_MAX)
_PRICE = _above_zero(PRICE_MAX, PRICE_PLACES_MAX)
_PRICE_OR_NONE = _optional(_PRICE)
_SUM = _from_zero(MONEY_MAX, MONEY_PLACES_MAX)
_SUM_OR_NONE = _optional(_SUM)
_BALANCE_OR_NONE = _optional(_signed(MONEY_MAX, MONEY_PLACES_MAX))
_MONEY_LIMIT = _above_zero(MONEY_MAX, LIMIT_PLACES_MAX)
_PCT_LIMIT = _above_zero(Decimal(100), LIMIT_PLACES_MAX)
_GROSS_PCT_LIMIT = _above_zero(GROSS_PCT_MAX, LIMIT_PLACES_MAX)
_GAP_FACTOR = _decimals("from 1 to 100", Decimal(1), GAP_FACTOR_MAX, LIMIT_PLACES_MAX)

_STEP = _decimals_of({"from_price": _from_zero(PRICE_MAX, PRICE_PLACES_MAX), "step": _PRICE})
_DECIMALS = _decimals_of(
    {
        "proposal.quantity": _QUANTITY,
        "proposal.reference_price": _PRICE_OR_NONE,
        "proposal.limit_price": _PRICE_OR_NONE,
        "proposal.stop_price": _PRICE_OR_NONE,
        "proposal.protective_stop": _PRICE_OR_NONE,
        "market.price": _PRICE_OR_NONE,
        "market.bid": _PRICE_OR_NONE,
        "market.ask": _PRICE_OR_NONE,
        "book.bot_position": _POSITION,
        "book.account_position": _POSITION,
        "book.bot_reducing_live": _LIVE,
        "book.account_reducing_live": _LIVE,
        "book.symbol_exposure_after": _SUM_OR_NONE,
        "book.bot_exposure_after": _SUM_OR_NONE,
        "book.gross_exposure_after": _SUM_OR_NONE,
        "book.buying_after": _SUM_OR_NONE,
        "book.shorts_after": _SUM_OR_NONE,
        "book.heat_after": _SUM_OR_NONE,
        "book.loss_at_stop": _SUM_OR_NONE,
        "budget.bot_left": _BALANCE_OR_NONE,
        "budget.bucket_left": _BALANCE_OR_NONE,
        "budget.day_left": _BALANCE_OR_NONE,
        "rates.notional_in_window": _SUM,
        "rates.notional_today": _SUM,
        "equity.equity": _BALANCE_OR_NONE,
        "equity.day_start": _BALANCE_OR_NONE,
        "equity.peak": _BALANCE_OR_NONE,
        "equity.cash": _BALANCE_OR_NONE,
        "coverage.pct": _from_zero(Decimal(100), LIMIT_PLACES_MAX),
    }
)
_WHOLES = _wholes_of(
    {
        "at": _TIME,
        "proposal.decided_at": _TIME,
        "market.price_at": _TIME,
        "rates.entries_last_minute": _COUNT,
        "rates.entries_last_minute_symbol": _COUNT,
        "rates.exits_last_minute": _COUNT,
        "rates.entries_today": _COUNT,
        "rates.bot_entries_today": _COUNT,
        "rates.last_entry_at": _optional(_TIME),
        "rates.last_similar_at": _optional(_TIME),
        "rates.rejections_in_a_row": _COUNT,
        "rates.round_trips_today": _COUNT,
        "loop.number": _COUNT,
        "loop.missed": _COUNT,
        "coverage.silent": _COUNT,
        "coverage.uncovered_ns": _TIME,
    }
)
_LIMIT_DECIMALS = _decimals_of(
    {
        "order_notional_usd_max": _MONEY_LIMIT,
        "order_quantity_max": _QUANTITY,
        "price_collar_pct": _PCT_LIMIT,
        "symbol_exposure_usd_max": _MONEY_LIMIT,
        "bot_exposure_usd_max": _MONEY_LIMIT,
        "gross_exposure_pct_max": _GROSS_PCT_LIMIT,
        "heat_pct_max": _PCT_LIMIT,
        "gap_factor": _GAP_FACTOR,
        "daily_loss_pct_max": _PCT_LIMIT,
        "drawdown_pct_max": _PCT_LIMIT,
        "cash_reserve_pct": _PCT_LIMIT,
        "notional_per_window_usd_max": _MONEY_LIMIT,
        "notional_per_day_usd_max": _MONEY_LIMIT,
    }
)
_LIMIT_WHOLES = _wholes_of(
    {
        "entries_per_minute_max": _COUNT_LIMIT,
        "entries_per_minute_symbol_max": _COUNT_LIMIT,
        "exits_per_minute_max": _COUNT_LIMIT,
        "cancels_per_minute_max": _COUNT_LIMIT,
        "entry_gap_ns_min": _DURATION_LIMIT,
        "notional_window_ns": _DURATION_LIMIT,
        "entries_per_day_max": _COUNT_LIMIT,
        "bot_entries_per_day_max": _COUNT_LIMIT,
        "rejections_in_a_row_max": _COUNT_LIMIT,
        "round_trips_per_day_max": _COUNT_LIMIT,
        "decision_age_ns_max": _DURATION_LIMIT,
        "price_age_ns_max": _DURATION_LIMIT,
        "protection_confirm_ns": _DURATION_LIMIT,
        "similar_order_ns": _DURATION_LIMIT,
    }
)
_NONE_YET = object()
_REMEMBERED_MAX = 1_000
"""There are ever more contracts."""
_LIMITS = _LastSeen(_fault_in_limits, Limits)
_STEPS = _LastSeen(_fault_in_steps, tuple)
