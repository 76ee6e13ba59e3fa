"""How the account's value moved, in the broker's columns of equal length. To look at, not to trade.

A window is labeled by its start, and shows the value at its end. Windows that were over before the
account existed are left out, so no figure has to be invented.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.durations import DAY, MINUTE, SECOND
from hydra.trading.local_time import NEW_YORK
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.hours import extended_close
from hydra.venues.simulated.server.rest.amount_text import number
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.timestamps import (
    date_at,
    midnight,
)

EquityHistory = tuple[tuple[int, Decimal], ...]
"""(at, equity), oldest first; each stands until the next."""

INTRADAY_DAYS_MAX = 30
MINUTES_DAYS_MAX = 7
NEVER = 1 << 63
"""After any time there is, in UTC ns."""
EXTENDED_OPEN_AFTER_MIDNIGHT = timedelta(hours=4)
_PERIOD = re.compile(r"([1-9]\d{0,3})([DWMA])", re.ASCII)
_DAYS = {"D": 1, "W": 7, "M": 30, "A": 365}


class Step(Enum):
    """How long a window is."""

    MINUTE = "1Min"
    FIVE_MINUTES = "5Min"
    QUARTER_HOUR = "15Min"
    HOUR = "1H"
    DAY = "1D"


_STEP_NS = {
    Step.MINUTE: MINUTE,
    Step.FIVE_MINUTES: 5 * MINUTE,
    Step.QUARTER_HOUR: 15 * MINUTE,
    Step.HOUR: 60 * MINUTE,
}
_STEPS = {step.value.lower(): step for step in Step}


class Reporting(Enum):
    """Which hours have windows."""

    MARKET_HOURS = "market_hours"
    EXTENDED_HOURS = "extended_hours"
    CONTINUOUS = "continuous"


class Reset(Enum):
    """What profit is measured against: the day's beginning, or the period's."""

    PER_DAY = "per_day"
    NO_RESET = "no_reset"


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Windows from `start` to `end` (UTC ns)."""

    start: int
    end: int
    step: Step
    reporting: Reporting
    reset: Reset


def history_query(given: Parameters, now: int) -> HistoryQuery:
    """The query of GET /v2/account/portfolio/history. Raises `Refused`."""
    start, end = given.instant("start", NEW_YORK), given.instant("end", NEW_YORK)
    period = given.text("period")
    if None not in (start, end, period):
        raise given.refused("only two of start, end and period are accepted")
    length = _days_of(given, period or "1M") * DAY
    if end is None:
        end = now if start is None or period is None else min(now, start + length)
    start = end - length if start is None else start
    end = min(end, now)
    days = (end - start) // DAY
    step = _step_of(given, days)
    days_max = MINUTES_DAYS_MAX if step is Step.MINUTE else INTRADAY_DAYS_MAX
    if step is not Step.DAY and days > days_max:
        raise given.refused(f"timeframe {step.value} is only possible up to {days_max} days")
    return HistoryQuery(
        start=start,
        end=end,
        step=step,
        reporting=given.choice("intraday_reporting", Reporting) or Reporting.MARKET_HOURS,
        reset=given.choice("pnl_reset", Reset) or Reset.PER_DAY,
    )


