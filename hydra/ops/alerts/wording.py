"""What is told, in words: a title for a telephone, a line for each thing, and how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import msgspec

from hydra.ops.alerts.conditions import Severity, Told
from hydra.ops.alerts.incidents import Incident, Kind, Notice
from hydra.ops.debug.render import duration
from hydra.trading.durations import MILLISECOND, SECOND

TITLE_MAX = 100
LINE_MAX = 600
"""Some channels take no more than 2,000 characters; what is cut can be read with `status`."""
LINES_MAX = 12


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as it is brought to people."""

    at: int
    severity: Severity
    title: str
    body: str


def message_of(notices: Sequence[Notice], told: Told | None, *, who: str, at: int) -> Message:
    """One message for all that one look brought, the worst first. `who`: whose engine it is."""
    worst_first = sorted(
        notices, key=lambda each: (each.kind is Kind.OVER, -each.incident.severity)
    )
    first = worst_first[0]
    more = f", and {len(notices) - 1} more" if len(notices) > 1 else ""
    title = f"{who}: {_heading(first)}{more}"
    lines = [_line_of(notice) for notice in worst_first[:LINES_MAX]]
    if len(worst_first) > LINES_MAX:
        lines.append(f"… and {len(worst_first) - LINES_MAX} more; see `hydra-trader health`")
    return Message(
        at=at,
        severity=_severity_of(notices),
        title=_cut(title, TITLE_MAX),
        body="\n".join([*lines, "", how_it_stands(told), utc(at)]),
    )


def _severity_of(notices: Iterable[Notice]) -> Severity:
    """That something is over is no reason to wake anybody."""
    return max(
        Severity.NOTICE if each.kind is Kind.OVER else each.incident.severity for each in notices
    )


def _heading(notice: Notice) -> str:
    if notice.kind is Kind.OVER:
        return f"over: {notice.incident.title}"
    return f"{notice.incident.severity.word.upper()}: {notice.incident.title}"


def _line_of(notice: Notice) -> str:
    incident = notice.incident
    what = incident.title if notice.kind is Kind.OVER else incident.text
    return _cut(f"{_beginning(notice)} · {what}", LINE_MAX)


def _beginning(notice: Notice) -> str:
    incident = notice.incident
    how_bad, how_long = incident.severity.word, lasting(incident)
    match notice.kind:
        case Kind.NEW:
            return f"NEW {how_bad}"
        case Kind.WORSE:
            return f"WORSE, now {how_bad}"
        case Kind.STILL:
            return f"STILL {how_bad}, for {how_long}{_times(incident)}"
        case Kind.AGAIN:
            return f"AGAIN {how_bad}, {incident.came_up} times in {how_long}"
        case Kind.OVER:
            return f"OVER after {how_long}{_times(incident)}"


def lasting(incident: Incident) -> str:
    """From when it came up until it was seen last, in words."""
    return duration(max(SECOND, incident.seen_at - incident.began_at) / MILLISECOND)


def _times(incident: Incident) -> str:
    return f", came up {incident.came_up} times" if incident.came_up > 1 else ""


def how_it_stands(told: Told | None) -> str:
    """Trading state, worth and holdings in one line; what is not known is not made up."""
    if told is None:
        return "How it stands is not known: no engine answers."
    held = _held(told)
    positions = "not known what is held" if held is None else f"holding {held or 'nothing'}"
    equity = "not known" if told["equity"] is None else f"{Decimal(told['equity']):.2f} USD"
    return f"Trading {told['trading_state']}, equity {equity}, {positions}."


def _held(told: Told) -> str | None:
    by_symbol: dict[str, Decimal] = {}
    for bot in told["bots"]:
        if bot["positions"] is None:
            return None
        for symbol, quantity in bot["positions"].items():
            by_symbol[symbol] = by_symbol.get(symbol, Decimal(0)) + Decimal(quantity)
    return ", ".join(f"{symbol} {quantity:f}" for symbol, quantity in sorted(by_symbol.items()))


def daily_message(
    told: Told | None,
    incidents: Mapping[str, Incident],
    *,
    new_since: int,
    equity_before: str | None,
    who: str,
    at: int,
) -> Message:
    """The word of every day, which tells by coming that whoever tells is there. `new_since`: how
    many alerts there were since the last one; `equity_before`: the worth that it had told.
    """
    standing = [incident for incident in incidents.values() if incident.told_at is not None]
    is_clear = told is not None and not standing
    lines = [f"STANDS {each.severity.word}, for {lasting(each)} · {each.text}" for each in standing]
    if told is not None:
        orders = told["orders"]
        lines.append(f"Orders today: {_count(orders['today'])}, open: {_count(orders['open'])}.")
        lines += _equity_line(told["equity"], equity_before)
    lines.append(f"Alerts since the last daily word: {new_since}.")
    worst = max((each.severity for each in standing), default=Severity.NOTICE)
    return Message(
        at=at,
        severity=worst,
        title=_cut(f"{who}: {'all clear' if is_clear else 'daily word, not all clear'}", TITLE_MAX),
        body="\n".join([how_it_stands(told), *(_cut(line, LINE_MAX) for line in lines), utc(at)]),
    )


def _equity_line(now: object, before: str | None) -> list[str]:
    try:
        change = Decimal(str(now)) - Decimal(before or "")
    except InvalidOperation:  # one of them is not known
        return []
    return [f"Equity since the last daily word: {change:+.2f} USD (deposits count too)."]


def _count(number: object) -> str:
    return "not known" if number is None else str(number)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def utc(at: int) -> str:
    """To the second, for people."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
