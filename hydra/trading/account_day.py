"""The account's worth over a trading day, and the alarms that it raises (I37; SCOPE C2, C8, C9).

A trading day lasts from the opening of an exchange session until the next one opens: midnight, a
half day or a weekend begins none. It is measured from the last worth known before the opening, so
that a gap overnight counts as a loss of the day that it opens. All amounts are in the account's
currency (USD); times are market time (UTC ns).

While record and venue are known to differ in what is held (`parted`, until `rejoined`) our own
record says nothing of the account's worth: a person settles one side of a trade after the other.
Then the venue's equity alone shows a loss, and no gain; what was settled is neither.

An `AccountDay` is small and can be written as JSON: kept on record, it goes on over a restart.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from typing import TypeAlias, assert_never

import msgspec
from msgspec import structs

from hydra.trading.causes import (
    DAILY_LOSS,
    DRAWDOWN,
    DRAWDOWN_FLAPPING,
    EQUITY_MISSING,
    NAV_JUMP,
)
from hydra.trading.durations import in_seconds
from hydra.trading.exact import add, percent_of, subtract
from hydra.trading.sessions import SessionTable, utc_date
from hydra.trading.trading_state import Cause, TradingState

ZERO = Decimal(0)


class DayLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is allowed. Every number is over zero (I40); percentages are at most 100.

    Raises ValueError otherwise, and where the drawdown's steps do not follow one another.
    """

    daily_loss_pct_max: Decimal
    """Of the equity that the day began with."""
    drawdown_pct_max: Decimal
    """Of the day's peak."""
    nav_jump_pct_max: Decimal
    """From one known equity to the next, beyond what was traded between them."""
    drawdown_begins_pct: Decimal
    """This far below the peak the state is DRAWDOWN."""
    recovery_begins_pct: Decimal
    """From DRAWDOWN this near to the peak, or nearer, it is RECOVERY."""
    recovery_ends_pct: Decimal
    """This near, or nearer, it is NORMAL again."""
    flaps_max: int
    """So many changes of that state within the window, or more, are too many."""
    flap_window_ns: int
    equity_age_ns_max: int
    """An equity that is older counts as missing."""

    def __post_init__(self) -> None:
        for limit in structs.fields(self):
            value = getattr(self, limit.name)
            if limit.type is int and not (type(value) is int and value > 0):
                raise ValueError(f"{limit.name}: found {value}, wanted a whole number above 0")
            if limit.type is Decimal and not _is_percentage(value):
                raise ValueError(f"{limit.name}: found {value}, wanted a decimal above 0, to 100")
        steps = (self.recovery_ends_pct, self.recovery_begins_pct, self.drawdown_begins_pct)
        if not (steps[0] < steps[1] < steps[2] <= self.drawdown_pct_max):
            raise ValueError(
                f"found recovery_ends_pct {steps[0]}, recovery_begins_pct {steps[1]},"
                f" drawdown_begins_pct {steps[2]}, drawdown_pct_max {self.drawdown_pct_max};"
                " wanted each larger than the one before (the last: or equal)"
            )


class DrawdownState(Enum):
    """Where the equity is in relation to the day's peak (C9)."""

    NORMAL = "normal"
    DRAWDOWN = "drawdown"
    RECOVERY = "recovery"
    """Rising again, and not back yet."""


class RiskMode(Enum):
    """How much new entries may risk (C9): what a bot is granted for the day, times the share.

    It scales entries only; what reduces a position is never made smaller.
    """

    FULL = "full"
    REDUCED = "reduced"
    NONE = "none"

    @property
    def share(self) -> Decimal:
        """From 0 to 1."""
        return _SHARES[self]


_SHARES = {RiskMode.FULL: Decimal(1), RiskMode.REDUCED: Decimal("0.5"), RiskMode.NONE: ZERO}


