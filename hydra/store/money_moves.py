"""What moved the money of each bot, event by event, as a ledger has it from its beginning.

The tables say where it has come to; a bridge between two days needs how. The rule is that of
`projections`, and what it comes to is held against the tables each time.
"""

from collections import defaultdict
from decimal import Decimal

import apsw

from hydra.store import projections
from hydra.store.checking import LedgerDamaged
from hydra.store.events import AccountOpened, FeeAccrued, FeesObserved, PositionAssigned, decoded
from hydra.store.ledger_facts import require_current
from hydra.store.operator_acts import as_if_executed
from hydra.store.reading import Records
from hydra.trading.account_moves import BookedMove, MoveKind, Opening, RecordSide
from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.fees import USD, Fee, FeeBasis, seen
from hydra.trading.instruments import value_of
from hydra.trading.inventory import FifoInventory, fee_lot
from hydra.trading.orders import Fill
from messages.orders import OrderFilled

ZERO = Decimal(0)
_EVENTS = (
    "SELECT seq, at, body FROM events"
    " WHERE kind IN ('OrderFilled', 'PositionAssigned', 'FeeAccrued', 'FeesObserved') ORDER BY seq"
)
_OPENED = "SELECT at, body FROM events WHERE kind = 'AccountOpened'"
_LAST = "SELECT at FROM events ORDER BY seq DESC LIMIT 1"
_UNNAMED = (
    "SELECT client_order_id FROM orders WHERE venue_order_id IS NULL"
    " AND status IN ('attempted', 'unknown', 'absent') ORDER BY intended_seq"
)
_NAMES = "SELECT venue_order_id, client_order_id FROM orders WHERE venue_order_id IS NOT NULL"


def record_side(connection: apsw.Connection) -> RecordSide:
    """All that a bridge needs of this ledger.

    Raises `LedgerDamaged`, what `require_current` raises, and what apsw raises.
    """
    require_current(connection)
    records = Records(connection)
    book = _Book({fill.seq: fill.bot for fill in records.each_fill()})
    for seq, at, body in connection.execute(_EVENTS):
        book.take(seq, at, body)
    book.require_agrees(records)
    fees = [each.fee for each in records.each_fee()]
    unbooked: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fee in fees:
        unbooked[fee.asset, fee.symbol] = add(unbooked[fee.asset, fee.symbol], fee.unbooked)
    return RecordSide(
        moves=tuple(book.moves),
        names={str(theirs): str(ours) for theirs, ours in connection.execute(_NAMES)},
        booked=frozenset(each.charge.activity_id for each in records.fee_bookings()),
        unbooked=dict(unbooked),
        unseen=sum(fee.basis is FeeBasis.ACCRUED for fee in fees),
        account=records.facts().get(projections.ACCOUNT),
        life=records.link_at(1) or "",
        opening=_opening(connection),
        unnamed=tuple(str(name) for (name,) in connection.execute(_UNNAMED)),
        last_at=next((at for (at,) in connection.execute(_LAST)), 0),
    )


def _opening(connection: apsw.Connection) -> Opening | None:
    for at, body in connection.execute(_OPENED):
        event = decoded(body)
        assert isinstance(event, AccountOpened), "no other was asked for"
        return Opening(event.cash, at)
    return None


class _Book:
    """What every bot holds, event after event, and the moves that led to it."""

    def __init__(self, bots: dict[int, str]) -> None:
        """`bots`: whose the execution is that an event counted."""
        self.moves: list[BookedMove] = []
        self._bots = bots
        self._inventories: dict[tuple[str, str], FifoInventory] = {}
        self._fees: dict[tuple[str, str], Fee] = {}

    def take(self, seq: int, at: int, body: bytes) -> None:
        """The next event."""
        match decoded(body):
            case OrderFilled(fill=fill):
                if seq in self._bots:  # else it was told again, and counted the first time
                    self._trade(MoveKind.EXECUTION, self._bots[seq], fill, fill.at)
            case PositionAssigned() as assigned:
                as_if = as_if_executed(assigned, seq, at)
                self._trade(MoveKind.ASSIGNED, assigned.bot, as_if, at)
            case FeeAccrued(fee=fee):
                self._fees[fee.client_order_id, fee.execution_id] = fee
                self._pay(fee, fee.amount)
            case FeesObserved(observation=observation):
                for change in observation.changes:
                    name = (change.client_order_id, change.execution_id)
                    before = self._fees[name]
                    after = self._fees[name] = seen(before, change.amount)
                    more = subtract(after.amount, before.amount)
                    self._pay(before, add(more, change.dust))
                    if change.dust:
                        self._put(MoveKind.DUST, before, change.dust, ZERO, ZERO)
            case _:
                pass  # no other was asked for

    def require_agrees(self, records: Records) -> None:
        """Raise `LedgerDamaged` unless all of it comes to what the tables say."""
        realised: defaultdict[str, Decimal] = defaultdict(Decimal)
        for move in self.moves:
            realised[move.bot] = add(realised[move.bot], move.realised)
        tables = {each.bot: each.realised for each in records.sub_ledgers() if each.realised}
        held = {(each.bot, each.inventory.symbol): each.inventory for each in records.inventories()}
        found = {bot: amount for bot, amount in realised.items() if amount}
        if found != tables or self._inventories != held:
            raise LedgerDamaged(
                "the events of the ledger do not come to what its tables say of bots' money;"
                " `hydra-trader verify` looks at all of it"
            )

    def _trade(self, kind: MoveKind, bot: str, fill: Fill, at: int) -> None:
        held = self._inventories.get((bot, fill.symbol), FifoInventory(fill.symbol))
        self._inventories[bot, fill.symbol], closed = held.apply(fill)
        quantity = multiply(fill.quantity, Decimal(fill.side.sign))
        self.moves.append(
            BookedMove(
                kind=kind,
                bot=bot,
                symbol=fill.symbol,
                at=at,
                order=fill.client_order_id,
                execution_id=fill.execution_id,
                quantity=quantity,
                cash=value_of(fill.symbol, quantity, fill.price).copy_negate(),
                realised=total(lot.realised for lot in closed),
                price=fill.price,
            )
        )

    def _pay(self, fee: Fee, amount: Decimal) -> None:
        """So much more of the fee's asset (below zero: less) is taken from its bot."""
        if not amount:
            return
        less = amount.copy_negate()
        if fee.asset == USD:
            self._put(MoveKind.FEE, fee, ZERO, less, less)
            return
        key, lot = (fee.bot, fee.symbol), fee_lot(fee.execution_id)
        inventory = self._inventories.get(key, FifoInventory(fee.symbol))
        if amount > 0:
            self._inventories[key], made = inventory.charged(amount, fee.at, lot)
        else:
            self._inventories[key], made = inventory.credited(less, fee.at, lot)
        self._put(MoveKind.FEE, fee, less, ZERO, made)

    def _put(
        self, kind: MoveKind, fee: Fee, quantity: Decimal, cash: Decimal, realised: Decimal
    ) -> None:
        self.moves.append(
            BookedMove(
                kind=kind,
                bot=fee.bot,
                symbol=fee.symbol,
                at=fee.at,
                order=fee.client_order_id,
                execution_id=fee.execution_id,
                quantity=quantity,
                cash=cash,
                realised=realised,
            )
        )
