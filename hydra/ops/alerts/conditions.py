"""What of an engine somebody should know of who does not look: pure, from one look at it.

Most of it is what `health` finds wrong and what stands against trading, each for as long as it
lasts. What is over in a moment, and is nevertheless bad news, is found in the journal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Any, TypeAlias

import msgspec

from hydra.ops.artefacts.troubles import words_of
from hydra.ops.control.wellness import ANSWER_S, LOOPS_MISSED_MAX, RECORD_CODES
from hydra.trading import causes
from hydra.trading.findings import Finding
from hydra.trading.instruments import Instrument, instrument, is_crypto
from hydra.trading.trading_state import CauseClass, TradingState

Told: TypeAlias = Mapping[str, Any]
"""The answer of `status`, of an engine that runs."""

Line: TypeAlias = dict[str, Any]
"""One of the journal."""


SETTLED_S = 60.0
MOMENT_SETTLED_S = 900.0
"""Of what is over in a moment: what comes again meanwhile is counted."""


class Severity(IntEnum):
    """How soon somebody should look. A higher one is told even where a lower one was."""

    NOTICE = 1
    """Nothing is to be done."""
    WARNING = 2
    """Entries wait, or something will go wrong if nobody looks."""
    CRITICAL = 3
    """Trading has stopped, or money is without protection."""

    @property
    def word(self) -> str:
        """As people read it."""
        return self.name.lower()


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is so now. `key` is the same as long as it is the same thing."""

    key: str
    severity: Severity
    title: str
    """In two or three words."""
    text: str
    patience_s: float = 0.0
    """Told once it has been so for this long: it may well pass by itself."""
    settled_s: float = SETTLED_S
    """Over once it has not been so for this long: it may well come again."""
    is_moment: bool = False
    """It happened, and is over already: that it is over is no news."""
    is_our_own: bool = False
    """Of the watch itself: known whether or not an engine answers."""
    is_said_by_a_cause: bool = False
    """It is so, and a cause that stands says it: not told besides that, but not over either."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One look at an engine. `told` is None where none answered; `findings` are those of `health`.

    `process` is the one that has the record, `ended_in_order` how the last one ended; None: not
    known. `lines` are those that the journal has got since the look before, up to `journal_seq`.
    """

    findings: tuple[Finding, ...]
    told: Told | None = None
    process: str | None = None
    ended_in_order: bool | None = None
    lines: tuple[Line, ...] = ()
    journal_seq: int | None = None


ENGINE = "engine"
"""The key of the engine's own absence or silence."""

ABSENT_PATIENCE_S = 20.0
"""A service manager starts it again within that, and a start has read its record."""

START_PATIENCE_S = 60.0
"""So begins every start."""

PRICES_PATIENCE_S = 300.0
"""Of one symbol, in an open market: some trade seldom, and an opening may be late."""


class _Rule(msgspec.Struct, frozen=True):
    severity: Severity
    patience_s: float


_CHECKS: Mapping[str, _Rule] = {
    "engine": _Rule(Severity.CRITICAL, 0.0),
    "trading": _Rule(Severity.CRITICAL, 0.0),
    "lease": _Rule(Severity.CRITICAL, 2.0),
    "loops": _Rule(Severity.WARNING, START_PATIENCE_S),
    "budgets": _Rule(Severity.WARNING, START_PATIENCE_S),
    "coverage": _Rule(Severity.CRITICAL, 10.0),
    "guardian": _Rule(Severity.CRITICAL, 15.0),
    "feed": _Rule(Severity.WARNING, 15.0),
    "stream": _Rule(Severity.WARNING, 15.0),
    "comparison": _Rule(Severity.WARNING, START_PATIENCE_S),
    "orders": _Rule(Severity.WARNING, 2.0),
    "record": _Rule(Severity.CRITICAL, 2.0),
    "version": _Rule(Severity.NOTICE, 0.0),
    "surfaces": _Rule(Severity.WARNING, START_PATIENCE_S),
    "broker contract": _Rule(Severity.WARNING, 0.0),
}
"""How bad it is that a check of `health` fails, and how long it may. `bots` are told one by one."""

