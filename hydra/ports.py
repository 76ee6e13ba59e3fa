"""What the engine needs from outside, in our words, as small as our need.

A port call gives nothing back: it is done, or it raises, or its outcome arrives later as a message.
The ledger is the one exception: its write is durable before the order goes.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Protocol

import msgspec

from hydra.trading.orders import DecisionKey
from hydra.trading.trading_state import Cause, TradingState
from messages.orders import OrderApproved, Outcome
from messages.positions import BookRecovered


class PermitClass(Enum):
    """What a wire write is for; the order gate passes classes, never single callers."""

    ENTRY = "entry"
    REDUCE = "reduce"
    FLATTEN = "flatten"
    CANCEL = "cancel"
    READ = "read"


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

    def standing(self) -> tuple[Cause, ...]:
        """The causes latched and not cleared by `arm`: what a restarted guardian starts from."""


class Venue(Protocol):
    """Where orders go. Every outcome comes back as a `VenueReport` told to the gateway."""

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """Pass the gate and send. Raises `GateRefused` if the gate is shut; then nothing left."""

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """Ask for the order to be taken out. A request, not an outcome."""


class IntentRecorded(msgspec.Struct, frozen=True):
    """`duplicate`: this very intent was recorded before, so it must not be sent again."""

    client_order_id: str
    duplicate: bool


class ReportRecorded(msgspec.Struct, frozen=True):
    """`duplicate`: this outcome was booked before and changes nothing."""

    decision: DecisionKey
    duplicate: bool


class LedgerMark(msgspec.Struct, frozen=True):
    """How far the ledger is durable: its last event's number, and the link that names all of them.

    `chain` is 64 hex digits. Whoever kept a mark can tell later whether anything is missing.
    """

    seq: int
    chain: str


class Ledger(Protocol):
    """The durable record. What was recorded would survive a power cut once `commit` has returned;
    until then nobody may be told, and reading does not show it. A call that cannot be done raises.
    """

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """Record the intent and the attempt to send it, once per decision."""

    def record_report(self, report: Outcome, at: int) -> ReportRecorded:
        """Record an outcome; a fill counts once per execution id."""

    def book(self, bot: str | None) -> BookRecovered:
        """Every order and fill that is durable, of one bot or of all."""

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


class Service(Protocol):
    """Something of the outside that an actor keeps open while it lives: the debug server, say."""

    def open(self) -> None:
        """Begin to serve; raises if it cannot."""

    def close(self) -> None:
        """End it. Closing what is not open does nothing."""
