"""What the engine needs from outside, in our words, as small as our need.

A port call gives nothing back: it is done, or it raises, or its outcome arrives later as a message.
The ledger is the one exception: its write is durable before the order goes.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Protocol

import msgspec

from hydra.trading.differences import DifferenceKind
from hydra.trading.fees import NO_FEES, Fee, FeeAct, FeeRecord, FeeSchedule
from hydra.trading.late_lists import Written
from hydra.trading.orders import DecisionKey, Order, Role
from hydra.trading.reconciliation import RecordView
from hydra.trading.trading_state import Cause, TradingState
from hydra.trading.venue_view import VenueSnapshot
from messages.corporate_actions import ActionsQuestion
from messages.options import ChainQuestion
from messages.orders import OrderApproved, OrderIntent, Outcome, ReportStored
from messages.positions import BookRecovered, GuardianRecord
from messages.signals import SignalNote


class PermitClass(Enum):
    """What a wire write is for; the order gate passes classes, never single callers."""

    ENTRY = "entry"
    REDUCE = "reduce"
    FLATTEN = "flatten"
    CANCEL = "cancel"
    READ = "read"


PERMIT_CLASSES = {
    Role.ENTRY: PermitClass.ENTRY,
    Role.EXIT: PermitClass.REDUCE,
    Role.PROTECT: PermitClass.REDUCE,
    Role.FLATTEN: PermitClass.FLATTEN,
}
"""What an order's wire write is for. A new role has to say it here, or nothing of it is sent."""


class GateKey(msgspec.Struct, frozen=True):
    """Names one incarnation of the gateway. Only the newest one's key opens the gate."""

    path: str
    incarnation: int


class Permit(msgspec.Struct, frozen=True):
    """The right to make one wire write now. To be given back as soon as the write has ended."""

    number: int
    order_id: str
    epoch: int


class GateRefused(Exception):
    """The gate let nothing through; its text says why. Nothing was sent."""


