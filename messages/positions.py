"""What is on record: asked for at every start, because a crash forgets everything."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from hydra.trading.differences import DifferenceKind
from hydra.trading.order_life import OrderState
from hydra.trading.orders import DecisionKey, Fill, RecordedOrder
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger
from hydra.trading.trading_state import Cause
from messages.message import Message
from messages.orders import OrderIntent


class RecoverBook(Message, frozen=True, kw_only=True):
    """Ask what is on record: of one bot, or (None) of all.

    A bot asks through the guardian, behind the intents it told it before: so the answer has them.
    `reply_to` is the path that is told the answer, without it it is the reply to the question.
    `asked_by` is the incarnation that asked, and `number` counts its questions: only the newest
    one's answer has everything that was told before it.
    """

    bot: str | None = None
    reply_to: str | None = None
    asked_by: int = 0
    number: int = 0


class BookRecovered(Message, frozen=True, kw_only=True):
    """The orders in the order they were stored, and their fills in the order of booking.

    Of what is over only what may matter yet: the newest sessions, what was executed lately, and
    what the positions come from. All that there ever was would take the longer the older the record
    is, and the persister does nothing else meanwhile.

    A position that an operator assigned is in no fill. So who trades goes by `held`, which has it,
    by bot and symbol, and by `realised`, which is what was made of all that was closed.
    """

    orders: tuple[RecordedOrder, ...]
    fills: tuple[Fill, ...]
    held: tuple[BotInventory, ...] = ()
    realised: Decimal = Decimal(0)
    trail: str = ""
    """How far the bot's trailing stop had come, as it put it on record; "" if nothing is."""
    hit_stops: str = ""
    """Which stops were hit, of whatever bots, as the exit bot put it on record."""
    asked_out: str = ""
    """Whose end the bot had asked for, as it put it on record; "" if nothing is."""
    asked_by: int = 0
    number: int = 0


class BookChanged(Message, frozen=True, kw_only=True):
    """To the bots: recover again what is on record of you. The persister says so when an operator
    changed it, or what a fee turned out to be; the guardian when it was started again, since what
    it was handling when it failed got no answer. To one bot alone the guardian says so when that
    wants what it was approved for before.
    """


BOOK_CHANGED_TOPIC = "book-changed"
"""Where `BookChanged` is published; by the persister behind its own word to the guardian."""


class RecoveryOverdue(Message, frozen=True, kw_only=True):
    """A bot's word to itself: the answer should have come."""


class GuardedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as the guardian needs it. `attempted_at` is market time, None if it never was."""

    intent: OrderIntent
    state: OrderState
    attempted_at: int | None


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A difference that an operator leaves alone by name.

    `subject` is that of the `Difference`. `quantity` (signed) is how much of a position is left
    alone, None for all other kinds.
    """

    kind: DifferenceKind
    subject: str
    quantity: Decimal | None
    reason: str
    operator: str


def orders_left_alone(exclusions: Iterable[Exclusion]) -> frozenset[str]:
    """The orders among them, by the venue's name."""
    return frozenset(
        each.subject for each in exclusions if each.kind is not DifferenceKind.POSITION
    )


def positions_left_alone(exclusions: Iterable[Exclusion]) -> dict[str, Decimal]:
    """By symbol, how much of the position (signed)."""
    return {each.subject: each.quantity for each in exclusions if each.quantity is not None}


class RecoverGuardian(Message, frozen=True, kw_only=True):
    """Ask for everything that the guardian's counts are rebuilt from, in this session.

    `entries_since` (market time): of the session before also the entries from then on.
    """

    session: str
    entries_since: int | None = None


class GuardianRecord(Message, frozen=True, kw_only=True):
    """Everything that the risk guardian knows and that must survive it (I38).

    Orders are in the order they were recorded, everything else by name. `orders` are those of the
    session; `open_orders` are of any session, so those of this one are in both. `given_up` are the
    absent ones of all other sessions: that they are is not proven. `earlier` are the entries of the
    session before that were asked for.
    """

    session: str
    inventories: tuple[BotInventory, ...]
    """Also those that are flat by now."""
    stops: Mapping[str, Decimal]
    """Where the lots that are open would be given up, by the execution that opened each; a lot
    that is not named has no such price.
    """
    open_orders: tuple[GuardedOrder, ...]
    orders: tuple[GuardedOrder, ...]
    sub_ledgers: tuple[SubLedger, ...]
    """`UNATTRIBUTED` may be among them."""
    counters: tuple[SessionCounters, ...]
    budgets: Mapping[str, Decimal]
    """What each bot was granted for the session."""
    halts: tuple[Cause, ...]
    """The oldest first."""
    values: Mapping[str, str]
    opening_cash: Decimal | None
    """None: the account was never looked at."""
    exclusions: tuple[Exclusion, ...]
    earlier: tuple[GuardedOrder, ...] = ()
    given_up: tuple[GuardedOrder, ...] = ()


class RecoverOpenOrders(Message, frozen=True, kw_only=True):
    """Ask which orders may be at the venue."""


class OpenOrdersRecovered(Message, frozen=True, kw_only=True):
    """They, in the order they were recorded."""

    orders: tuple[GuardedOrder, ...]


class RecoverValue(Message, frozen=True, kw_only=True):
    """Ask for the value that is on record under a key."""

    key: str


class ValueRecovered(Message, frozen=True, kw_only=True):
    """It; "" if there is none."""

    value: str


class RecoverSignals(Message, frozen=True, kw_only=True):
    """Ask which of these outside signals led to an order of the bot, ever; by their numbers.

    Few at a time: each takes a look into the record, and the persister does nothing else meanwhile.
    """

    bot: str
    numbers: tuple[int, ...]


class SignalsRecovered(Message, frozen=True, kw_only=True):
    """What they led to, by the number of those that did."""

    decisions: Mapping[int, DecisionKey]


class ReportPositions(Message, frozen=True, kw_only=True):
    """Ask the guardian who holds what, and what is on its way."""


class PositionsReported(Message, frozen=True, kw_only=True):
    """Positions as (bot, symbol, signed quantity), and the names of all orders that are open.

    `excluded_positions` are quantities (signed) by symbol that an operator left alone by name, and
    `excluded_orders` such orders by the venue's name.
    """

    positions: tuple[tuple[str, str, Decimal], ...]
    open_orders: tuple[str, ...]
    excluded_positions: Mapping[str, Decimal] = {}
    excluded_orders: frozenset[str] = frozenset()
    dust: tuple[tuple[str, str, Decimal], ...] = ()
    """What of the positions no order can be for, because it is too little of a coin."""
    coin_prices: Mapping[str, Decimal] = {}
    """What coins that are held cost at last: by the market, or if that was never seen by what was
    paid for them.
    """

    @property
    def is_anything_to_sell(self) -> bool:
        """Whether anything is held that is not dust."""
        return set(self.positions) != set(self.dust)
