"""What was sent that should not have been: the venue's log against the ledger and the journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from hydra.store.events import HaltCleared, HaltLatched, OrderIntended
from hydra.testkit.judge.case import Case, Violation, Violations
from hydra.testkit.judge.evidence import JournalLine, OrderOnRecord, Run
from hydra.testkit.judge.standing import times_shut
from hydra.trading.causes import RESTART_STORM
from hydra.trading.exact import subtract, total
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, Role
from hydra.trading.restarts import RESTARTS_MAX, WINDOW_NS
from hydra.trading.trading_state import Cause, TradingState, state_for
from hydra.trading.venue_view import VenueSnapshot

ARRIVES_WITHIN_NS = 250_000_000
"""I01: machine time after a halt within which what was on its way may still arrive."""


def nothing_sent_twice(case: Case) -> Violations:
    """A name is used for one request, ever."""
    times = Counter(sent.name for sent in case.life.sent)
    for name, count in times.items():
        if count > 1:
            yield Violation("I15 I20", f"{name} was sent {count} times")


def one_order_for_each_decision(case: Case) -> Violations:
    """However often it was decided, and by whichever run."""
    names = defaultdict(set)
    for recorded in case.life.events:
        if isinstance(recorded.event, OrderIntended):
            names[recorded.event.intent.decision].add(recorded.event.order.client_order_id)
    sent = {each.name for each in case.life.sent}
    for decision, known in names.items():
        both = sorted(known & sent)
        if len(both) > 1:
            yield Violation("I16", f"{decision} was sent as {' and as '.join(both)}")


def nothing_sent_off_the_record(case: Case) -> Violations:
    """Intent and attempt come first, with the very content that was sent."""
    for sent in case.life.sent:
        known = case.life.orders.get(sent.name)
        if known is None:
            yield Violation("I13", f"{sent.name} was sent, and nobody meant to by the record")
        elif not known.attempts:
            yield Violation("I14", f"{sent.name} was sent without an attempt on record")
        elif known.at > sent.at:
            late_ns = known.at - sent.at
            yield Violation("I13 I14", f"{sent.name} was sent {late_ns} ns before it was on record")
        elif known.status in _NEVER_SENT:
            yield Violation("I14", f"{sent.name} was sent, and on record is {known.status.words}")
        elif sent.order is None:
            yield Violation("I15", f"{sent.name} was sent in words that are not ours")
        elif known.order != sent.order:
            yield Violation("I15", f"{sent.name} was sent as {sent.order}, wanted {known.order}")


def no_more_requests_than_attempts(case: Case) -> Violations:
    """Nothing below the record sends again by itself."""
    requests = len(case.life.sent)
    attempts = sum(known.attempts for known in case.life.orders.values())
    if requests > attempts:
        yield Violation("I20", f"{requests} orders came to the venue, of {attempts} attempts")


def nothing_sent_before_preflight(case: Case) -> Violations:
    """In each run anew. A flatten that an operator asked for goes on in a start that stays halted,
    as it passes every halt; but not before the account was read.
    """
    for sent, known in case.sent:
        run = case.run_of(known)
        if run is None or run.lines is None:
            continue
        ready = (line.at for line in run.lines if line.event == "preflight_passed")
        wanted = "passed preflight"
        if known.intent.decision.role is Role.FLATTEN:
            ready = (line.at for line in run.lines if _has_read_account(line))
            wanted = "had read the account"
        if next(ready, sent.at + 1) > sent.at:
            yield Violation("I06", f"{sent.name} was sent before run {run.number} {wanted}")


def _has_read_account(line: JournalLine) -> bool:
    return line.event == "reconciled" and not line.fields.get("failure")


def nothing_sent_after_a_halt(case: Case) -> Violations:
    """By the order of the journal, by market time, and by the order of the ledger."""
    for sent, known in case.sent:
        if known.intent.decision.role is Role.FLATTEN:
            continue
        stood = case.stood_for(known)
        if stood is not None and stood.state is TradingState.HALTED:
            yield Violation("I01", f"{sent.name} was sent in spite of {stood.words} (journal)")
        grace_ns = int(ARRIVES_WITHIN_NS * (sent.speed or 0))
        for shut in times_shut(case.standings.get(known.run, ())):
            if shut.since + grace_ns < sent.at and (shut.until is None or sent.at < shut.until):
                yield Violation("I01", f"{sent.name} was sent in spite of {shut.words} (time)")
        if _state_in_ledger(case, known) is TradingState.HALTED:
            yield Violation("I01 I02", f"{sent.name} was sent in spite of a halt in the ledger")


def only_reductions_when_close_only(case: Case) -> Violations:
    """No entry; and what is sent is not more than what is held and nobody else closes."""
    for sent, known in case.sent:
        role = known.intent.decision.role
        stood = case.stood_for(known)
        states = {_state_in_ledger(case, known), None if stood is None else stood.state}
        is_restricted = TradingState.CLOSE_ONLY in states
        if is_restricted and role is Role.ENTRY:
            yield Violation("I09", f"{sent.name} is an entry, sent while only closing was allowed")
        if role is Role.FLATTEN or (is_restricted and role.reduces):
            fault = "nobody can read it"
            if sent.order is not None:
                fault = _fault_in_reduction(sent.order, case.venue_before(sent))
            if fault:
                yield Violation("I09", f"{sent.name} does not only reduce: {fault}")


def no_order_in_a_restart_storm(cases: Sequence[Case]) -> Violations:
    """After too many starts that follow no orderly end, in whichever lives, a person comes first.

    Starts of which the time is not on record are left out: those in virtual time.
    """
    unclean: list[int] = []
    ended_in_order = True
    for case in cases:
        for run in case.life.runs:
            follows_unclean_end, ended_in_order = not ended_in_order, run.ended_in_order
            if follows_unclean_end and run.wall_at:
                unclean.append(run.wall_at)
            recent = sum(run.wall_at - wall_at <= WINDOW_NS for wall_at in unclean)
            if run.wall_at and recent > RESTARTS_MAX:
                yield from _sent_in_a_storm(case, run, recent)


def _sent_in_a_storm(case: Case, run: Run, starts: int) -> Violations:
    cleared = [
        recorded.seq
        for recorded in case.life.events
        if recorded.seq > run.started.seq
        and isinstance(recorded.event, HaltCleared)
        and recorded.event.code == RESTART_STORM.code
    ]
    for sent, known in case.sent:
        if known.run == run.number and (not cleared or known.seq < cleared[0]):
            yield Violation(
                "I75", f"{sent.name} was sent after {starts} unclean starts, by nobody's leave"
            )


def _state_in_ledger(case: Case, known: OrderOnRecord) -> TradingState:
    """What the order found in the ledger, where starts and stops are not written down."""
    standing: dict[str, Cause] = {}
    for recorded in case.life.events:
        if recorded.seq >= known.seq:
            break
        match recorded.event:
            case HaltLatched(cause=cause):
                standing[cause.code] = cause
            case HaltCleared(code=code):
                standing.pop(code, None)
            case _:
                pass
    decision = known.intent.decision
    return state_for(standing.values(), decision.bot, decision.symbol)


def _fault_in_reduction(order: Order, account: VenueSnapshot) -> str:
    """ "" if there is none."""
    held = total(each.quantity for each in account.positions if each.symbol == order.symbol)
    others = [
        subtract(other.order.quantity, other.filled_quantity)
        for other in account.orders
        if other.status.is_open
        and (other.order.symbol, other.order.side) == (order.symbol, order.side)
    ]
    left = subtract(held.copy_abs(), total(others))
    if held * order.side.sign < 0 and order.quantity <= left:
        return ""
    return f"{order.side.value} {order.quantity} of {held} held, {left} of it not being closed"


_NEVER_SENT = (OrderStatus.INTENDED, OrderStatus.WITHHELD)
