"""What happened to an order, step by step: the journal's lines and the ledger's events as one."""

from collections.abc import Iterable, Sequence
from typing import Any, assert_never
from zoneinfo import ZoneInfo

import msgspec
import orjson

from hydra.ops.why import fees
from hydra.ops.why.journal import Line
from hydra.ops.why.judgements import APPROVED, DENIED
from hydra.ops.why.ledger import Entry
from hydra.ops.why.story import Step
from hydra.ops.why.times import when
from hydra.store.events import (
    FeeAccrued,
    FeeBooked,
    FeesObserved,
    LedgerEvent,
    OrderAdopted,
    OrderAttempted,
    OrderIntended,
)
from hydra.trading.fees import Fee
from hydra.trading.orders import DecisionKey
from messages.orders import (
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
)

TEXT_MAX = 400
"""Characters of what a line says that nobody has words for here."""
OWN_WORDS = ("order_intended", APPROVED)
"""Are told elsewhere."""


def steps_of(
    lines: Sequence[Line],
    entries: Iterable[Entry],
    name: str,
    decision: DecisionKey,
    zone: ZoneInfo,
) -> tuple[Step, ...]:
    """In the order in which things happened. What only the ledger knows, as of a journal that was
    pruned or lost its end, stands behind the event before it.
    """
    steps = [step for line in lines if (step := _step_of(line, name, decision, zone)) is not None]
    outcomes = {line.seq: _outcome_in(line) for line in lines}
    place = 0
    for entry in entries:
        if isinstance(entry.event, OrderAttempted) and _is_told(steps):
            continue
        index = next(
            (
                index
                for index, step in enumerate(steps)
                if step.ledger_event is None and _tells_of(step, outcomes, entry.event)
            ),
            None,
        )
        if index is None:
            index = place
            steps.insert(index, _step_in_ledger(entry, zone))
        else:
            steps[index] = msgspec.structs.replace(steps[index], ledger_event=entry.seq)
        place = index + 1
    return tuple(steps)


def words_of(event: LedgerEvent) -> str:
    """What the event means for the order, for people."""
    match event:
        case OrderIntended():
            return "the intent is on record; nothing is sent yet"
        case OrderAttempted():
            return "the attempt is on record: from here on it may be at the venue"
        case OrderAdopted():
            return (
                f"{event.operator} took it over for the bot, as it was at the venue: {event.reason}"
            )
        case FeeAccrued() | FeesObserved() | FeeBooked():
            return fees.words_of(event)
        case _:
            return _words_of_outcome(event) if isinstance(event, Outcome) else type(event).__name__


def _words_of_outcome(outcome: Outcome) -> str:
    match outcome:
        case OrderAccepted():
            return f"the venue took it, as {outcome.venue_order_id}"
        case OrderRejected():
            return f"the venue refused it: {outcome.reason}"
        case OrderFilled():
            fill = outcome.fill
            return (
                f"executed: {fill.side.value} {fill.quantity:f} {fill.symbol} at {fill.price:f}"
                f" (execution {fill.execution_id})"
            )
        case OrderCanceled():
            return "the venue has taken it out of the market: canceled"
        case OrderExpired():
            return "its time in force ran out: expired"
        case OrderReplaced():
            return (
                f"another order has taken its place: {outcome.by or 'the venue does not say which'}"
            )
        case OrderUnknown():
            return f"its outcome is unknown: {outcome.reason}"
        case OrderWithheld():
            return f"withheld at the order gate, so it was never sent: {outcome.reason}"
        case OrderAbsent():
            return f"given up: no look for it found it: {outcome.reason}"
        case _:
            assert_never(outcome)


def _step_of(line: Line, name: str, decision: DecisionKey, zone: ZoneInfo) -> Step | None:
    text = _words_of_line(line, name, decision)
    if text is None:
        return None
    outcome = _outcome_in(line)
    event = line.event if outcome is None else type(outcome).__name__
    return Step(at=when(line.at, zone), event=event, text=text, line=line.seq)


