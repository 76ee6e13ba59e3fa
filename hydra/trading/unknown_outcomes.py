"""Did my order land? The search for orders whose outcome is unknown (I17, I19).

An order is unknown once bytes of it may have left and nothing proves what the venue did: a
time-out, a reset, an answer that cannot be read. It is looked up by its name at +1, +2, +4, +8, +15
and +30 s, and every 10 s from then on. Found, in any status, it has landed, and the search is over.
Not found proves nothing: a venue can accept an order and show it late. Only when at least four
looks over at least 30 s found nothing, and a snapshot of the whole account that was asked for after
them has no such order either, is it given up as absent. Even that is no proof, so an order that
shows up afterwards is told (`Revived`), and halts. What is unresolved after T_UNKNOWN is told too
(`Escalate`), and halts; the search goes on.

Nothing here ever sends an order again, entry or exit (I17). The only gain of a resend is time, and
its price, where "absent" was wrong, is a second order that nobody wanted. A bot that still wants to
reduce decides anew, on the position as it is once the outcome is known.

All times are machine time (monotonic ns). Events must be told in the order in which they happened.
Only orders that the record has as unknown belong here: a proof from before they came is not kept.
"""

from collections.abc import Mapping
from typing import TypeAlias, assert_never

import msgspec
from msgspec import structs

from hydra.trading.durations import SECOND

LOOK_GAPS_NS = tuple(gap * SECOND for gap in (1, 1, 2, 4, 7, 15, 10))
"""From becoming unknown to the first look, from that to the second, and so on; the last repeats."""

MISSING_LOOKS_MIN = 4
MISSING_SPAN_NS = 30 * SECOND
"""From the first look that found nothing to the last one, each counted from when it began."""

LOOK_PATIENCE_NS = 30 * SECOND
"""An answer that is out for longer is lost. More than any call may take (T_REST), so that none can
be taken for the answer to a later look."""


class BecameUnknown(msgspec.Struct, frozen=True):
    """The order may or may not have reached the venue. Told again, it changes nothing."""

    client_order_id: str
    now: int


class Tick(msgspec.Struct, frozen=True):
    """Time has passed; see `next_due`."""

    now: int


class Found(msgspec.Struct, frozen=True):
    """The venue has the order, in whatever status."""

    client_order_id: str


class NotFound(msgspec.Struct, frozen=True):
    """A look found nothing."""

    client_order_id: str
    now: int


class LookFailed(msgspec.Struct, frozen=True):
    """A look could not be made."""

    client_order_id: str
    now: int


class SnapshotWithout(msgspec.Struct, frozen=True):
    """A snapshot of the whole account, asked for at `asked_at`, does not have the order.

    It must reach back to before the order was sent: one that came to an end is to be in it too.
    """

    client_order_id: str
    asked_at: int
    now: int


class Resolved(msgspec.Struct, frozen=True):
    """The order's outcome was proven some other way: the venue's stream, a snapshot that has it."""

    client_order_id: str


Event: TypeAlias = BecameUnknown | Tick | Found | NotFound | LookFailed | SnapshotWithout | Resolved


class LookUp(msgspec.Struct, frozen=True):
    """Look the order up by its name; the answer is `Found`, `NotFound` or `LookFailed`."""

    client_order_id: str


class TakeSnapshot(msgspec.Struct, frozen=True):
    """This order's looks suffice: a snapshot that is asked for from now on can decide on it.

    Told again with every further look that finds nothing, since a snapshot may fail.
    """

    client_order_id: str


class GiveUpAsAbsent(msgspec.Struct, frozen=True):
    """Close the order as absent, which is unproven, and report it."""

    client_order_id: str
    reason: str


class Escalate(msgspec.Struct, frozen=True):
    """Halt: T_UNKNOWN is over. Told once an order; the search goes on."""

    client_order_id: str
    reason: str


class Revived(msgspec.Struct, frozen=True):
    """Halt: the order was given up as absent, and is there."""

    client_order_id: str
    reason: str


Effect: TypeAlias = LookUp | TakeSnapshot | GiveUpAsAbsent | Escalate | Revived


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to find one order. Each look is counted from when it began: its answer may be
    as old as that.
    """

    unknown_since: int
    looks: int = 0
    """How many were begun."""
    look_due: int
    """When the next one is planned."""
    look_out: int | None = None
    """When the look began that has not been answered yet; there is never more than one."""
    missing_looks: int = 0
    """How many found nothing."""
    missing_since: int | None = None
    """When the first of them began."""
    settled_at: int | None = None
    """When there were enough of them: only a snapshot that was asked for later counts."""
    is_escalated: bool = False
    is_given_up: bool = False


class UnknownOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """The searches by client order id, those that were given up included.

    `limit_ns` is T_UNKNOWN: an outcome that is unresolved for so long halts.
    """

    limit_ns: int
    searches: Mapping[str, Search] = {}

    @property
    def next_due(self) -> int | None:
        """When the next `Tick` is wanted; None if nothing is waited for."""
        searches = (self.searches[name] for name in self.unresolved)
        return min((_next_due(search, self.limit_ns) for search in searches), default=None)

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The orders that are still looked for, by name."""
        return tuple(sorted(name for name, s in self.searches.items() if not s.is_given_up))