_SAID_BY: Mapping[str, frozenset[str]] = {
    "trading": frozenset(kind.code for kind in causes.KINDS if kind.scope is causes.Scope.ALL),
    "record": RECORD_CODES,
    "loops": frozenset((causes.START.code, causes.PREFLIGHT.code)),
    "coverage": frozenset((causes.UNPROTECTED.code,)),
    "feed": frozenset((causes.STALE_FEED.code,)),
    "stream": frozenset((causes.TRADING_STREAM_LOST.code,)),
    "comparison": frozenset((causes.RECONCILIATION.code,)),
    "orders": frozenset((causes.UNKNOWN_OUTCOME.code,)),
}
"""Where one of these causes stands, the check says nothing new: one incident is one alert."""

_UNKNOWN_CHECK = _Rule(Severity.WARNING, 15.0)

_ROUTINE = frozenset(kind.code for kind in (causes.SYMBOL_UNREADY, causes.BOT_CLOSED))
"""Every night's, or wanted by the configuration. Prices that do not come in an open market are told
by `_of_symbols`.
"""

_CAUSES: Mapping[str, _Rule] = {
    kind.code: rule
    for kind, rule in (
        (causes.UNCLEAN_END, _Rule(Severity.CRITICAL, 0.0)),
        (causes.OPERATOR_HALT, _Rule(Severity.WARNING, 0.0)),
        (causes.OPERATOR_CLOSE_ONLY, _Rule(Severity.WARNING, 0.0)),
        (causes.FLATTEN, _Rule(Severity.WARNING, 0.0)),
        (causes.KILL_SWITCH, _Rule(Severity.WARNING, 0.0)),
        (causes.DAILY_LOSS, _Rule(Severity.CRITICAL, 0.0)),
        (causes.UNPROTECTED, _Rule(Severity.CRITICAL, 0.0)),
        (causes.CANCEL_PENDING, _Rule(Severity.NOTICE, START_PATIENCE_S)),
    )
}
"""Those of which class and state do not say how bad they are."""

_MOMENTS: Mapping[str, Severity] = {
    "record_alarm": Severity.WARNING,
    "memory_alarm": Severity.WARNING,
    "record_fault": Severity.CRITICAL,
    "fail_closed": Severity.CRITICAL,
    "actor_failed": Severity.WARNING,
    "bot_quarantined": Severity.WARNING,
    "child_quarantined": Severity.WARNING,
    "protective_order_lost": Severity.WARNING,
    "order_given_up": Severity.WARNING,
    "report_impossible": Severity.CRITICAL,
    "config_not_taken": Severity.WARNING,
    "corporate_actions_unread": Severity.WARNING,
}
"""Events of the journal that are bad news, whether or not anything of them lasts."""

HALT_LATCHED = "halt_latched"
TRADING_STATE = "trading_state"

_UNCLEAN_START = Condition(
    key=f"cause {causes.UNCLEAN_END.code}",
    severity=Severity.CRITICAL,
    title=causes.UNCLEAN_END.code,
    text="the engine before did not end in order: killed, crashed, or a power cut; this one has"
    " read its record, and trades once preflight and a comparison with the venue have passed",
)
"""An engine may be through with that before the next look."""


def conditions_of(seen: Seen, process_before: str | None) -> tuple[Condition, ...]:
    """All that somebody should know of, each key once. `process_before` had the record when an
    engine last answered; None: nobody knows.
    """
    found: dict[str, Condition] = {}
    for condition in _all_of(seen, process_before):
        known = found.get(condition.key)
        if known is None or known.severity < condition.severity:
            found[condition.key] = condition
    return tuple(found.values())


