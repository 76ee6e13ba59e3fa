"""One execution under two names: the stream's, and that of the venue's list of executions.

They are the same in all that was ever seen, and nobody has promised it. An execution that is booked
under both counts twice. Within one process the adapter sees to that, whichever comes first
(`execution_names`); what an earlier one was told is on record alone. So what is listed under a name
that is not on record is held against what is on record and not listed: where it is the same part of
the order (up to the same cumulative quantity, of the same size and price) it is that execution. And
what cannot be news, since with it more would be executed than the venue says is filled, is not
booked: it is a difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import TypeAlias

from msgspec import structs

from hydra.trading.amounts import is_amount
from hydra.trading.exact import add, total
from hydra.trading.orders import Fill
from hydra.trading.reconciliation import RecordView
from hydra.trading.venue_view import VenueSnapshot
from hydra.trading.venue_word import in_time
from hydra.trading.watermark import must_be_listed

Part: TypeAlias = tuple[Decimal, Decimal, Decimal]
"""Of an order: its cumulative quantity with this execution, and the execution's own and price."""


def in_our_names(record: RecordView, snapshot: VenueSnapshot) -> VenueSnapshot:
    """The snapshot, with each execution that is on record under the name that it has there."""
    on_record = _by_order(record.fills)
    names: dict[tuple[str, str], str] = {}
    for order, listed in _by_order(snapshot.fills).items():
        for theirs, ours in _pairs(on_record.get(order, []), listed, snapshot.since):
            names[order, theirs.execution_id] = ours.execution_id
    if not names:
        return snapshot
    fills = tuple(
        structs.replace(fill, execution_id=names.get(_key(fill), fill.execution_id))
        for fill in snapshot.fills
    )
    return structs.replace(snapshot, fills=fills)


def without_surplus(record: RecordView, snapshot: VenueSnapshot) -> VenueSnapshot:
    """The snapshot, without those executions of an order that are not on record, where they cannot
    all be news: what is on record besides is not listed, and is filled already.
    """
    on_record = _by_order(record.fills)
    filled: dict[str, Decimal] = {
        each.order.client_order_id: each.filled_quantity for each in snapshot.orders
    }
    surplus: set[tuple[str, str]] = set()
    for order, listed in _by_order(snapshot.fills).items():
        known = on_record.get(order, [])
        if order in filled and _is_too_much(known, listed, filled[order], snapshot.since):
            surplus |= set(map(_key, listed)) - set(map(_key, known))
    if not surplus:
        return snapshot
    fills = tuple(fill for fill in snapshot.fills if _key(fill) not in surplus)
    return structs.replace(snapshot, fills=fills)


def _key(fill: Fill) -> tuple[str, str]:
    """Executions are named within their order (I23)."""
    return fill.client_order_id, fill.execution_id


def _pairs(
    on_record: Sequence[Fill], listed: Sequence[Fill], since: int
) -> Iterator[tuple[Fill, Fill]]:
    ours = {fill.execution_id for fill in on_record}
    theirs = {fill.execution_id for fill in listed}
    if theirs <= ours or ours <= theirs or not _are_amounts([*on_record, *listed]):
        return
    earlier = _of_before(on_record, theirs, since)
    unlisted = {
        part: fill
        for part, fill in _parts(on_record)
        if fill.execution_id not in theirs and fill not in earlier
    }
    for part, fill in _parts([*earlier, *listed]):
        if fill.execution_id not in ours and part in unlisted:
            yield fill, unlisted[part]


def _parts(fills: Iterable[Fill]) -> Iterator[tuple[Part, Fill]]:
    in_order = sorted(fills, key=in_time)
    sums = accumulate((fill.quantity for fill in in_order), add)
    for cumulative, fill in zip(sums, in_order, strict=True):
        yield (cumulative, fill.quantity, fill.price), fill


def _is_too_much(
    on_record: Sequence[Fill], listed: Sequence[Fill], filled: Decimal, since: int
) -> bool:
    ours = {fill.execution_id for fill in on_record}
    theirs = {fill.execution_id for fill in listed}
    if theirs <= ours or ours <= theirs or not _are_amounts([*on_record, *listed]):
        return False
    news = [fill for fill in listed if fill.execution_id not in ours]
    earlier = _of_before(on_record, theirs, since)
    by_list = total(fill.quantity for fill in [*earlier, *listed])
    together = total(fill.quantity for fill in [*on_record, *news])
    # The list of orders may be late itself.
    return is_amount(filled) and together > max(filled, by_list)


def _of_before(on_record: Iterable[Fill], listed: set[str], since: int) -> list[Fill]:
    """Those that need not be listed any more, and are not."""
    return [
        fill
        for fill in on_record
        if fill.execution_id not in listed and not must_be_listed(fill.at, since)
    ]


def _are_amounts(fills: Iterable[Fill]) -> bool:
    return all(is_amount(fill.quantity) and is_amount(fill.price) for fill in fills)


def _by_order(fills: Iterable[Fill]) -> Mapping[str, list[Fill]]:
    by_order: defaultdict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        by_order[fill.client_order_id].append(fill)
    return by_order
