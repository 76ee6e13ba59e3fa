"""The life of one order: what can follow what (I22), and what all that is known says together.

The state is a matter of what was said, not of when or how often (I24): reports may arrive in any
order and again. Only the attempt has its place, since it is our own deed: it is on record before
anything is sent, so before anything can be reported.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, assert_never

import msgspec
from msgspec import structs

from hydra.trading import exact
from hydra.trading.orders import Fill, Order


class OrderStatus(Enum):
    """How far an order has come; also what an event, taken alone, says of it."""

    INTENDED = "intended"
    """On record, and certainly not sent: there is no attempt."""
    ATTEMPTED = "attempted"
    """Somebody has begun to send it: from here on it may be at the venue."""
    WITHHELD = "withheld"
    """Certainly not sent, now or later: it was stopped before it could be."""
    UNKNOWN = "unknown"
    """Sent, but nothing is proven."""
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    REJECTED = "rejected"
    ABSENT = "absent"
    """Its outcome is unknown, and every look for it found nothing: given up, not proven.

    It counts as over. Should the venue speak of it after all, it is what the venue says again.
    """
    EXPIRED = "expired"
    CANCELED = "canceled"
    REPLACED = "replaced"
    """Over, because another order has taken its place; that one lives under its own name."""
    FILLED = "filled"

    __hash__ = object.__hash__
    """There is one of each, so which one it is will do; Enum's own hashes the name, in Python."""

    @property
    def is_open(self) -> bool:
        """May still be, or come to life, at the venue. Attempted counts: maybe it was sent.

        A cancel that was asked for closes nothing; only its outcome does (I25). An absent order
        was given up with every care, and is the one that may prove us wrong.
        """
        return self in _OPEN

    @property
    def words(self) -> str:
        """For people."""
        return self.value.replace("_", " ")


class ImpossibleReport(Exception):
    """An event contradicts what is on record; nothing was written. Halt, and ask the venue."""


class Attempted(msgspec.Struct, frozen=True):
    """Somebody begins to send the order."""


class Withheld(msgspec.Struct, frozen=True):
    """The order was stopped at the gate, or its approval had expired: it was not sent."""

    reason: str


class Unknown(msgspec.Struct, frozen=True):
    """The order may or may not have reached the venue."""

    reason: str


class Accepted(msgspec.Struct, frozen=True):
    """The venue took the order, under a name of its own."""

    venue_order_id: str


class Rejected(msgspec.Struct, frozen=True):
    """The venue refused the order, at once or after it had taken it."""

    reason: str


class Canceled(msgspec.Struct, frozen=True):
    """The venue took the order out of the market before it was complete."""


class Expired(msgspec.Struct, frozen=True):
    """The order's time in force ran out before it was complete."""


class Replaced(msgspec.Struct, frozen=True):
    """Another order took its place before it was complete; "" if the venue does not say which."""

    by: str


class Absent(msgspec.Struct, frozen=True):
    """We have given it up: unknown, and not found by any look over the settle window (I19)."""

    reason: str


OrderEvent: TypeAlias = (
    Attempted
    | Withheld
    | Unknown
    | Absent
    | Accepted
    | Rejected
    | Fill
    | Canceled
    | Expired
    | Replaced
)


class Impossible(msgspec.Struct, frozen=True):
    """What would contradict itself, and why."""

    why: str


class _Change(Enum):
    """What becomes of an order by an event that is possible."""

    MOVES = "its status is what the event says"
    STAYS = "its status says as much already, or more"


_MOVES, _STAYS = _Change.MOVES, _Change.STAYS

_AGAIN = Impossible("what is at the venue, or over, is not sent again: it could trade twice")
_NEVER = Impossible("the venue cannot know of an order that was never sent")
_SENT = Impossible("an order is withheld before it is sent, and this one was sent")
_OUT = Impossible(
    "an order that the venue rejected was never in the market, and can neither trade nor leave it"
)
_IN = Impossible("the venue rejects an order before the market has it, and this one was there")
_WHOLE = Impossible("the whole order was executed; more is an overfill")

SAID = (
    OrderStatus.ATTEMPTED,
    OrderStatus.WITHHELD,
    OrderStatus.UNKNOWN,
    OrderStatus.ABSENT,
    OrderStatus.ACCEPTED,
    OrderStatus.REJECTED,
    OrderStatus.PARTIALLY_FILLED,
    OrderStatus.FILLED,
    OrderStatus.EXPIRED,
    OrderStatus.CANCELED,
    OrderStatus.REPLACED,
)
"""What an event can say: the table's columns. A fill says `FILLED` if it completes the order."""

