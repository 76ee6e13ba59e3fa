"""The story of one order: the wish, the judgement, the sending, what came of it, and the money."""

from zoneinfo import ZoneInfo

from msgspec import structs

from hydra.ops.why.journal import Line
from hydra.ops.why.judgements import APPROVED
from hydra.ops.why.ledger import FillOnRecord, OrderOnRecord
from hydra.ops.why.steps import steps_of
from hydra.ops.why.story import Execution, Explanation, Judged, OrderTold, Wanted
from hydra.ops.why.times import when
from hydra.ops.why.wishes import Story
from hydra.store.events import OrderAdopted
from hydra.trading.exact import total
from hydra.trading.explaining import budget_effects, explained
from hydra.trading.order_life import OrderStatus
from messages.orders import OrderIntent

NOT_ON_RECORD = "not on record"
UNREADABLE = "what became of it cannot be read"


def order_explained(
    question: str,
    name: str,
    on_record: OrderOnRecord | None,
    story: Story,
    zone: ZoneInfo,
    *,
    ledger_fault: str = "",
) -> Explanation:
    """The whole chain, from ledger and journal. One of the two has to know the order.

    `ledger_fault`: why the ledger cannot be read, so that what it does not say means nothing.
    """
    intent = story.intent
    if on_record is not None:
        intent = on_record.record.intent
    assert intent is not None, "the order was found in one of them"
    told = _order(name, intent, on_record, story, zone, ledger_fault)
    notes: tuple[str, ...] = ()
    if on_record is not None and _is_adopted(on_record):
        notes = ("an operator took it over from the venue: no bot asked, no check was made",)
    elif story.judged is None:
        notes = ("its judgement is not in what is left of the journal",)
    return Explanation(
        question=question,
        outcome="order",
        headline=f"{wish(intent)}: {_end(told)}",
        wanted=wanted(intent, story.intended, zone),
        judged=judged(story, zone),
        order=told,
        notes=notes,
    )


def wish(intent: OrderIntent) -> str:
    """What somebody would like, in a few words."""
    decision = intent.decision
    return (
        f"{decision.bot}: {_text(intent.side)} {_text(intent.quantity)} {decision.symbol}"
        f" ({_text(decision.role)})"
    )


def wanted(intent: OrderIntent, line: Line | None, zone: ZoneInfo) -> Wanted:
    """The wish, told."""
    decision = intent.decision
    return Wanted(
        by=decision.bot if line is None else line.source,
        bot=decision.bot,
        symbol=decision.symbol,
        session=decision.session,
        signal=decision.signal,
        role=_text(decision.role),
        side=_text(intent.side),
        quantity=intent.quantity,
        order_type=_text(intent.order_type),
        time_in_force=_text(intent.time_in_force),
        limit_price=intent.limit_price,
        stop_price=intent.stop_price,
        protective_stop=intent.protective_stop,
        replaces=intent.replaces,
        reason=intent.reason,
        reference_price=intent.reference_price,
        decided_at=when(intent.decided_at, zone),
        asked_at=None if line is None else when(line.at, zone),
        line=None if line is None else line.seq,
    )


def judged(story: Story, zone: ZoneInfo) -> Judged | None:
    """The judgement, told with every check: what the guardian saw is asked again."""
    line, judgement = story.judged, story.judgement
    if line is None:
        return None
    denied = line.event != APPROVED
    told = Judged(
        verdict="denied" if denied else "approved",
        at=when(line.at, zone),
        line=line.seq,
        check=str(line.record.get("check")) if denied else None,
        reason=str(line.record.get("reason")) if denied else None,
        fault=story.fault,
    )
    if judgement is None:
        return told
    situation = judgement.situation
    return structs.replace(
        told,
        state=_text(situation.state).upper(),
        causes=situation.cause_codes,
        checks=explained(situation),
        budgets=budget_effects(situation),
        as_derived=judgement.derived() == judgement.denial,
    )


def _order(
    name: str,
    intent: OrderIntent,
    on_record: OrderOnRecord | None,
    story: Story,
    zone: ZoneInfo,
    ledger_fault: str,
) -> OrderTold:
    entries = () if on_record is None else on_record.entries
    steps = steps_of(story.lines, entries, name, intent.decision, zone)
    if on_record is None:
        return OrderTold(
            client_order_id=name,
            venue_order_id=None,
            status=UNREADABLE if ledger_fault else NOT_ON_RECORD,
            is_open=bool(ledger_fault),
            reason=ledger_fault or "it is not in the ledger, so it was never sent",
            quantity=intent.quantity,
            filled_quantity=total(()),
            steps=steps,
            executions=(),
            cash=total(()),
            realised=total(()),
            position_now=None,
            cash_now=None,
            realised_now=None,
            version=None,
            configuration=None,
        )
    state, engine, fills = on_record.record.state, on_record.engine, on_record.fills
    return OrderTold(
        client_order_id=name,
        venue_order_id=state.venue_order_id,
        status=state.status.words,
        is_open=state.status.is_open,
        reason=state.reason,
        quantity=state.order.quantity,
        filled_quantity=state.filled_quantity,
        steps=steps,
        executions=tuple(_execution(fill, zone) for fill in fills),
        cash=total(fill.cash for fill in fills),
        realised=total(fill.realised for fill in fills),
        position_now=on_record.position,
        cash_now=on_record.money.cash,
        realised_now=on_record.money.realised,
        version=None if engine is None else engine.version,
        configuration=None if engine is None else engine.configuration,
    )


def _execution(booked: FillOnRecord, zone: ZoneInfo) -> Execution:
    fill = booked.fill
    return Execution(
        execution_id=fill.execution_id,
        at=when(fill.at, zone),
        quantity=fill.quantity,
        price=fill.price,
        position_before=booked.position_before,
        position_after=booked.position_after,
        cash=booked.cash,
        realised=booked.realised,
        closed=tuple((lot.quantity, lot.entry_price, lot.realised) for lot in booked.closed),
        ledger_event=booked.seq,
        fee=None if booked.fee is None else booked.fee.amount,
        fee_asset="" if booked.fee is None else booked.fee.asset,
        fee_basis="" if booked.fee is None else booked.fee.basis.value,
    )


def _end(told: OrderTold) -> str:
    """How far it has come, in a few words."""
    if told.status in (NOT_ON_RECORD, UNREADABLE):
        return f"approved, {told.status}: {told.reason}"
    parts = [told.status.upper()]
    if told.status != OrderStatus.FILLED.words or told.filled_quantity != told.quantity:
        parts.append(f"{told.filled_quantity:f} of {told.quantity:f} executed")
    if told.reason:
        parts.append(told.reason)
    if told.is_open:
        parts.append("it may still trade")
    return ", ".join(parts)


def _is_adopted(on_record: OrderOnRecord) -> bool:
    return any(isinstance(entry.event, OrderAdopted) for entry in on_record.entries)


def _text(value: object) -> str:
    """An enumeration's word; of a value that is not what it should be, whatever it is."""
    return str(getattr(value, "value", value))