class OrderGate(Protocol):
    """The one place where order flow is cut. Safe to call from any thread."""

    @property
    def epoch(self) -> int:
        """One more after each trip; an approval of an older epoch never passes again."""

    @property
    def state(self) -> TradingState:
        """The worst of what has been latched."""

    @property
    def is_drained(self) -> bool:
        """No send that began before the newest trip is in flight any more."""

    def register(self, key: GateKey) -> None:
        """From now on only this incarnation of the gateway may send."""

    def enter(self, order_id: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Permit:
        """The last instant before the wire. Raises `GateRefused`."""

    def leave(self, permit: Permit) -> None:
        """The write has ended, however it did."""

    def trip(self, cause: Cause) -> tuple[str, ...]:
        """Latch at once; gives the order ids still in flight. Never waits, not for the disk."""

    def arm(self, causes: tuple[Cause, ...], evidence: str, epoch: int) -> int:
        """Open as far as `causes` allow, if nothing was tripped since `epoch`; a new epoch.

        Only the guardian calls this. Raises `GateRefused`.
        """

    def authorise_flatten(self, reason: str) -> None:
        """An operator's durable flatten is in force: flatten permits pass in any state."""

    def end_flatten(self) -> None:
        """The flatten is over: no flatten permit passes."""

    @property
    def flatten_reason(self) -> str | None:
        """Why an operator's flatten is in force; None: there is none."""

    def standing(self) -> tuple[Cause, ...]:
        """The causes latched and not cleared by `arm`: what a restarted guardian starts from."""


class Conditions(Protocol):
    """What watches outside of the actors find now: kill switch, disk, clocks."""

    def present(self) -> frozenset[str]:
        """The codes of the causes whose condition still holds: none of them is to be cleared."""


class Venue(Protocol):
    """Where orders go. Every outcome comes back as a `VenueReport` told to the gateway.

    A venue that is reached by other threads passes the gate there, at the last instant: what is
    refused then is told as `OrderWithheld`.
    """

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """Pass the gate and send. Raises `GateRefused` if the gate is shut; then nothing left."""

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """Ask for the order to be taken out. A request, not an outcome."""

    def look_up(self, client_order_id: str, key: GateKey) -> None:
        """Look for an order by its name; `OrderFound` or `OrderNotFound` is told later."""

    def take_snapshot(self, number: int, since: int, key: GateKey) -> None:
        """Read the whole account; `SnapshotTaken` or `SnapshotFailed` of this number is told later.

        Orders that ended and fills of before `since` (market time) may be left out.
        """

    @property
    def has_stream(self) -> bool:
        """Whether outcomes are told on a stream, which can be lost."""

    def report_stream(self) -> None:
        """Tell how the stream is now: `StreamConnected` or `StreamLost`; nothing without one."""

    def cut(self, client_order_ids: tuple[str, ...]) -> None:
        """End what is being sent of these orders, at once: what came of it is unknown (I01)."""


class PriceFeed(Protocol):
    """Where live prices come from. Everything it has to say is told to the data feed."""

    @property
    def streams(self) -> Mapping[str, tuple[str, ...]]:
        """The symbols that each stream tells of, by its name."""

    def report(self) -> None:
        """Tell how each stream is now, and which bars are missing."""

    def renew(self, stream: str, reason: str) -> None:
        """Connect the stream of this name anew, as if it had been lost for this reason."""

    @property
    def contract_stream(self) -> str:
        """The name of the stream that tells of contracts, whether or not it is one of `streams`."""

    def follow(self, contracts: tuple[str, ...]) -> None:
        """Tell the quotes of these option contracts from now on, and of none that were followed
        before. Their stream is connected when there is one for the first time.
        """


class OptionChains(Protocol):
    """Where option chains are read."""

    def ask(self, question: ChainQuestion) -> None:
        """Ends in one `ChainRead` or `ChainNotRead` of its number, told to whoever asked."""


class CorporateActions(Protocol):
    """Where splits, mergers and the like are read."""

    def ask(self, question: ActionsQuestion) -> None:
        """Ends in one `ActionsRead` or `ActionsNotRead` of its number, told to whoever asked."""


class IntentRecorded(msgspec.Struct, frozen=True):
    """`duplicate`: this very intent was recorded before, so it must not be sent again."""

    client_order_id: str
    duplicate: bool


class ReportRecorded(msgspec.Struct, frozen=True):
    """`duplicate`: this outcome was booked before and changes nothing. `fee` went with it.

    `is_rewording`: it was booked before, and the words for it are other ones now; what had to be
    done about it was done.
    """

    decision: DecisionKey
    duplicate: bool
    fee: Fee | None = None
    is_rewording: bool = False


class Reworded(msgspec.Struct, frozen=True):
    """A report that says what is on record in other words: it is written down, and not acted on."""

    decision: DecisionKey
    report: Outcome


class LedgerMark(msgspec.Struct, frozen=True):
    """How far the ledger is durable: its last event's number, and the link that names all of them.

    `chain` is 64 hex digits. Whoever kept a mark can tell later whether anything is missing.
    """

    seq: int
    chain: str


class RecordRefused(Exception):
    """What was to be recorded does not fit what is on record. Nothing was changed."""


class Ledger(Protocol):
    """The durable record. What was recorded would survive a power cut once `commit` has returned;
    until then nobody may be told, and reading does not show it. A call that cannot be done raises;
    after `ImpossibleReport` and `RecordRefused` the ledger is as it was, and goes on.
    """

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """Record the intent and the attempt to send it, once per decision."""

    def record_report(
        self, report: Outcome, at: int, schedule: FeeSchedule = NO_FEES
    ) -> ReportRecorded:
        """Record an outcome; a fill counts once per execution id, and so does its fee by the
        schedule. Raises `ImpossibleReport`, or `RecordRefused` for an order that is not on record.
        """

    def take_up(
        self, snapshot: VenueSnapshot, at: int, schedule: FeeSchedule = NO_FEES
    ) -> tuple[ReportStored | Reworded, ...]:
        """Record all that the venue says of our orders and that is not on record; gives that.

        What cannot follow what is on record is left out.
        """

    def written_since(self, at: int) -> tuple[Written, ...]:
        """What came on record of orders from this market time on, and is durable."""

    def fee_record(self, snapshot: VenueSnapshot) -> FeeRecord:
        """What is durable of fees, for a comparison with this snapshot."""

    def record_fees(self, act: FeeAct, at: int) -> None:
        """Record what a comparison has shown, or an activity has said, of fees."""

    def record_view(self, snapshot: VenueSnapshot) -> RecordView:
        """What is durable on our side of a comparison with this snapshot."""

    def book(self, bot: str | None) -> BookRecovered:
        """What is durable, of one bot or of all, as far as it may matter yet."""

    def decisions_of_signals(self, bot: str, numbers: Iterable[int]) -> dict[int, DecisionKey]:
        """What is durable of what these outside signals led to, however long ago; by the number."""

    def guardian_record(self, session: str, entries_since: int | None = None) -> GuardianRecord:
        """All that is durable and that the guardian's counts of this session follow from.

        `entries_since` (market time): also the entries of the session before from then on.
        """

    def latch_halt(self, cause: Cause, at: int) -> None:
        """Record that a cause stands; the newest one of a code replaces the one before."""

    def clear_halt(self, code: str, reason: str, at: int) -> None:
        """Record that a cause is gone, and on what evidence."""

    def grant_budget(self, bot: str, session: str, amount: Decimal, at: int) -> None:
        """Record what a bot may risk in a session; it replaces what it had."""

    def put(self, key: str, value: str, at: int) -> None:
        """Record a small named value; it replaces what it was."""

    def get(self, key: str) -> str | None:
        """The value that is durable under this key."""

    @property
    def opening_cash(self) -> Decimal | None:
        """The account's cash before anything was traded; None if it was never looked at."""

    def open_account(self, cash: Decimal, at: int) -> None:
        """Record the opening cash, once. `RecordRefused` if it is on record as another one."""

    # What an operator decides: `RecordRefused` without a reason and a name, as for all nonsense.

    def adjust_cash(self, amount: Decimal, *, reason: str, operator: str, at: int) -> None:
        """Record that so much more (less) cash is accepted, for no bot."""

    def assign_position(
        self,
        bot: str,
        symbol: str,
        quantity: Decimal,
        *,
        price: Decimal,
        reason: str,
        operator: str,
        at: int,
    ) -> None:
        """Record that so much (signed) of a position is a bot's, got at this price. No fill."""

    def exclude_difference(
        self,
        kind: DifferenceKind,
        subject: str,
        quantity: Decimal | None,
        *,
        reason: str,
        operator: str,
        at: int,
    ) -> None:
        """Record that a difference is left alone by name; a quantity of zero takes it back."""

    def adopt_order(
        self, intent: OrderIntent, order: Order, *, reason: str, operator: str, at: int
    ) -> None:
        """Record that an order at the venue, under its name there, is this decision's."""

    def mark_journal(self, seq: int, at: int) -> None:
        """The journal is on the disk up to this line."""

    def commit(self) -> LedgerMark:
        """Make all of the above durable, together; gives how far the ledger is now."""

    def close(self) -> None:
        """Nothing more will be written."""


class Journal(Protocol):
    """The append-only event log: whole lines, in order, or an exception."""

    def append(self, record: Mapping[str, object]) -> int:
        """Write one line and give its sequence number."""

    def prune(self, *, at: int, wall_ns: int) -> int:
        """Take out what is older than journals are kept for; gives how many lines went.

        `at` is market time, for the line that says so; `wall_ns` the machine's (UTC ns).
        """

    def close(self) -> None:
        """Nothing more will be written."""


class Signals(Protocol):
    """Where an outside strategy's signals come from, and where what was done with them is kept.

    Each is told to the signal bot as `SignalRead`, perhaps more than once.
    """

    def report(self) -> None:
        """Tell every signal again whose end was not noted."""

    def note(self, note: SignalNote) -> None:
        """Keep what was done with a signal; soon, not at once."""

    def why_closed(self) -> str | None:
        """Why no entry is to be made now (the bridge's own kill file, say); None: nothing bars it.

        What is not known closes.
        """


class Service(Protocol):
    """Something of the outside that an actor keeps open while it lives: the debug server, say."""

    def open(self) -> None:
        """Begin to serve; raises if it cannot."""

    def close(self) -> None:
        """End it. Closing what is not open does nothing."""
