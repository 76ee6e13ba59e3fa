"""A difference between our record and the venue, and what a person may do about it."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.echo import words

ACCOUNT, CASH = "account", "cash"
"""The subjects of what there is only one of."""


class DifferenceKind(Enum):
    """What kind of difference it is, which decides what an operator may do about it."""

    ACCOUNT_MISMATCH = "account_mismatch"
    """It is another account."""
    ACCOUNT_BLOCKED = "account_blocked"
    """The venue says that the account must not trade."""
    FOREIGN_ORDER = "foreign_order"
    """Open at the venue, and not made by us."""
    UNRECORDED_ORDER = "unrecorded_order"
    """At the venue under a name of our making that is not on record: our record lost its end."""
    MISSING_ORDER = "missing_order"
    """Accepted and open on record, and the venue does not have it."""
    ORDER_CONTENT = "order_content"
    """The venue's echo is not what was sent (I27)."""
    IMPOSSIBLE_ORDER = "impossible_order"
    """What the venue says of it cannot follow what is on record (I22), or contradicts itself."""
    FILL_NOT_AT_VENUE = "fill_not_at_venue"
    """An execution on record that the venue does not know."""
    FILLS_INCOMPLETE = "fills_incomplete"
    """The venue's executions of an order do not add up to what it says is filled (I62)."""
    POSITION = "position"
    """The venue holds something else than our fills add up to."""
    CASH = "cash"
    """The venue's cash is not what our fills leave."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference. `subject` names it for the operator's decision; one kind names it once.

    It is "account", "cash", a symbol, our name of an order that is on record, the venue's of one
    that is not, and for an execution ORDER/EXECUTION. `amount` is the venue's less ours, where it
    is a number.
    """

    kind: DifferenceKind
    subject: str
    found: str
    wanted: str
    amount: Decimal | None = None


def describe(difference: Difference) -> str:
    """The difference in one line, for people."""
    what = difference.kind.value.replace("_", " ")
    if difference.subject not in (ACCOUNT, CASH):
        what += f" {words(difference.subject)}"
    line = f"{what}: found {difference.found}, wanted {difference.wanted}"
    if difference.amount is None:
        return line
    return f"{line} (the venue's less ours: {words(difference.amount)})"


def remedies(kind: DifferenceKind) -> tuple[str, ...]:
    """What an operator may decide about a difference of this kind; nothing: see `advice`.

    "adopt": the record takes over what the venue has, for a bot. "assign": the position is this
    bot's. "exclude": it is none of ours, and is left out of the comparison from now on. "adjust":
    this much cash came or went otherwise than by trading.
    """
    return _WAYS_OUT[kind].remedies


def advice(kind: DifferenceKind) -> str:
    """What to do about a difference of this kind, in one line."""
    return _WAYS_OUT[kind].advice


class _WayOut(msgspec.Struct, frozen=True):
    remedies: tuple[str, ...]
    advice: str


_WAYS_OUT: Mapping[DifferenceKind, _WayOut] = {
    DifferenceKind.ACCOUNT_MISMATCH: _WayOut(
        (),
        "start with the keys of the account on record, or with a state folder of its own",
    ),
    DifferenceKind.ACCOUNT_BLOCKED: _WayOut(
        (),
        "ask the venue why; reconcile once it lets the account trade again",
    ),
    DifferenceKind.FOREIGN_ORDER: _WayOut(
        ("adopt", "exclude"),
        "cancel it at the venue, adopt it for a bot, or exclude it if somebody looks after it",
    ),
    DifferenceKind.UNRECORDED_ORDER: _WayOut(
        ("adopt", "exclude"),
        "find out why the record lost it (an old backup, a second engine), then adopt it",
    ),
    DifferenceKind.MISSING_ORDER: _WayOut(
        ("adopt",),
        "reconcile again; adopt (it is over) if the venue confirms that it has no such order",
    ),
    DifferenceKind.ORDER_CONTENT: _WayOut(
        ("exclude",),
        "cancel it at the venue, exclude it once it is over; position and cash show what it did",
    ),
    DifferenceKind.IMPOSSIBLE_ORDER: _WayOut(
        ("exclude",),
        "ask the venue, exclude it once it is over there; position and cash show what it did",
    ),
    DifferenceKind.FILL_NOT_AT_VENUE: _WayOut(
        ("exclude",),
        "exclude it if the venue took the trade back; position and cash show what that changed",
    ),
    DifferenceKind.FILLS_INCOMPLETE: _WayOut(
        ("exclude",),
        "reconcile again, a page may have been short; exclude it only on the venue's own word",
    ),
    DifferenceKind.POSITION: _WayOut(
        ("assign", "exclude"),
        "assign it to the bot whose it is, at its price, or exclude it if it is none of ours",
    ),
    DifferenceKind.CASH: _WayOut(
        ("adjust",),
        "find out what it is (a deposit, a fee, interest), then adjust by it",
    ),
}