def history_body(
    query: HistoryQuery, history: EquityHistory, sessions: SessionTable
) -> dict[str, object]:
    """The broker's columns."""
    begins_at = history[0][0] if history else NEVER
    windows = [
        (start, end)
        for start, end in _windows(query, max(query.start, begins_at - DAY), sessions)
        if begins_at < end and query.start <= start <= query.end
    ]
    ends = [query.start + 1, *(min(end, query.end + 1) for _, end in windows)]
    base, *equities = _equities_before(ends, history)
    bases = _bases(query.reset, windows, equities, base)
    profits = [equity - from_ for equity, from_ in zip(equities, bases, strict=True)]
    return {
        "timestamp": [start // SECOND for start, _ in windows],
        "equity": [_money(equity) for equity in equities],
        "profit_loss": [_money(profit) for profit in profits],
        "profit_loss_pct": [
            _share(profit, from_) for profit, from_ in zip(profits, bases, strict=True)
        ],
        "base_value": _money(base),
        "base_value_asof": date_at(query.start, NEW_YORK).isoformat(),
        "timeframe": query.step.value,
        "cashflow": {},
    }


def _days_of(given: Parameters, period: str) -> int:
    found = _PERIOD.fullmatch(period.upper())
    if found is None:
        raise given.refused("invalid period: wanted a number and D, W, M or A, such as 1M")
    return int(found[1]) * _DAYS[found[2]]


def _step_of(given: Parameters, days: int) -> Step:
    text = given.text("timeframe")
    if text is None:
        if days <= MINUTES_DAYS_MAX:
            return Step.MINUTE
        return Step.QUARTER_HOUR if days <= INTRADAY_DAYS_MAX else Step.DAY
    step = _STEPS.get(text.lower())
    if step is None:
        raise given.refused(f"invalid timeframe: wanted {', '.join(s.value for s in Step)}")
    return step


def _windows(query: HistoryQuery, from_: int, sessions: SessionTable) -> Iterator[tuple[int, int]]:
    """[start, end) of every window that may lie between `from_` and the query's end."""
    if query.step is Step.DAY:
        days = list(_sessions_between(sessions, from_, query.end))
        yield from ((session.open_at, session.close_at) for session in days)
        return
    length = _STEP_NS[query.step]
    for opens, closes in _spans(query.reporting, from_, query.end, sessions):
        for start in range(opens, closes, length):
            yield start, start + length


def _spans(
    reporting: Reporting, start: int, end: int, sessions: SessionTable
) -> Iterator[tuple[int, int]]:
    if reporting is Reporting.CONTINUOUS:
        yield start - start % (60 * MINUTE), end + 1
        return
    for session in _sessions_between(sessions, start, end):
        if reporting is Reporting.MARKET_HOURS:
            yield session.open_at, session.close_at
        else:
            day = midnight(date_at(session.open_at, NEW_YORK), NEW_YORK)
            opens = day + EXTENDED_OPEN_AFTER_MIDNIGHT // timedelta(seconds=1) * SECOND
            yield opens, extended_close(session)


def _sessions_between(sessions: SessionTable, start: int, end: int) -> Iterator[ExchangeSession]:
    for session in sessions.sessions:
        if session.close_at > start - DAY and session.open_at <= end:
            yield session


def _equities_before(moments: list[int], history: EquityHistory) -> list[Decimal]:
    """The value just before each of these instants, which ascend; at first, the first there is."""
    following = iter(history)
    _, value = next(following, (0, Decimal(0)))
    next_at, next_value = next(following, (None, value))
    values: list[Decimal] = []
    for moment in moments:
        while next_at is not None and next_at < moment:
            value = next_value
            next_at, next_value = next(following, (None, value))
        values.append(value)
    return values


def _bases(
    reset: Reset, windows: list[tuple[int, int]], equities: list[Decimal], base: Decimal
) -> list[Decimal]:
    """What each window's profit is measured against."""
    if reset is Reset.NO_RESET or not windows:
        return [base] * len(windows)
    bases = [base]
    day_ends = _day_end(windows[0][0])
    for (start, _), last_equity in zip(windows[1:], equities, strict=False):
        if start < day_ends:
            bases.append(bases[-1])
        else:
            bases.append(last_equity)
            day_ends = _day_end(start)
    return bases


def _day_end(at: int) -> int:
    return midnight(date_at(at, NEW_YORK) + timedelta(days=1), NEW_YORK)


def _money(value: Decimal) -> int | float:
    return number(round(float(value), 2))


def _share(profit: Decimal, base: Decimal) -> int | float | None:
    return number(round(float(profit) / float(base), 4)) if base else None
