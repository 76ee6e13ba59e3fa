"""What one bot has in one symbol: fills, working orders, and what it did in the session.

Told what is on record, and then every report, it knows what is held and what may still trade. It
decides nothing, and asks nobody.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import multiply, subtract
from hydra.trading.fees import Fee
from hydra.trading.instruments import is_crypto
from hydra.trading.inventory import FifoInventory, FillBook
from hydra.trading.orders import DecisionKey, Fill, OrderType, RecordedOrder, Role, TimeInForce
from hydra.trading.sub_ledgers import BotInventory

ZERO = Decimal(0)
_AT_ONCE = TimeInForce.IOC


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is, or may be, live. `left`: what of it is not executed.

    `accepted_at`: since when the venue is known to have it (market time); None: it is not. What is
    found on record counts as accepted long ago. `rests`: it waits for a price, maybe for ever.
    """

    decision: DecisionKey
    left: Decimal
    stop_price: Decimal | None = None
    accepted_at: int | None = None
    rests: bool = False


class SymbolBook:
    """One bot's book in one symbol.

    Signals and entries are counted by session, and what is on record of it counts: so limits hold
    over a restart. An entry that was denied, or stopped at the gate, is no trade, and counts for
    nothing.
    """

    def __init__(self, bot: str, symbol: str, quantity_step: Decimal) -> None:
        self.bot = bot
        self.symbol = symbol
        self.session: str | None = None
        """The date that decisions bear (ISO, so that the later is the greater); None: no session
        has begun.
        """
        self.signals = 0
        self.entries = 0
        self.working: dict[DecisionKey, Working] = {}
        self.stopped_at = 0
        """When a protective order last executed (market time)."""
        self.entered_at = 0
        """When an entry last executed."""
        self._step = quantity_step
        self._is_coin = is_crypto(symbol)
        self._fills = FillBook(symbol)
        self._decisions: dict[str, DecisionKey] = {}
        """By the name of the order, of all that are on record or were executed since."""
        self._recovered: tuple[RecordedOrder, ...] = ()
        self._given_up: dict[DecisionKey, Working] = {}
        """What could not be found, and so counts as over until the venue speaks of it."""

    @property
    def inventory(self) -> FifoInventory:
        """The open lots, oldest first."""
        return self._fills.inventory

    @property
    def position(self) -> Decimal:
        """Signed: what it holds, or is short of."""
        return self._fills.position

    @property
    def average_price(self) -> Decimal | None:
        """See `FifoInventory.average_price`."""
        return self._fills.average_price

    @property
    def realised(self) -> Decimal:
        """What was made of all that was closed, in the currency of the prices."""
        return self._fills.realised

    @property
    def is_idle(self) -> bool:
        """Nothing is held and nothing works: so it is at most bars."""
        return not self.working and not self._fills.inventory.lots

    @property
    def sellable(self) -> Decimal:
        """What it holds; of coins in whole steps, since a fee may leave less than one: dust."""
        position = self._fills.position
        return multiply(position // self._step, self._step) if self._is_coin else position

    @property
    def is_leaving(self) -> bool:
        """Whether an order is working that closes what is held, now: none that waits for a price,
        as a stop does, or a limit order that an operator adopted.
        """
        return bool(self.leaving)

    @property
    def leaving(self) -> tuple[Working, ...]:
        """What closes something now."""
        return tuple(
            each
            for decision, each in self.working.items()
            if decision.role.reduces and not each.rests
        )

    @property
    def resting(self) -> tuple[Working, ...]:
        """What would close something at a price that may never come: an exit goes before it."""
        return tuple(
            each for decision, each in self.working.items() if decision.role.reduces and each.rests
        )

    @property
    def positions(self) -> int:
        """How many entries are not closed: parts of one order are one, what was assigned is one."""
        return len({self._fills.order_of(lot.execution_id) for lot in self.inventory.lots})

    @property
    def held_by(self) -> frozenset[DecisionKey]:
        """The decisions that what is held comes from; what was assigned comes from none."""
        names = (self._fills.order_of(lot.execution_id) for lot in self.inventory.lots)
        return frozenset(self._decisions[name] for name in names if name in self._decisions)

    def working_as(self, *roles: Role) -> tuple[Working, ...]:
        """The working orders of these roles, oldest first."""
        if not self.working:
            return ()
        return tuple(each for each in self.working.values() if each.decision.role in roles)

    def begin_session(self, session: str) -> bool:
        """Count anew if this is a later session than the last; gives whether it is.

        One that is over never comes back, as with bars that were missed and come after the next
        opening: else the later one's numbers would be given twice.
        """
        if self.session is not None and session <= self.session:
            return False
        self.session = session
        self.signals = self.entries = 0
        self._count_recovered()
        return True

    def next_decision(self, role: Role) -> DecisionKey:
        """The key of the next wish to trade: each is given once. A session must have begun."""
        assert self.session is not None, "decisions are named after their session"
        self.signals += 1
        self.entries += role is Role.ENTRY
        return DecisionKey(
            bot=self.bot,
            symbol=self.symbol,
            session=self.session,
            signal=self.signals,
            role=role,
        )

    def is_own(self, decision: DecisionKey) -> bool:
        """Whether the decision was taken here, in this session: others may trade in a bot's name.

        (An operator's flatten does, and the exit bot, and orders can be adopted for it.)
        """
        return decision.session == self.session and 0 < decision.signal <= self.signals

    def intended(
        self, decision: DecisionKey, quantity: Decimal, stop_price: Decimal | None = None
    ) -> None:
        """The guardian is told: until it is denied, or over, it may trade so much."""
        self.working[decision] = Working(
            decision=decision,
            left=quantity,
            stop_price=stop_price,
            rests=decision.role is Role.PROTECT,
        )

    def accepted(self, decision: DecisionKey, at: int) -> None:
        """The venue has it, also after it was given up."""
        known = self._heard_of(decision)
        if known is not None and known.accepted_at is None:
            self.working[decision] = structs.replace(known, accepted_at=at)

    def filled(self, decision: DecisionKey, fill: Fill, fee: Fee | None) -> None:
        """Book an execution, once however often it is told. Raises `BadFill` for what cannot be."""
        is_news = not self._fills.knows(fill)
        self._fills.book(fill, fee)
        self._decisions[fill.client_order_id] = decision
        if decision.role is Role.PROTECT:
            self.stopped_at = max(self.stopped_at, fill.at)
        if decision.role is Role.ENTRY:
            self.entered_at = max(self.entered_at, fill.at)
        known = self._heard_of(decision) if is_news else None
        if known is None:
            return
        left = subtract(known.left, fill.quantity)
        if left > 0:
            at = fill.at if known.accepted_at is None else known.accepted_at
            self.working[decision] = structs.replace(known, left=left, accepted_at=at)
        else:
            del self.working[decision]

    def ended(self, decision: DecisionKey) -> Working | None:
        """Nothing more is to be expected of the order; gives what was left, None if it was over."""
        self._given_up.pop(decision, None)
        return self.working.pop(decision, None)

    def given_up(self, decision: DecisionKey) -> None:
        """It could not be found for so long that it counts as over, which is no proof."""
        known = self.working.pop(decision, None)
        if known is not None:
            self._given_up[decision] = known

    def denied(self, decision: DecisionKey) -> None:
        """The guardian refused it: nothing comes of it, and of an entry no trade of the day."""
        self._came_to_nothing(decision)

    def withheld(self, decision: DecisionKey) -> None:
        """It was approved, and stopped at the gate: it was never sent, as if it had been denied."""
        self._came_to_nothing(decision)

    def _came_to_nothing(self, decision: DecisionKey) -> None:
        was_open = self.ended(decision) is not None
        if was_open and decision.role is Role.ENTRY and decision.session == self.session:
            self.entries -= 1

    def recover(
        self,
        orders: Iterable[RecordedOrder],
        fills: Iterable[Fill],
        held: Iterable[BotInventory],
        realised: Decimal,
    ) -> None:
        """Begin anew from the record of the bot, of which other symbols are left out.

        Positions are as the ledger has them. The fills are there to be known again, should one be
        told twice.
        """
        mine = [order for order in orders if order.decision.symbol == self.symbol]
        roles = {o.order.client_order_id: o.decision.role for o in mine}
        book = FillBook(self.symbol)
        for fill in fills:
            if fill.symbol == self.symbol:
                book.book(fill)
                role = roles.get(fill.client_order_id)
                if role is Role.PROTECT:
                    self.stopped_at = max(self.stopped_at, fill.at)
                if role is Role.ENTRY:
                    self.entered_at = max(self.entered_at, fill.at)
        inventories = {each.inventory.symbol: each.inventory for each in held}
        book.inventory = inventories.get(self.symbol, FifoInventory(self.symbol))
        book.realised = realised
        self._fills = book
        self.working = {order.decision: _working(order) for order in mine if order.is_open}
        self._given_up = {order.decision: _working(order) for order in mine if order.is_absent}
        self._decisions = {order.order.client_order_id: order.decision for order in mine}
        self._recovered = tuple(mine)
        signals, entries = self.signals, self.entries
        self.signals = self.entries = 0
        self._count_recovered()
        # What was decided since the start may not be on record yet, and counts all the same.
        self.signals, self.entries = max(self.signals, signals), max(self.entries, entries)

    def _heard_of(self, decision: DecisionKey) -> Working | None:
        """The order, if it works: what was given up does again, since the venue speaks of it."""
        given_up = self._given_up.pop(decision, None)
        if given_up is not None:
            self.working[decision] = given_up
        return self.working.get(decision)

    def _count_recovered(self) -> None:
        for order in self._recovered:
            decision = order.decision
            if decision.session == self.session:
                self.signals = max(self.signals, decision.signal)
                self.entries += decision.role is Role.ENTRY and not order.is_withheld

    def state_view(self) -> Mapping[str, object]:
        """Position, what is working, counters: for people."""
        return {
            "position": str(self.inventory.position),
            "realised": str(self.realised),
            "working": [
                f"{key.role.value} {key.signal}: {each.left}" for key, each in self.working.items()
            ],
            "entries_today": self.entries,
            "signals_today": self.signals,
            "session": self.session,
        }


def _working(recorded: RecordedOrder) -> Working:
    order = recorded.order
    return Working(
        decision=recorded.decision,
        left=subtract(order.quantity, recorded.filled_quantity),
        stop_price=order.stop_price,
        accepted_at=0,
        rests=recorded.decision.role is Role.PROTECT
        or (order.order_type is not OrderType.MARKET and order.time_in_force is not _AT_ONCE),
    )