def _all_of(seen: Seen, process_before: str | None) -> Iterator[Condition]:
    if seen.told is None:
        yield _without_answer(seen)
    else:
        yield from _of_causes(seen.told["causes"])
        yield from _of_symbols(seen.told)
        yield from _of_checks(seen.findings, seen.told["bots"], _kinds_of(seen.told["causes"]))
        yield from _of_bots(seen.told["bots"])
        yield from _of_alarms(seen.told.get("alarms") or {})
        yield from _of_notes(seen.told["notes"])
        if None not in (seen.process, process_before) and seen.process != process_before:
            text = f"the engine was started anew: {seen.process}; before: {process_before}"
            yield _moment("restarted", Severity.NOTICE, "engine started anew", text)
    yield from _of_lines(seen.lines)


def is_working(told: Told | None) -> bool:
    """Whether the engine does its work, which is more than that it answers: its safety chain makes
    progress, and its loops come to their end. One that is halted works, too.
    """
    if told is None or told["failed_closed"] is not None:
        return False
    lease, health = told["lease_ms"], told.get("health") or {}
    age, interval = health.get("loop_age_s"), health.get("loop_interval_s")
    if age is None or interval is None or (lease is not None and lease <= 0):
        return False
    return bool(age <= LOOPS_MISSED_MAX * interval + ANSWER_S)


def _without_answer(seen: Seen) -> Condition:
    """An engine that hangs may trade on, and one that is gone protects nothing: both are bad. One
    that was stopped in order is at least meant to be.
    """
    meant = seen.process is None and seen.ended_in_order is True
    line = "; ".join(finding.line for finding in seen.findings)
    ended = {True: " It ended in order.", False: " It did not end in order.", None: ""}
    how = ended[seen.ended_in_order] if seen.process is None else ""
    return Condition(
        key=ENGINE,
        severity=Severity.WARNING if meant else Severity.CRITICAL,
        title="no engine runs" if seen.process is None else "the engine does not answer",
        text=f"{line}.{how}",
        patience_s=ABSENT_PATIENCE_S,
        settled_s=0.0,  # that it is back is told at once, and so is that it is gone again
    )


def _of_causes(told: Iterable[Told]) -> Iterator[Condition]:
    for cause in told:
        condition = _of_cause(cause, cause["ends"])
        if condition is not None:
            yield condition


def _of_symbols(told: Told) -> Iterator[Condition]:
    """Those without prices though their market is open, where it is not the feed as a whole."""
    kinds = _kinds_of(told["causes"])
    for cause in told["causes"]:
        kind, symbol = causes.kind_of(cause["code"]), cause["symbol"]
        if kind is not causes.SYMBOL_UNREADY or not _is_open(symbol, told.get("session")):
            continue
        yield Condition(
            key=f"cause {cause['code']}",
            severity=Severity.WARNING,
            title=cause["code"],
            text=f"{cause['code']}: {cause['detail']}. What ends it: {cause['ends']}",
            patience_s=PRICES_PATIENCE_S,
            is_said_by_a_cause=causes.STALE_FEED.code in kinds,
        )


def _is_open(symbol: str, session: str | None) -> bool:
    """Whether prices of it are to be expected; `session`: the exchange's that is open."""
    if is_crypto(symbol):
        return True
    return session is not None and instrument(symbol) is not Instrument.OPTION


def _of_cause(cause: Told, ends: str) -> Condition | None:
    code = cause["code"]
    kind = causes.kind_of(code)
    if kind is not None and kind.code in _ROUTINE:
        return None
    rule = _CAUSES.get("" if kind is None else kind.code) or _rule_of(cause)
    what = f"{code} ({cause['state']}{_scope_of(cause)}): {cause['detail']}"
    return Condition(
        key=f"cause {code}",
        severity=rule.severity,
        title=code,
        text=f"{what}. What ends it: {ends}",
        patience_s=rule.patience_s,
    )


def _rule_of(cause: Told) -> _Rule:
    """By who clears it and what it lets pass; a class that nobody knows is as bad as any."""
    is_global = cause["bot"] is None and cause["symbol"] is None
    match cause["class"]:
        case CauseClass.START.value:
            return _Rule(Severity.WARNING, START_PATIENCE_S)
        case CauseClass.COOLDOWN.value:
            return _Rule(Severity.NOTICE, 0.0)
        case _ if not is_global:
            return _Rule(Severity.WARNING, 0.0)
        case CauseClass.LIMIT.value if cause["state"] == TradingState.CLOSE_ONLY.name:
            return _Rule(Severity.WARNING, 0.0)
        case _:
            return _Rule(Severity.CRITICAL, 0.0)


