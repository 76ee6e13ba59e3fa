"""What the journal says of one wish to trade: who had it, how it was judged, what came of it."""

from collections.abc import Iterator, Sequence

import msgspec

from hydra.ops.why.journal import JournalSearch, Line, event, field, needle
from hydra.ops.why.judgements import (
    APPROVED,
    DENIED,
    Judgement,
    NotReadable,
    intent_in,
    judgement_in,
)
from hydra.trading.orders import DecisionKey
from messages.orders import OrderIntent
from supervisors import paths

INTENDED = "order_intended"
NOTHING = "nothing_decided"


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal says of one decision. What it does not say is None.

    `judged` is the line of the judgement, `judgement` what it holds; if that cannot be read,
    `fault` says why.
    """

    lines: tuple[Line, ...] = ()
    intent: OrderIntent | None = None
    intended: Line | None = None
    judged: Line | None = None
    judgement: Judgement | None = None
    fault: str = ""


def story_of_order(search: JournalSearch, name: str, decision: DecisionKey) -> Story:
    """Everything that the journal has of an order, as far back as its wish."""
    lines: list[Line] = []
    approved: Line | None = None
    for line in search.newest_first(needle(name), decision_text(decision)):
        lines.append(line)
        if line.event == APPROVED and line.record.get("client_order_id") == name:
            approved = line
        elif approved is not None and is_wish(line, decision):
            break  # nothing was said of it before somebody wanted it
    lines.reverse()
    return _story(lines, decision, approved)


def story_of_wish(search: JournalSearch, intended: Line) -> Story:
    """The wish with its judgement: the first one behind it."""
    try:
        decision = intent_in(intended).decision
    except NotReadable as error:
        return Story(intended=intended, fault=str(error))
    lines = [intended]
    judged: Line | None = None
    for line in search.newest_first(decision_text(decision)):
        if line.seq <= intended.seq:
            break
        lines.insert(1, line)
        if line.event in (APPROVED, DENIED):
            judged = line
    return _story(lines, decision, judged)


def story_of_judgement(search: JournalSearch, judged: Line) -> Story:
    """The judgement with its wish: the last one before it."""
    try:
        decision = intent_in(judged).decision
    except NotReadable as error:
        return Story(judged=judged, fault=str(error))
    wishes = (
        line
        for line in search.newest_first(decision_text(decision))
        if line.seq < judged.seq and is_wish(line, decision)
    )
    wish = next(wishes, None)
    return _story([judged] if wish is None else [wish, judged], decision, judged)


def names_in_journal(search: JournalSearch, beginning: str) -> dict[str, DecisionKey]:
    """The approved orders whose name begins so, with their decisions: for what never got further
    than the journal.
    """
    found: dict[str, DecisionKey] = {}
    for line in search.newest_first(b'"client_order_id":"' + needle(beginning)):
        name = str(line.record.get("client_order_id"))
        if line.event != APPROVED or not name.startswith(beginning):
            continue
        try:
            found.setdefault(name, intent_in(line).decision)
        except NotReadable:
            continue
    return found


def said_by(
    search: JournalSearch, bot: str, symbol: str, last_seq: int | None = None
) -> Iterator[Line]:
    """What the bot said of its wishes in a symbol, and what others wished for it, newest first."""
    path = path_of(bot)
    for line in search.newest_first(field("source", path), event(INTENDED), last_seq=last_seq):
        if line.event == NOTHING and line.source == path:
            if line.record.get("symbol") == symbol:
                yield line
        elif line.event == INTENDED:
            decision = decision_in(line)
            if (decision.get("bot"), decision.get("symbol")) == (bot, symbol):
                yield line


def is_wish(line: Line, decision: DecisionKey) -> bool:
    """Whether somebody asks for this decision's order there."""
    return line.event == INTENDED and decision_in(line) == msgspec.to_builtins(decision)


def decision_in(line: Line) -> dict[str, object]:
    """Whose wish the line speaks of, in plain values; empty if of none."""
    intent = line.record.get("intent")
    decision = intent.get("decision") if isinstance(intent, dict) else None
    return decision if isinstance(decision, dict) else {}


def decision_text(decision: DecisionKey) -> bytes:
    """The decision as it stands in every line that names it."""
    return field("decision", msgspec.to_builtins(decision))


def path_of(bot: str) -> str:
    """Where a bot lives: the `source` of its lines."""
    return f"{paths.BOTS.path}/{bot}"


def _story(lines: Sequence[Line], decision: DecisionKey, judged: Line | None) -> Story:
    """What these lines, the oldest first, say. `judged` is the one with the judgement."""
    wishes = [
        line
        for line in lines
        if is_wish(line, decision) and (judged is None or line.seq < judged.seq)
    ]
    intended = wishes[-1] if wishes else None
    judgement, intent, faults = None, None, list[str]()
    try:
        judgement = None if judged is None else judgement_in(judged)
    except NotReadable as error:
        faults.append(str(error))
    try:
        if judgement is not None:
            intent = judgement.intent
        elif intended is not None:
            intent = intent_in(intended)
    except NotReadable as error:
        faults.append(str(error))
    return Story(
        lines=tuple(lines),
        intent=intent,
        intended=intended,
        judged=judged,
        judgement=judgement,
        fault="; ".join(faults),
    )
