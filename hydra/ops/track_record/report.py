"""Pages and figures of a track record: pure, and the same to the byte from the same snapshots."""

from __future__ import annotations

from calendar import SATURDAY
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from hydra.ops.track_record.snapshots import Snapshot
from hydra.trading.exact import plain, subtract, total

SCHEMA = 1
_CENT, _PCT = Decimal("0.01"), Decimal("0.0001")
DAYS_SHOWN = 30


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day's line. `change` is of the equity since the day before that has one (deposits count);
    None: not known. `realised`, before fees, and what was counted are of all bots together, since
    the snapshot before: what a session still brought after its own counts for the next one.
    """

    date: str
    equity: Decimal | None
    change: Decimal | None
    change_pct: Decimal | None
    realised: Decimal
    round_trips: int
    fills: int
    rejections: int
    held: int
    unclean: tuple[str, ...]
    unexplained: Decimal | None = None
    """Of the day's equity bridge (USD); None: it has none, or its beginning was not known."""
    is_bridged: bool = False
    """Its equity bridge came to zero, with nothing that differed."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What all days come to. `max_drawdown_pct` is of the daily equity, from its peak by then."""

    days: int
    clean_days: int
    clean_days_in_a_row: int
    """Up to the last."""
    weekdays_without: int
    """Between the first and the last; holidays are among them."""
    first: str
    last: str
    equity: Decimal | None
    return_pct: Decimal | None
    max_drawdown_pct: Decimal | None
    best_day_pct: Decimal | None
    worst_day_pct: Decimal | None
    days_up: int
    days_down: int
    round_trips: int
    realised: Decimal
    bridged_days: int = 0
    """Whose equity bridge came to zero."""


class TrackReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, for programs and for pages."""

    schema: int = SCHEMA
    venue: str
    account: str | None
    configurations: tuple[str, ...]
    """The digests of the settings, in the order in which they first were in force."""
    figures: Figures
    days: tuple[Day, ...]
    live: tuple[str, ...] = ()
    """On which grounds real money was traded, in the order in which they first were."""


def track_report_of(snapshots: Sequence[Snapshot]) -> TrackReport:
    """Of all days, the oldest first; there must be one."""
    days = tuple(_days(snapshots))
    last = snapshots[-1]
    configurations = dict.fromkeys(each.configuration or "not known" for each in snapshots)
    return TrackReport(
        venue=last.venue,
        account=last.account,
        configurations=tuple(configurations),
        figures=_figures(days),
        days=days,
        live=tuple(dict.fromkeys(each.live for each in snapshots if each.live is not None)),
    )


def _days(snapshots: Sequence[Snapshot]) -> Iterator[Day]:
    before: Decimal | None = None
    previous: Snapshot | None = None
    for each in snapshots:
        change = None if before is None or each.equity is None else subtract(each.equity, before)
        yield Day(
            date=each.date,
            equity=each.equity,
            change=change,
            change_pct=None if change is None or not before else _pct(change, before),
            realised=_realised(each, previous),
            round_trips=_counted("round_trips", each, previous),
            fills=_counted("fills", each, previous),
            rejections=_counted("rejections", each, previous),
            held=len(each.positions),
            unclean=each.unclean,
            unexplained=None if each.bridge is None else each.bridge.unexplained,
            is_bridged=each.bridge is not None and each.bridge.is_zero,
        )
        before = each.equity if each.equity is not None else before
        previous = each


def _realised(day: Snapshot, before: Snapshot | None) -> Decimal:
    in_session = plain(total(bot.realised for bot in day.bots))
    if before is None or not _goes_on(day, before):
        return in_session
    now, then = (total(bot.realised_in_all for bot in each.bots) for each in (day, before))
    return plain(subtract(now, then))


def _counted(what: str, day: Snapshot, before: Snapshot | None) -> int:
    if before is None or not _goes_on(day, before):
        return _sum_of(what, day)
    return _sum_of(f"{what}_in_all", day) - _sum_of(f"{what}_in_all", before)


def _sum_of(field: str, snapshot: Snapshot) -> int:
    return sum(int(getattr(bot, field)) for bot in snapshot.bots)


def _goes_on(day: Snapshot, before: Snapshot) -> bool:
    """Whether what there was in all is of one ledger, and both snapshots say it."""
    is_said = all(bot.fills_in_all is not None for each in (day, before) for bot in each.bots)
    return is_said and day.ledger.seq >= before.ledger.seq


def _figures(days: Sequence[Day]) -> Figures:
    known = [day.equity for day in days if day.equity is not None]
    changes = [day.change_pct for day in days if day.change_pct is not None]
    first = known[0] if known else None
    return Figures(
        days=len(days),
        clean_days=sum(not day.unclean for day in days),
        clean_days_in_a_row=_clean_at_the_end(days),
        weekdays_without=_weekdays_without(days),
        first=days[0].date,
        last=days[-1].date,
        equity=known[-1] if known else None,
        return_pct=_pct(subtract(known[-1], first), first) if first else None,
        max_drawdown_pct=_max_drawdown(known),
        best_day_pct=max(changes, default=None),
        worst_day_pct=min(changes, default=None),
        days_up=sum(change > 0 for change in changes),
        days_down=sum(change < 0 for change in changes),
        round_trips=sum(day.round_trips for day in days),
        realised=plain(total(day.realised for day in days)),
        bridged_days=sum(day.is_bridged for day in days),
    )


def _clean_at_the_end(days: Sequence[Day]) -> int:
    count = 0
    for day in reversed(days):
        if day.unclean:
            break
        count += 1
    return count


def _weekdays_without(days: Sequence[Day]) -> int:
    there = {day.date for day in days}
    at, last = (date.fromisoformat(day.date) for day in (days[0], days[-1]))
    count = 0
    while at < last:
        count += at.weekday() < SATURDAY and at.isoformat() not in there
        at += timedelta(days=1)
    return count


def _max_drawdown(equity: Sequence[Decimal]) -> Decimal | None:
    worst, peak = None, None
    for each in equity:
        peak = each if peak is None else max(peak, each)
        if peak:
            lost = _pct(subtract(peak, each), peak)
            worst = lost if worst is None else max(worst, lost)
    return worst


def _pct(part: Decimal, whole: Decimal) -> Decimal:
    return (100 * part / whole).quantize(_PCT)


def page_of(report: TrackReport) -> str:
    """For people, as Markdown: the figures, and the last days."""
    return "\n".join([*_head(report), "", *_table(report.days[-DAYS_SHOWN:]), ""])


def _head(report: TrackReport) -> Iterator[str]:
    figures = report.figures
    yield f"# Track record: {report.venue}, account {report.account or 'not known'}"
    yield ""
    yield (
        f"{figures.days} days from {figures.first} to {figures.last}, of which"
        f" {figures.clean_days} clean, {figures.clean_days_in_a_row} in a row up to the last."
        f" {figures.weekdays_without} weekdays between them have none (holidays among them)."
    )
    yield ""
    yield "| | |"
    yield "| --- | ---: |"
    rows = (
        ("equity, USD", _money(figures.equity)),
        ("return, % (deposits count)", _text(figures.return_pct)),
        ("largest drawdown of the daily equity, %", _text(figures.max_drawdown_pct)),
        ("best day, %", _text(figures.best_day_pct)),
        ("worst day, %", _text(figures.worst_day_pct)),
        ("days up / down", f"{figures.days_up} / {figures.days_down}"),
        ("round trips", str(figures.round_trips)),
        ("realised before fees, USD", _money(figures.realised)),
        ("days whose equity bridge is zero", str(figures.bridged_days)),
        ("configurations", str(len(report.configurations))),
    )
    yield from (f"| {name} | {value} |" for name, value in rows)
    yield from (f"| traded live as | {ground} |" for ground in report.live)


def _table(days: Sequence[Day]) -> Iterator[str]:
    yield f"## The last {len(days)} days"
    yield ""
    yield (
        "| day | equity | change | % | realised | round trips | fills | rejected | held |"
        " unexplained | clean |"
    )
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
    for day in days:
        cells = (
            day.date,
            _money(day.equity),
            _money(day.change, sign=True),
            _text(day.change_pct),
            _money(day.realised, sign=True),
            *map(str, (day.round_trips, day.fills, day.rejections, day.held)),
            _unexplained(day.unexplained),
            "; ".join(day.unclean) or "yes",
        )
        yield f"| {' | '.join(cells)} |"


def _money(amount: Decimal | None, *, sign: bool = False) -> str:
    if amount is None:
        return "–"
    return f"{amount.quantize(_CENT):+f}" if sign else f"{amount.quantize(_CENT):f}"


def _unexplained(amount: Decimal | None) -> str:
    """In all its digits: what is left of a bridge is never rounded away."""
    return _money(amount) if not amount else f"{amount:+f}"


def _text(value: Decimal | None) -> str:
    return "–" if value is None else f"{value:f}"


def encoded_report(report: TrackReport) -> bytes:
    """As its file has it."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"