# One line a status, one column for each of `SAID`.
# fmt: off
_TABLE: Mapping[OrderStatus, tuple[_Change | Impossible, ...]] = {
    #   attempted       unknown         accepted        partial         expired         replaced
    #           withheld        absent          rejected        filled          canceled

    # Stopped before anybody tried is withheld too; any other word is of an order nobody sent.
    OrderStatus.INTENDED:
       (_MOVES, _MOVES, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER),

    # Any word may be the first one heard: reports are lost, and a fill can outrun the answer.
    OrderStatus.ATTEMPTED:
       (_STAYS, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES),

    # Withheld is for ever. To try again takes another order, with a name of its own. That nobody
    # finds it is as it should be.
    OrderStatus.WITHHELD:
       (_AGAIN, _STAYS, _NEVER, _STAYS, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER, _NEVER),

    # It may be sent again, under its one name, once it is proven absent; that proves nothing new.
    # Withheld now would close an order that passed the gate: somebody has handled it twice.
    OrderStatus.UNKNOWN:
       (_STAYS, _SENT,  _STAYS, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES),

    # Given up is no proof, so every word that is one counts for more, whenever it is heard: ours,
    # that it was not sent; the venue's, that it was there, and maybe still is. (That it had been
    # unknown before is forgotten here, so that it was withheld then contradicts nothing.)
    OrderStatus.ABSENT:
       (_AGAIN, _MOVES, _STAYS, _STAYS, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES),

    # Accepted is the venue's word, not yet the market's: a late rejection is real.
    OrderStatus.ACCEPTED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES, _MOVES),

    # What was executed stays executed, so a rejection is a contradiction.
    OrderStatus.PARTIALLY_FILLED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _STAYS, _MOVES, _MOVES, _MOVES, _MOVES),

    # Its acceptance may be heard late. A fill is not folded in: who is right must be asked.
    OrderStatus.REJECTED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _STAYS, _OUT,   _OUT,   _OUT,   _OUT,   _OUT),

    # A fill of before the end may be heard after it: it counts (I25), and the end stands. If it
    # completes the order there was nothing left to expire. A venue's sources may call one end by
    # several names; the one that says most stands, whichever was heard first: replaced over
    # canceled over expired.
    OrderStatus.EXPIRED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _STAYS, _MOVES, _STAYS, _MOVES, _MOVES),

    # As for expired: a fill counts, and a complete one shows that the cancel came too late.
    OrderStatus.CANCELED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _STAYS, _MOVES, _STAYS, _STAYS, _MOVES),

    # As for canceled; a complete fill shows that there was nothing left to replace.
    OrderStatus.REPLACED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _STAYS, _MOVES, _STAYS, _STAYS, _STAYS),

    # Whatever its end was called: it was heard before, or beside, the fills that had outrun it.
    OrderStatus.FILLED:
       (_AGAIN, _SENT,  _STAYS, _STAYS, _STAYS, _IN,    _WHOLE, _WHOLE, _STAYS, _STAYS, _STAYS),
}
# fmt: on


def _next_status(
    status: OrderStatus, said: OrderStatus, change: _Change | Impossible
) -> OrderStatus | Impossible:
    match change:
        case _Change.MOVES:
            return said
        case _Change.STAYS:
            return status
        case Impossible():
            return change
        case _:
            assert_never(change)


TRANSITIONS: Mapping[tuple[OrderStatus, OrderStatus], OrderStatus | Impossible] = {
    (status, said): _next_status(status, said, change)
    for status, changes in _TABLE.items()
    for said, change in zip(SAID, changes, strict=True)
}
"""The next status by the status so far and what an event says: the only source of it (I22)."""


class OrderState(msgspec.Struct, frozen=True, kw_only=True):
    """One order and what is known of it. `reason` goes with the status, where it has one."""

    order: Order
    status: OrderStatus = OrderStatus.INTENDED
    reason: str = ""
    venue_order_id: str | None = None
    filled_quantity: Decimal = Decimal(0)


def after(state: OrderState, event: OrderEvent, counted: Fill | None = None) -> OrderState:
    """The order once this is known of it; an equal state if nothing in it is new.

    `counted` is the fill that is on record under this fill's execution ID: it counts once (I23).
    Raises ImpossibleReport for what contradicts the state, or cannot be true of the order at all.
    """
    match event:
        case Attempted():
            return _moved(state, OrderStatus.ATTEMPTED)
        case Withheld():
            return _moved(state, OrderStatus.WITHHELD, event.reason)
        case Unknown():
            return _moved(state, OrderStatus.UNKNOWN, event.reason)
        case Absent():
            return _moved(state, OrderStatus.ABSENT, event.reason)
        case Accepted():
            return _accepted(state, event.venue_order_id)
        case Rejected():
            return _moved(state, OrderStatus.REJECTED, event.reason)
        case Fill():
            if counted is None:
                return _filled(state, event)
            _require_same_execution(counted, event)
            return state
        case Canceled():
            return _moved(state, OrderStatus.CANCELED)
        case Expired():
            return _moved(state, OrderStatus.EXPIRED)
        case Replaced():
            return _moved(state, OrderStatus.REPLACED, f"by {event.by}" if event.by else "")
        case _:
            assert_never(event)


