"""What the kept results come to, for `health`, `status` and `watch`: pure, of reports and a time.

A run that could not tell takes nothing back and accuses nobody: what was told last stands, and
grows old. So a broker that is away makes no drift, and a canary that never hears is told of too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from hydra.trading.findings import Finding
from hydra.venues.alpaca.canary.lines import Report, Verdict

NAME = "broker contract"
AGE_MAX = timedelta(days=5)
"""A run each weekday, a long weekend, and one that failed."""
AHEAD_MAX = timedelta(days=1)
"""A result from further ahead is of a clock that was wrong, and says nothing of today."""
NAMED_MAX = 4


def finding(newest_first: Sequence[Report], now: datetime) -> Finding | None:
    """One line; None where no canary was ever run, which is nobody's fault."""
    if not newest_first:
        return None
    newest = newest_first[0]
    if newest.remains:
        line = (
            f"the canary's run of {newest.at} may have left orders at the broker"
            f" ({'; '.join(newest.remains)}); `hydra-trader canary --venue paper` takes them out"
        )
        return Finding(NAME, False, line)
    drifted, old = [], []
    for check in _asked(newest_first):
        told = _told(check, newest_first)
        if told is None:
            continue
        verdict, at = told
        if verdict is Verdict.DRIFTED:
            drifted.append(check)
        elif not -AHEAD_MAX <= now - _instant(at) <= AGE_MAX:
            old.append(check)
    if drifted:
        line = f"drifted: {_named(drifted)}; `hydra-trader canary --venue paper` says what it finds"
        return Finding(NAME, False, line)
    if old:
        line = (
            f"not told for {AGE_MAX.days} days: {_named(old)};"
            " `hydra-trader canary --venue paper` looks now"
        )
        return Finding(NAME, False, line)
    untold = [each.check for each in newest.lines if each.verdict is Verdict.UNKNOWN]
    but = f"; not told then: {_named(untold)}" if untold else ""
    return Finding(NAME, True, f"as of {newest.at} no drift found{but}")


def _asked(newest_first: Sequence[Report]) -> Iterable[str]:
    """All checks of this version: a run that was cut short, or met nobody, asked for few."""
    newest = newest_first[0]
    of_this = [
        each
        for each in newest_first
        if (each.version, each.contract) == (newest.version, newest.contract)
    ]
    return dict.fromkeys(line.check for report in of_this for line in report.lines)


def _told(check: str, newest_first: Iterable[Report]) -> tuple[Verdict, str] | None:
    """What was said of it last, and when. Of one that was asked for and never told of, it is that
    nothing is known since the first that asked; None: it never was its time.
    """
    first_asked = None
    for report in newest_first:
        for line in report.lines:
            if line.check != check:
                continue
            match line.verdict:
                case Verdict.PASS | Verdict.DRIFTED:
                    return line.verdict, report.at
                case Verdict.UNKNOWN:
                    first_asked = report.at
                case Verdict.NOT_NOW:
                    pass
    return None if first_asked is None else (Verdict.UNKNOWN, first_asked)


def _instant(at: str) -> datetime:
    return datetime.fromisoformat(at)


def _named(checks: list[str]) -> str:
    more = len(checks) - NAMED_MAX
    return ", ".join(checks[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