def after(outcomes: UnknownOutcomes, event: Event) -> tuple[UnknownOutcomes, tuple[Effect, ...]]:
    """The searches once this has happened, and what is to be done about it.

    An event of an order that is not looked for changes nothing.
    """
    match event:
        case BecameUnknown():
            return _begun(outcomes, event), ()
        case Tick():
            return _ticked(outcomes, event.now)
        case Found() | Resolved():
            return _proven(outcomes, event)
        case NotFound() | LookFailed() | SnapshotWithout():
            return _unproven(outcomes, event)
        case _:
            assert_never(event)


def _begun(outcomes: UnknownOutcomes, event: BecameUnknown) -> UnknownOutcomes:
    if event.client_order_id in outcomes.searches:
        return outcomes
    search = Search(unknown_since=event.now, look_due=event.now + LOOK_GAPS_NS[0])
    return _with(outcomes, event.client_order_id, search)


def _ticked(outcomes: UnknownOutcomes, now: int) -> tuple[UnknownOutcomes, tuple[Effect, ...]]:
    effects: list[Effect] = []
    for name in outcomes.unresolved:
        search, escalation = _escalated(name, outcomes, now)
        effects += escalation
        if now >= _look_due(search):
            effects.append(LookUp(name))
            search = _looking(search, now)
        outcomes = _with(outcomes, name, search)
    return outcomes, tuple(effects)


def _proven(
    outcomes: UnknownOutcomes, event: Found | Resolved
) -> tuple[UnknownOutcomes, tuple[Effect, ...]]:
    name = event.client_order_id
    search = outcomes.searches.get(name)
    if search is None:
        return outcomes, ()
    others = {other: kept for other, kept in outcomes.searches.items() if other != name}
    effects = (Revived(name, "given up as absent, and now it is there"),)
    return structs.replace(outcomes, searches=others), effects if search.is_given_up else ()


def _unproven(
    outcomes: UnknownOutcomes, event: NotFound | LookFailed | SnapshotWithout
) -> tuple[UnknownOutcomes, tuple[Effect, ...]]:
    name = event.client_order_id
    search = outcomes.searches.get(name)
    if search is None or search.is_given_up:
        return outcomes, ()
    search, effects = _escalated(name, outcomes, event.now)
    match event:
        case NotFound():
            search = _missed(search, event.now)
            if search.settled_at is not None:
                effects += (TakeSnapshot(name),)
        case LookFailed():
            search = structs.replace(search, look_out=None)
        case SnapshotWithout():
            if search.settled_at is not None and event.asked_at >= search.settled_at:
                search = structs.replace(search, is_given_up=True)
                effects += (GiveUpAsAbsent(name, _absence(search, event.now)),)
    return _with(outcomes, name, search), effects


def _escalated(name: str, outcomes: UnknownOutcomes, now: int) -> tuple[Search, tuple[Effect, ...]]:
    search = outcomes.searches[name]
    unknown_ns = now - search.unknown_since
    if search.is_escalated or unknown_ns < outcomes.limit_ns:
        return search, ()
    reason = (
        f"unknown for {unknown_ns // SECOND} s, at most {outcomes.limit_ns // SECOND} s allowed;"
        f" {search.looks} looks, {search.missing_looks} of them found nothing"
    )
    return structs.replace(search, is_escalated=True), (Escalate(name, reason),)


def _looking(search: Search, now: int) -> Search:
    """Each gap counts from when the look before it began, so late looks never come in a bunch."""
    looks = search.looks + 1
    gap = LOOK_GAPS_NS[min(looks, len(LOOK_GAPS_NS) - 1)]
    return structs.replace(search, looks=looks, look_due=now + gap, look_out=now)


def _missed(search: Search, now: int) -> Search:
    """The look that is out found nothing. If none is, the answer is that of one long lost."""
    begun = search.look_out
    if begun is None:
        return search
    since = begun if search.missing_since is None else search.missing_since
    missing, settled_at = search.missing_looks + 1, search.settled_at
    suffices = missing >= MISSING_LOOKS_MIN and begun - since >= MISSING_SPAN_NS
    if suffices and settled_at is None:
        settled_at = now
    return structs.replace(
        search,
        look_out=None,
        missing_looks=missing,
        missing_since=since,
        settled_at=settled_at,
    )


def _absence(search: Search, now: int) -> str:
    return (
        f"{search.missing_looks} looks found nothing, and neither did a snapshot after them,"
        f" {(now - search.unknown_since) // SECOND} s after it became unknown: absent, unproven"
    )


def _look_due(search: Search) -> int:
    """When the next look may begin: not before the one that is out is answered, or lost."""
    if search.look_out is None:
        return search.look_due
    return max(search.look_due, search.look_out + LOOK_PATIENCE_NS)


def _next_due(search: Search, limit_ns: int) -> int:
    if search.is_escalated:
        return _look_due(search)
    return min(_look_due(search), search.unknown_since + limit_ns)


def _with(outcomes: UnknownOutcomes, name: str, search: Search) -> UnknownOutcomes:
    return structs.replace(outcomes, searches={**outcomes.searches, name: search})