class AccountDay(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of the day. Without any observation there is no equity, which is an alarm."""

    session: str = ""
    """The date of the session that the day began with; "" if that is not known."""
    day_start: Decimal | None = None
    peak: Decimal | None = None
    """The highest equity since the day began, but for what is only a jump by our own prices."""
    equity: Decimal | None = None
    """As last observed; None if it was missing then."""
    at: int = 0
    """When that was."""
    known: Decimal | None = None
    """The last equity that was not missing."""
    known_before: Decimal | None = None
    """The one before that, if the last observation is the one that was not missing."""
    traded: Decimal = ZERO
    """The value of all fills since `known`."""
    explained: Decimal = ZERO
    """The value of all fills between `known_before` and `known`."""
    state: DrawdownState = DrawdownState.NORMAL
    changes: tuple[int, ...] = ()
    """When that changed lately; no more of them than are needed for the alarm."""
    carried: Mapping[str, Decimal] = {}
    """What bots have made in the day by orders of another one (a stop that rested over night, say).
    In the ledger that counts for the day of the decision.
    """
    round_trips: Mapping[str, int] = {}
    """How many of the day's each bot has made that the ledger does not count for it: where a little
    of a coin was left, or by orders of another day.
    """
    beyond: Decimal = ZERO
    """What the venue's equity has beyond the worth that counts: what is held there and is not ours.
    As of when the two were last read together, and agreed.
    """
    differs: bool = False
    """Record and venue differ in what is held."""
    agreed: Decimal | None = None
    """The last equity before they did; None if none was known, or they do not differ."""


class EquityObserved(msgspec.Struct, frozen=True, kw_only=True):
    """The account's worth by our own record and by the venue's; None where it cannot be told.

    `session` is the trading day that `at` belongs to, see `trading_day`.
    """

    ours: Decimal | None
    venues: Decimal | None
    session: str
    at: int


class Traded(msgspec.Struct, frozen=True):
    """A fill was booked: quantity times price, never below zero."""

    value: Decimal


Event: TypeAlias = EquityObserved | Traded


def trading_day(sessions: SessionTable, at: int) -> str:
    """The date of the last session that has opened by then; "" before the table begins."""
    opened = bisect_right(sessions.sessions, at, key=attrgetter("open_at"))
    return sessions.sessions[opened - 1].date if opened else ""


def decision_day(sessions: SessionTable, at: int) -> str:
    """The date that a decision of this moment bears, whatever it is about: the trading day's, so
    that it counts for the same day live and from the record. Before the table begins it is UTC's,
    since an order is named after it.
    """
    return trading_day(sessions, at) or utc_date(at)


def begun(day: AccountDay, session: str) -> AccountDay:
    """The day that begins with this session, measured from what was known last before it. What is
    over the peak is a jump by our own prices that the venue never confirmed.
    """
    start = worse(day.known, day.peak)
    measured = structs.replace(day, session=session, day_start=start, peak=start)
    return structs.replace(measured, carried={}, round_trips={})


def parted(day: AccountDay) -> AccountDay:
    """Record and venue have been found to differ in what is held, so ours is wrong by that much."""
    return day if day.differs else structs.replace(day, differs=True, agreed=day.known)


def held_back(day: AccountDay, venues: Decimal | None) -> Decimal | None:
    """What counts of the venue's equity while the two differ: what it has lost since. What has come
    to the account may be anybody's.
    """
    told = worse(venues, None)
    return None if told is None else worse(day.agreed, subtract(told, day.beyond))


def rejoined(day: AccountDay, ours: Decimal | None, venues: Decimal | None) -> AccountDay:
    """They agree again, and these two are of that moment. What the account counts for now, less
    what counted of the venue's equity, is what was settled: all that the day is measured from
    moves by it. Where the venue does not say, nothing moves: ours may jump, and is told as a jump.
    """
    counted, equity = held_back(day, venues), worse(ours, venues)
    by = ZERO if counted is None or equity is None else subtract(equity, counted)
    return structs.replace(
        day,
        differs=False,
        agreed=None,
        day_start=_moved(day.day_start, by),
        peak=_moved(day.peak, by),
        known=_moved(day.known, by),
    )


def after(day: AccountDay, event: Event, limits: DayLimits) -> AccountDay:
    """The day once this has happened. A day that is over never comes back, whatever a clock says.

    Ask for `alarms` after every event: a jump is seen only until the next observation.
    """
    match event:
        case EquityObserved():
            return _observed(day, event, limits)
        case Traded():
            return structs.replace(day, traded=add(day.traded, event.value))
        case _:
            assert_never(event)


def alarms(day: AccountDay, limits: DayLimits, at: int, *, is_flat: bool) -> tuple[Cause, ...]:
    """Everything that is wrong now. `is_flat`: nothing is held and nothing is working.

    A limit counts as broken once it is reached: then nothing is left to lose.
    """
    found = (
        _equity_missing(day, limits, at),
        _daily_loss(day, limits, at, is_flat=is_flat),
        _drawdown(day, limits, at),
        _nav_jump(day, limits, at),
        _flapping(day, limits, at),
    )
    return tuple(cause for cause in found if cause is not None)


def closed_when_flat(standing: Iterable[Cause]) -> tuple[Cause, ...]:
    """What the causes that stand become once nothing is held and nothing works.

    A lost day lets exits pass until then, and nothing afterwards, whatever became of the equity.
    """
    return tuple(
        structs.replace(cause, state=TradingState.HALTED)
        for cause in standing
        if cause.code == DAILY_LOSS.code
    )


def risk_mode(day: AccountDay, alarms: tuple[Cause, ...]) -> RiskMode:
    """What new entries may risk: nothing while there is any alarm."""
    if alarms:
        return RiskMode.NONE
    match day.state:
        case DrawdownState.NORMAL:
            return RiskMode.FULL
        case DrawdownState.DRAWDOWN | DrawdownState.RECOVERY:
            return RiskMode.REDUCED


def worse(ours: Decimal | None, venues: Decimal | None) -> Decimal | None:
    """The lower of the two, or the one that is known; None if none is a number."""
    known = [equity for equity in (ours, venues) if type(equity) is Decimal and equity.is_finite()]
    return min(known, default=None)


def _observed(day: AccountDay, event: EquityObserved, limits: DayLimits) -> AccountDay:
    if event.session > day.session:
        day = begun(day, event.session)
    equity = worse(event.ours, event.venues)
    if equity is None:
        return structs.replace(day, equity=None, at=event.at, known_before=None)
    peak = _peak(day, event, equity, limits)
    state = _next_state(day.state, equity, peak, limits)
    changes = day.changes if state is day.state else (*day.changes, event.at)
    return structs.replace(
        day,
        day_start=equity if day.day_start is None else day.day_start,
        peak=peak,
        equity=equity,
        at=event.at,
        known=equity,
        known_before=day.known,
        traded=ZERO,
        explained=day.traded,
        state=state,
        changes=changes[-limits.flaps_max :],
        beyond=_beyond(day, event, equity),
    )


def _peak(day: AccountDay, event: EquityObserved, equity: Decimal, limits: DayLimits) -> Decimal:
    """What jumps over the peak by our own prices alone is none before the venue says so too: one
    wrong price would leave a drawdown that never was until the day is over. It is told as a jump.
    """
    if day.peak is None:
        return equity
    above, limit = subtract(equity, day.peak), percent_of(day.peak, limits.nav_jump_pct_max)
    if worse(event.venues, None) is None and subtract(above, day.traded) >= limit:
        return day.peak
    return max(day.peak, equity)


def _beyond(day: AccountDay, event: EquityObserved, equity: Decimal) -> Decimal:
    venues = worse(event.venues, None)
    if day.differs or venues is None or worse(event.ours, None) is None:
        return day.beyond
    return subtract(venues, equity)


def _moved(amount: Decimal | None, by: Decimal) -> Decimal | None:
    return None if amount is None else add(amount, by)


def _next_state(
    state: DrawdownState, equity: Decimal, peak: Decimal, limits: DayLimits
) -> DrawdownState:
    """Three marks, so that an equity that trembles around one of them changes nothing."""
    below = subtract(peak, equity)
    if below >= percent_of(peak, limits.drawdown_begins_pct):
        return DrawdownState.DRAWDOWN
    if state is DrawdownState.NORMAL or below <= percent_of(peak, limits.recovery_ends_pct):
        return DrawdownState.NORMAL
    if below <= percent_of(peak, limits.recovery_begins_pct):
        return DrawdownState.RECOVERY
    return state


def _equity_missing(day: AccountDay, limits: DayLimits, at: int) -> Cause | None:
    if day.equity is None:
        detail = "neither our record nor the venue gives the account's equity"
        return EQUITY_MISSING.cause(since=at, detail=detail)
    if 0 <= at - day.at <= limits.equity_age_ns_max:
        return None
    return EQUITY_MISSING.cause(
        since=at,
        detail=(
            f"the account's equity is {in_seconds(at - day.at):f} s old,"
            f" at most {in_seconds(limits.equity_age_ns_max):f} s allowed"
        ),
    )


def _daily_loss(day: AccountDay, limits: DayLimits, at: int, *, is_flat: bool) -> Cause | None:
    """CLOSE_ONLY while there is something to close, HALTED afterwards."""
    if day.equity is None or day.day_start is None:
        return None  # missing equity is an alarm of its own
    loss = subtract(day.day_start, day.equity)
    limit = percent_of(day.day_start, limits.daily_loss_pct_max)
    if loss < limit:
        return None
    return DAILY_LOSS.cause(
        since=at,
        detail=(
            f"lost {loss:f} of {day.day_start:f} USD since the day {day.session} began,"
            f" less than {limit:f} ({limits.daily_loss_pct_max:f} %) allowed"
        ),
        at_least=TradingState.HALTED if is_flat else TradingState.CLOSE_ONLY,
    )


def _drawdown(day: AccountDay, limits: DayLimits, at: int) -> Cause | None:
    if day.equity is None or day.peak is None:
        return None
    below = subtract(day.peak, day.equity)
    limit = percent_of(day.peak, limits.drawdown_pct_max)
    if below < limit:
        return None
    return DRAWDOWN.cause(
        since=at,
        detail=(
            f"{below:f} USD below the day's peak of {day.peak:f},"
            f" less than {limit:f} ({limits.drawdown_pct_max:f} %) allowed"
        ),
    )


def _nav_jump(day: AccountDay, limits: DayLimits, at: int) -> Cause | None:
    """A fill cannot move the equity by more than it is worth; what is beyond needs a reason."""
    if day.known is None or day.known_before is None:
        return None
    jump = subtract(day.known, day.known_before)
    limit = percent_of(day.known_before, limits.nav_jump_pct_max)
    if subtract(jump.copy_abs(), day.explained) < limit:
        return None
    return NAV_JUMP.cause(
        since=at,
        detail=(
            f"equity went from {day.known_before:f} to {day.known:f} USD at once, with"
            f" {day.explained:f} traded; less than {limit:f} ({limits.nav_jump_pct_max:f} %)"
            " beyond that allowed"
        ),
    )


def _flapping(day: AccountDay, limits: DayLimits, at: int) -> Cause | None:
    """A change "in the future" counts as recent."""
    if len(day.changes) < limits.flaps_max:
        return None
    recent = sum(at - changed < limits.flap_window_ns for changed in day.changes)
    if recent < limits.flaps_max:
        return None
    return DRAWDOWN_FLAPPING.cause(
        since=at,
        detail=(
            f"the drawdown's state changed {recent} times within"
            f" {in_seconds(limits.flap_window_ns):f} s, fewer than {limits.flaps_max} allowed"
        ),
    )


def _is_percentage(value: object) -> bool:
    # The exact type: a float with a digit too many would pass for a decimal.
    return type(value) is Decimal and value.is_finite() and 0 < value <= 100