def _words_of_line(line: Line, name: str, decision: DecisionKey) -> str | None:
    """None for what is told elsewhere, or is about another order."""
    record = line.record
    reason = record.get("reason", "")
    match line.event:
        case "report_stored":
            outcome = _outcome_in(line)
            return _other(line) if outcome is None else _words_of_outcome(outcome)
        case "intent_stored":
            return "intent and attempt are on record: from here on it may be at the venue"
        case "fee_accrued":
            fee = _fee_in(line)
            return _other(line) if fee is None else fees.accrued_in_words(fee)
        case "intent_duplicate":
            return "it was to be recorded again: it has its record, and is not sent again"
        case "intent_repeated":
            return "the bot wanted it once more: it was approved before, and is not sent again"
        case "report_duplicate":
            return f"{record.get('report')} came once more; it counts once"
        case "report_impossible":
            return f"{record.get('report')} cannot be true, and was not booked: {reason}"
        case "cancel_requested":
            return f"the venue was asked to cancel it: {reason}"
        case "cancel_withheld":
            return f"a cancel was held back at the gate: {reason}"
        case "cancel_overdue":
            return f"NOT CANCELED YET, after {record.get('requests')} requests"
        case "look_failed":
            return f"the venue could not be asked about it: {reason}"
        case "order_given_up":
            return f"it is given up, as no look found it: {reason}"
        case "halt_latched":
            return _halt_in_words(record.get("cause"))
        case "halt_acknowledged":
            return "its send was given up on when trading was halted: its outcome is unknown"
        case "reconciled":
            told = [text for text in record.get("differences", ()) if name in str(text)]
            return f"record and venue were compared: {'; '.join(told)}" if told else None
        case _:
            return _of_wishes(line, name, decision)


def _of_wishes(line: Line, name: str, decision: DecisionKey) -> str | None:
    """What lines about wishes say to this order; the other lines as they are."""
    if line.event not in (*OWN_WORDS, DENIED):
        return _other(line)
    found = line.record.get("intent", {})
    if found.get("decision") == msgspec.to_builtins(decision):
        return f"denied: {line.record.get('reason')}" if line.event == DENIED else None
    if line.event == DENIED and name in str(line.record.get("reason")):
        who = found.get("decision", {}).get("bot")
        return f"because of it {who} was denied an order: {line.record.get('reason')}"
    if line.event == APPROVED and found.get("replaces") == name:
        return f"{line.record.get('client_order_id')} was approved, to take its place"
    return None


def _halt_in_words(cause: Any) -> str:
    if not isinstance(cause, dict):
        return "trading was halted"
    state = str(cause.get("state")).replace("_", " ")
    return f"trading is {state} because of it: {cause.get('code')}: {cause.get('detail')}"


def _other(line: Line) -> str:
    """As it stands there: a bot's own line, or one that a later Hydra writes."""
    own = ("ts", "seq", "event", "source", "crc", "ledger_seq", "ledger_chain")
    fields = {name: value for name, value in line.record.items() if name not in own}
    text = f"{line.event} {orjson.dumps(fields).decode()}"
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def _outcome_in(line: Line) -> Outcome | None:
    if line.event != "report_stored":
        return None
    try:
        outcome: Outcome = msgspec.convert(line.record.get("content"), Outcome)
    except msgspec.ValidationError:
        return None
    return outcome


def _fee_in(line: Line) -> Fee | None:
    try:
        return msgspec.convert(line.record.get("fee"), Fee)
    except msgspec.ValidationError:
        return None


def _tells_of(step: Step, outcomes: dict[int, Outcome | None], event: LedgerEvent) -> bool:
    if isinstance(event, OrderIntended):
        return step.event == "intent_stored"
    if isinstance(event, FeeAccrued):
        return step.text == fees.words_of(event)
    return step.line is not None and outcomes.get(step.line) == event


def _is_told(steps: Iterable[Step]) -> bool:
    """Whether intent and attempt stand in one line of the journal, as they become durable."""
    return any(step.event == "intent_stored" for step in steps)


def _step_in_ledger(entry: Entry, zone: ZoneInfo) -> Step:
    event = entry.event
    return Step(
        at=when(entry.at, zone),
        event=type(event).__name__,
        text=words_of(event),
        ledger_event=entry.seq,
    )
