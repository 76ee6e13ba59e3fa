"""The story of a session, as `state.jsonl` has it: the journal's lines that say something of it.

Everything else in a bundle follows from these lines alone. A line is the journal's without its
checksum, its mark of the ledger and the judge's situation, of which only the worth of the account
is kept. What the ledger has and the journal lost, as at a kill, is put behind them in the same form
(`of_events`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import orjson

from hydra.store.events import (
    AccountOpened,
    CashAdjusted,
    EngineStopped,
    FeeAccrued,
    FeeBooked,
    FeesObserved,
    HaltCleared,
    HaltLatched,
    LedgerEvent,
    OrderAdopted,
    OrderIntended,
    PositionAssigned,
)
from hydra.store.journal_line import BadLine, record_in, timestamp
from hydra.trading.orders import DecisionKey
from messages.orders import Outcome, client_order_id_of

Line: TypeAlias = dict[str, Any]
"""As it was read from JSON: `ts`, `seq` (the journal's, null if it is not from there), `event`."""

OPENED = "bundle_opened"
"""The first line: what stood in the ledger when the session began."""

OF_NO_INTEREST = frozenset(
    {
        "actor_resumed",
        "actor_started",
        "actor_stopped",
        "actor_suspended",
        "bars_complete",
        "debug_resume",
        "debug_suspend",
        "intent_duplicate",
        "intent_repeated",
        "journal_continued",
        "journal_pruned",
        "ledger_committed",
        "nothing_decided",
        "order_intended",
        "report_duplicate",
        "service_opened",
        "stream_connected",
        "supervisor_command",
    }
)
"""Kinds that are left out: the journal has them. A kind that is new is told."""

_HEAD = re.compile(rb'\{"ts":"[^"]*","seq":(\d+),"event":"([^"\\]*)"')
_DROPPED = ("crc", "ledger_chain", "ledger_seq", "situation")


class Told(msgspec.Struct, frozen=True):
    """One line of a journal: its number, and what of it belongs into the story, if anything."""

    seq: int
    line: Line | None


def told(raw: bytes) -> Told:
    """What a line of the journal, with its newline, says. Raises BadLine if it is none."""
    head = _HEAD.match(raw)
    if head is None:
        raise BadLine("it does not begin like a line of ours")
    seq, event = int(head[1]), head[2].decode()
    if event in OF_NO_INTEREST or "." in event:
        return Told(seq, None)
    return Told(seq, _kept(record_in(raw)))


def _kept(record: Mapping[str, Any]) -> Line:
    line = {key: value for key, value in record.items() if key not in _DROPPED}
    worth = _worth_in(record.get("situation"))
    return line if worth is None else line | {"equity": worth}


def as_line(at: int, words: Mapping[str, object]) -> Line:
    """What is `said`, at this market time, as it would be read from JSON."""
    plain: Line = orjson.loads(msgspec.json.encode(words))
    return {"ts": timestamp(at), "seq": None, **plain}


def encoded(line: Line) -> bytes:
    """As it stands in the file, with its newline."""
    return orjson.dumps(line) + b"\n"


def lines_in(path: Path) -> list[Line]:
    """Every whole line of a story; one that was torn at the end does not count."""
    return [*_whole(path.read_bytes())]


def whole_bytes(content: bytes) -> int:
    """How much of it is whole lines."""
    return content.rfind(b"\n") + 1


def _whole(content: bytes) -> Iterator[Line]:
    for raw in content[: whole_bytes(content)].splitlines():
        try:
            line = orjson.loads(raw)
        except orjson.JSONDecodeError:
            continue  # damaged by hand: what follows is worth reading all the same
        if isinstance(line, dict) and isinstance(line.get("event"), str):
            yield line


def of_events(
    events: Iterable[tuple[int, int, LedgerEvent]], known: Iterable[Line]
) -> Iterator[Line]:
    """What these events of the ledger (seq, at, event) say that no line of `known` does.

    What comes again and again, as a halt may, is known as often as it was told.
    """
    untold = Counter[str]()
    untold.subtract(name for line in known if (name := _name_of(line)) is not None)
    decisions: dict[str, DecisionKey] = {}
    for seq, at, event in events:
        if isinstance(event, OrderIntended | OrderAdopted):
            decisions[event.order.client_order_id] = event.intent.decision
        for words in _lines_of(seq, event, decisions):
            line = as_line(at, words) | {"source": "ledger"}
            name = _name_of(line)
            untold[str(name)] += 1
            if untold[str(name)] > 0:
                yield line


def _lines_of(
    seq: int, event: LedgerEvent, decisions: Mapping[str, DecisionKey]
) -> Iterator[dict[str, object]]:
    match event:
        case OrderIntended(intent=intent, order=order) | OrderAdopted(intent=intent, order=order):
            name = order.client_order_id
            yield said("order_approved", client_order_id=name, intent=intent)
            yield said("intent_stored", order=order, reason=intent.reason)
        case HaltLatched():
            yield said("halt_latched", cause=event.cause)
        case HaltCleared():
            yield said("halt_cleared", code=event.code, reason=event.reason)
        case AccountOpened():
            yield said("account_opened", cash=event.cash)
        case CashAdjusted():
            yield said("cash_adjusted", ledger=seq, amount=event.amount)
        case PositionAssigned():
            yield said("position_assigned", ledger=seq, assigned=event)
        case FeeAccrued():
            yield said("fee_accrued", fee=event.fee)
        case FeesObserved(observation=seen):
            yield said("fees_observed", asset=seen.asset, changes=seen.changes)
        case FeeBooked(booking=booking):
            yield said("fee_booked", charge=booking.charge, parts=booking.parts)
        case EngineStopped():
            yield said("engine_stopped", reason=event.reason)
        case _:
            if isinstance(event, Outcome):
                decision = decisions.get(client_order_id_of(event))
                kind = type(event).__name__
                yield said("report_stored", report=kind, content=event, decision=decision)


def said(event: str, **fields: object) -> dict[str, object]:
    """A line of the story that no line of the journal stands behind; its time is still missing."""
    return dict(event=event, **fields)


def _name_of(line: Line) -> str | None:
    """What tells the line from others of its kind, whoever tells it; None: it is the journal's."""
    match line["event"]:
        case "order_approved":
            return f"approved {line.get('client_order_id')}"
        case "intent_stored":
            return f"stored {line.get('order', {}).get('client_order_id')}"
        case "report_stored":
            content = line.get("content", {})
            fill = content.get("fill")
            if fill is None:
                return f"{line.get('report')} {content.get('client_order_id')}"
            return f"fill {fill.get('client_order_id')} {fill.get('execution_id')}"
        case "halt_latched":
            return f"latched {line.get('cause', {}).get('code')}"
        case "halt_cleared":
            return f"cleared {line.get('code')}"
        case "fee_accrued":
            fee = line.get("fee", {})
            return f"accrued {fee.get('client_order_id')} {fee.get('execution_id')}"
        case "fees_observed":
            return f"observed {orjson.dumps(line.get('changes')).decode()}"
        case "fee_booked":
            charge = line.get("charge", {})
            return f"booked {charge.get('activity_id')} {charge.get('asset')}"
        case "position_assigned" | "cash_adjusted" as event:
            return f"{event} {line.get('ledger')}"
        case "account_opened" | "engine_stopped" as event:
            return str(event)
        case _:
            return None


def _worth_in(situation: object) -> str | None:
    match situation:
        case {"equity": {"equity": str(worth)}}:
            return worth
        case _:
            return None