def is_rewording(before: OrderState, after: OrderState) -> bool:
    """Whether no more is known of the order after an event than before it, only in other words.

    One end is told under several names, and one refusal in several wordings. The fullest is put on
    record; who acts on what became of an order has done so.
    """
    if before == after:
        return False
    one, other = before.status, after.status
    is_same = one is other or (one in _CALLED_DIFFERENTLY and other in _CALLED_DIFFERENTLY)
    return is_same and (before.venue_order_id, before.filled_quantity) == (
        after.venue_order_id,
        after.filled_quantity,
    )


def _moved(state: OrderState, said: OrderStatus, reason: str = "", details: str = "") -> OrderState:
    status = TRANSITIONS[state.status, said]
    if isinstance(status, Impossible):
        details = details or reason
        raise ImpossibleReport(
            f"{state.order.client_order_id} is {_standing(state)}, and is now said to be"
            f" {said.words}{details and f' ({details})'}: {status.why}"
        )
    if status is not said:
        reason = ""  # it speaks of a status that is past
    if status is state.status:
        reason = max(reason, state.reason, key=_fullness)
    return structs.replace(state, status=status, reason=reason)


def _fullness(reason: str) -> tuple[int, str]:
    """Of two wordings of one status the longer stands; a rule that asks which came first cannot.

    The alphabet decides between equally long ones.
    """
    return len(reason), reason


def _accepted(state: OrderState, venue_order_id: str) -> OrderState:
    moved = _moved(state, OrderStatus.ACCEPTED, details=f"as {venue_order_id}")
    if state.venue_order_id not in (None, venue_order_id):
        raise ImpossibleReport(
            f"{state.order.client_order_id} is order {state.venue_order_id} at the venue, and is"
            f" now accepted as {venue_order_id}: one order may be there twice"
        )
    return structs.replace(moved, venue_order_id=venue_order_id)


def _filled(state: OrderState, fill: Fill) -> OrderState:
    order, name = state.order, state.order.client_order_id
    if (fill.client_order_id, fill.symbol, fill.side) != (name, order.symbol, order.side):
        raise ImpossibleReport(
            f"{name} is a {order.side.value} of {order.symbol}, but execution"
            f" {fill.execution_id} of {fill.client_order_id} is {_words(fill)}"
        )
    are_finite = fill.quantity.is_finite() and fill.price.is_finite()
    if not (are_finite and fill.quantity > 0 and fill.price >= 0):
        raise ImpossibleReport(
            f"{name}: execution {fill.execution_id} is {_words(fill)}; wanted a quantity over zero"
            " and a price of zero or more"
        )
    filled_quantity = exact.add(state.filled_quantity, fill.quantity)
    said = OrderStatus.PARTIALLY_FILLED
    if filled_quantity >= order.quantity:
        said = OrderStatus.FILLED
    moved = _moved(state, said, details=f"execution {fill.execution_id}: {_words(fill)}")
    if filled_quantity > order.quantity:
        raise ImpossibleReport(
            f"{name}: execution {fill.execution_id}, {_words(fill)}, makes {filled_quantity}"
            f" filled, of {order.quantity} ordered"
        )
    return structs.replace(moved, filled_quantity=filled_quantity)


def _require_same_execution(counted: Fill, reported: Fill) -> None:
    """One execution ID is one execution; only its time may differ, as it does between sources."""
    if structs.replace(reported, at=counted.at) != counted:
        raise ImpossibleReport(
            f"execution {counted.execution_id} of {counted.client_order_id} is on record as"
            f" {_words(counted)}, and is now reported as {_words(reported)}"
        )


def _standing(state: OrderState) -> str:
    found = [state.reason] if state.reason else []
    if state.filled_quantity:
        found.append(f"{state.filled_quantity} of {state.order.quantity} filled")
    return f"{state.status.words} ({'; '.join(found)})" if found else state.status.words


def _words(fill: Fill) -> str:
    return f"{fill.side.value} {fill.quantity} {fill.symbol} at {fill.price}"


_CALLED_DIFFERENTLY = frozenset({OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.REPLACED})
"""Of one end: it left the market before it was complete."""
_OPEN = frozenset(
    {
        OrderStatus.ATTEMPTED,
        OrderStatus.UNKNOWN,
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
    }
)
