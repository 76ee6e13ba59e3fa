"""Comparing what we have on record with what the venue says (I29, I60 to I62).

Both sides are to be of one instant: all that the venue reported before the snapshot is on record,
and nothing that it reported after it. What the snapshot knows and the record does not is taken up
first (`venue_word.events_of`); what cannot be taken up, and all that does not agree even then, is a
`Difference`. Nothing is made up to close one (I61): a person decides (`differences.remedies`).

Amounts are compared exactly. What cannot be an amount is a difference, and never an exception:
what a venue sends may be anything.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec

from hydra.trading.amounts import excess
from hydra.trading.differences import ACCOUNT, CASH, Difference, DifferenceKind
from hydra.trading.echo import words
from hydra.trading.option_expiry import is_over
from hydra.trading.option_symbols import parsed
from hydra.trading.order_differences import order_differences, over_and_left_alone
from hydra.trading.order_life import OrderState
from hydra.trading.orders import Fill
from hydra.trading.sessions import SessionTable
from hydra.trading.venue_view import VenueAccount, VenuePosition, VenueSnapshot

ZERO = Decimal(0)


class RecordView(msgspec.Struct, frozen=True, kw_only=True):
    """Our side of the comparison.

    `orders` by client order id: all that are open on record, and all that the snapshot names.
    `fills`: every execution of these orders. `positions` sum all bots. What an operator excluded
    by name: `excluded_orders` are subjects of differences that speak of orders (one of ours is left
    out only while the venue says that it is over), `excluded_positions` signed quantities.
    `opening_cash` None: the account was never compared before, so its cash is taken as it is.
    """

    account: str | None
    opening_cash: Decimal | None
    cash: Decimal
    """What all sub-ledgers and accepted adjustments add up to, without the opening cash."""
    orders: Mapping[str, OrderState]
    fills: tuple[Fill, ...]
    positions: Mapping[str, Decimal]
    excluded_orders: frozenset[str] = frozenset()
    excluded_positions: Mapping[str, Decimal] = {}


def compare(record: RecordView, snapshot: VenueSnapshot) -> tuple[Difference, ...]:
    """Every difference, by kind and then by subject; none: they agree in everything.

    That the venue does not have an order which was sent, or whose outcome is unknown, is none:
    nothing is proven of it (see `unknown_outcomes`).
    """
    differences = [
        *_account_differences(record.account, snapshot.account),
        *order_differences(record.orders, record.fills, record.excluded_orders, snapshot),
        *_position_differences(record, snapshot.positions),
        *_cash_differences(record, snapshot.account.cash),
    ]
    return tuple(sorted(differences, key=_place))


def lapsed(record: RecordView, snapshot: VenueSnapshot, sessions: SessionTable) -> tuple[str, ...]:
    """The contracts left alone whose last session is over and of which the venue holds none any
    more: they have expired, or were exercised, and there is nothing to be left alone.

    What became of them, shares and cash, is a difference like any other.
    """
    held = {position.symbol for position in snapshot.positions if position.quantity != 0}
    contracts = ((symbol, parsed(symbol)) for symbol in sorted(record.excluded_positions))
    return tuple(
        symbol
        for symbol, contract in contracts
        if contract is not None
        and symbol not in held
        and is_over(contract.expiration, sessions, snapshot.at)
    )


def ended_by_exclusion(record: RecordView, snapshot: VenueSnapshot) -> tuple[str, ...]:
    """The names of our orders that are over because an operator excluded how they ended.

    What the venue says of their end cannot be booked (more filled than was ordered, "filled" and no
    execution listed), so without that word they would count as open, and be waited for, for ever.
    What is excluded while the order works on ends it when the venue says that it is over. Of an
    account that is not ours nothing follows.
    """
    if record.account not in (None, snapshot.account.account):
        return ()
    return over_and_left_alone(record.orders, record.excluded_orders, snapshot)


def _account_differences(account: str | None, venue: VenueAccount) -> Iterator[Difference]:
    if not venue.account or account not in (None, venue.account):
        yield Difference(
            kind=DifferenceKind.ACCOUNT_MISMATCH,
            subject=ACCOUNT,
            found=f"account {words(venue.account)}",
            wanted="an account with a name" if account is None else f"account {words(account)}",
        )
    if venue.blocked:
        yield Difference(
            kind=DifferenceKind.ACCOUNT_BLOCKED,
            subject=ACCOUNT,
            found=words(venue.blocked),
            wanted="an account that may trade",
        )


def _position_differences(
    record: RecordView, positions: Iterable[VenuePosition]
) -> Iterator[Difference]:
    """Holding nothing of a symbol, and not naming it, are the same; naming it twice is not."""
    held: defaultdict[str, list[Decimal]] = defaultdict(list)
    for position in positions:
        held[position.symbol].append(position.quantity)
    for symbol in {*held, *record.positions, *record.excluded_positions}:
        ours = record.positions.get(symbol, ZERO)
        excluded = record.excluded_positions.get(symbol, ZERO)
        quantities = held[symbol] or [ZERO]
        is_clear = len(quantities) == 1
        amount = excess(quantities[0], ours, excluded) if is_clear else None
        if amount is None or amount != 0:
            yield Difference(
                kind=DifferenceKind.POSITION,
                subject=symbol,
                found=" and ".join(sorted(map(words, quantities))) + " held",
                wanted=f"{words(ours)} by our fills and {words(excluded)} excluded",
                amount=amount,
            )


def _cash_differences(record: RecordView, cash: Decimal) -> Iterator[Difference]:
    opening = record.opening_cash
    if opening is None:
        amount, wanted = excess(cash, cash), "an amount"
    else:
        amount = excess(cash, opening, record.cash)
        wanted = f"{words(opening)} at first and {words(record.cash)} since"
    if amount is None or amount != 0:
        yield Difference(
            kind=DifferenceKind.CASH, subject=CASH, found=words(cash), wanted=wanted, amount=amount
        )


def _place(difference: Difference) -> tuple[int, str, str]:
    return _RANKS[difference.kind], difference.subject, difference.found


_RANKS = {kind: rank for rank, kind in enumerate(DifferenceKind)}