def _scope_of(cause: Told) -> str:
    scope = cause["bot"] or cause["symbol"]
    return "" if scope is None else f" for {scope} alone"


def _kinds_of(told: Iterable[Told]) -> frozenset[str]:
    kinds = (causes.kind_of(cause["code"]) for cause in told)
    return frozenset(kind.code for kind in kinds if kind is not None)


def _of_checks(
    findings: Iterable[Finding], bots: Collection[Told], kinds: frozenset[str]
) -> Iterator[Condition]:
    """`bots` are told one by one, and `kinds` of causes by themselves."""
    for finding in findings:
        is_told = finding.name == "bots" and bots
        if finding.passed or is_told:
            continue
        rule = _CHECKS.get(finding.name, _UNKNOWN_CHECK)
        yield Condition(
            key=ENGINE if finding.name == "engine" else f"check {finding.name}",
            severity=rule.severity,
            title=f"{finding.name} not well",
            text=f"{finding.name}: {finding.line}",
            patience_s=rule.patience_s,
            is_said_by_a_cause=not kinds.isdisjoint(_SAID_BY.get(finding.name, ())),
        )


def _of_bots(bots: Iterable[Told]) -> Iterator[Condition]:
    for bot in bots:
        if bot["status"] != "running":
            yield Condition(
                key=f"bot {bot['id']}",
                severity=Severity.WARNING,
                title=f"{bot['id']} {bot['status']}",
                text=f"{bot['id']} is {bot['status']}; see `debug history`",
                patience_s=5.0,
            )


def _of_alarms(alarms: Mapping[str, Any]) -> Iterator[Condition]:
    """Kill conditions that are switched off, and what is held while nothing may be sent."""
    for code, detail in alarms.items():
        yield Condition(
            key=f"alarm {code}",
            severity=Severity.WARNING,
            title=code,
            text=f"{code}: {detail}",
            patience_s=5.0,
        )


def _of_notes(notes: Iterable[str]) -> Iterator[Condition]:
    """An actor that does not answer, or that somebody suspended and forgot."""
    text = "; ".join(notes)
    if text:
        yield Condition(
            key="notes",
            severity=Severity.WARNING,
            title="an actor does not answer",
            text=text,
            patience_s=START_PATIENCE_S,
        )


def _of_lines(lines: Iterable[Line]) -> Iterator[Condition]:
    for line in lines:
        event = line["event"]
        if event == HALT_LATCHED:
            halt = _of_latched(line.get("cause"))
            if halt is not None:
                yield halt
        elif event == TRADING_STATE and causes.UNCLEAN_END.code in (line.get("causes") or ()):
            yield _UNCLEAN_START
        elif event in _MOMENTS:
            key, text = f"event {event} {line.get('source')}", f"{event}: {words_of(line)}"
            yield _moment(key, _MOMENTS[event], event, text)


def _moment(key: str, severity: Severity, title: str, text: str) -> Condition:
    return Condition(
        key=key,
        severity=severity,
        title=title,
        text=text,
        settled_s=MOMENT_SETTLED_S,
        is_moment=True,
    )


def _of_latched(cause: object) -> Condition | None:
    """The halt as the journal has it: one that was over before the next look is told all the same.

    A start's are left to the next look: each of them begins so.
    """
    if not isinstance(cause, Mapping) or "code" not in cause:
        return None
    code = str(cause["code"])
    row = {
        "code": code,
        "class": cause.get("cause_class"),
        "state": str(cause.get("state")).upper(),
        "detail": cause.get("detail"),
        "bot": cause.get("bot"),
        "symbol": cause.get("symbol"),
    }
    condition = _of_cause(row, causes.remedy_of(code))
    return condition if condition is not None and not condition.patience_s else None
