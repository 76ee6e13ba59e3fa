"""Halting, and who may trade: the conversation around the guardian and the order gate."""

from collections.abc import Mapping
from decimal import Decimal

from hydra.trading.trading_state import Cause, TradingState
from messages.message import ControlMessage, Message


class Halt(ControlMessage, frozen=True, kw_only=True):
    """Stop order flow for this cause. The guardian trips the gate before it does anything else."""

    cause: Cause


class GateTripped(ControlMessage, frozen=True, kw_only=True):
    """Somebody (the runtime, the debug socket, the guardian) tripped the gate directly."""

    cause: Cause
    epoch: int


class GateDrained(ControlMessage, frozen=True, kw_only=True):
    """No send that began before this epoch is in flight any more: the halt is acknowledged.

    `abandoned` are the orders whose send was cut off; their outcome is unknown.
    """

    epoch: int
    abandoned: tuple[str, ...] = ()


class CancelOrder(ControlMessage, frozen=True, kw_only=True):
    """Guardian to gateway: ask the venue to take this order out. A request, not an outcome."""

    client_order_id: str
    reason: str


class Resume(ControlMessage, frozen=True, kw_only=True):
    """An operator has looked: what stands now may be cleared at the next clean pass.

    `codes` are the causes meant; empty: all that stand. Told to the guardian, which answers
    `ResumeNoted`; what is cleared then is in the journal and in the trading state.
    """

    reason: str
    operator: str
    codes: tuple[str, ...] = ()


class ResumeNoted(Message, frozen=True, kw_only=True):
    """What the guardian will clear when preflight and reconciliation have passed, and what not."""

    noted: tuple[str, ...]
    refused: tuple[str, ...]
    """One line each, with what to do."""


ACCOUNT_DAY = "account_day"
"""Under this key the ledger keeps the trading day: what it began with, and its peak."""
FLATTEN_STATE = "flatten"
"""Under this key the ledger keeps how far a flatten has come."""
REJECTIONS_SEEN = "rejections_seen:"
"""Under this key, with a symbol behind it, the ledger keeps which of the symbol's rejected orders a
person has looked into: a list of their names, JSON.
"""
ROUND_TRIPS_SEEN = "round_trips_seen:"
"""Under this key, with a bot behind it, the ledger keeps after how many of its round trips of a
session a person has let it go on: a `RoundTripsSeen`, JSON.
"""
OPERATOR_RESUME = "operator_resume"
"""Under this key the ledger keeps a `Resume` that was given while no engine ran: JSON, and beside
its fields `at`, when it was given. The next engine carries it out like one it was told. "": none.
"""


class Flatten(ControlMessage, frozen=True, kw_only=True):
    """An operator wants everything closed. `pause` is the state that stays latched after it.

    Told to the flattener, which answers `FlattenReported`: whether it has begun.
    """

    reason: str
    operator: str
    pause: TradingState = TradingState.CLOSE_ONLY


class WithdrawFlatten(ControlMessage, frozen=True, kw_only=True):
    """An operator does not want everything closed any more. What was sent for it is left alone, and
    the pause stays.

    Told to the flattener, which answers `FlattenReported`: where there was one, it has failed, and
    that is certain as soon as it is recorded.
    """

    reason: str
    operator: str


class ReportFlatten(Message, frozen=True, kw_only=True):
    """Ask the flattener how the flatten is getting on."""


class FlattenReported(Message, frozen=True, kw_only=True):
    """`phase` is "none", "pausing", "canceling", "closing", "verifying", "waiting", "flat" or
    "failed".
    """

    phase: str
    detail: str
    open_orders: tuple[str, ...] = ()
    positions: tuple[tuple[str, str], ...] = ()
    """(symbol, quantity) that are left."""
    opens_at: int | None = None
    """When the first of the markets opens that it waits for (market time, ns), if it does."""
    is_recorded: bool = True
    """Whether a restart would find it so."""


class ReportTradingState(ControlMessage, frozen=True, kw_only=True):
    """Ask the guardian what stands, and what of it is on record: a halt's evidence, so it is
    answered ahead of every order that waits.
    """


class TradingStateReported(Message, frozen=True, kw_only=True):
    """What the guardian knows."""

    state: TradingState
    causes: tuple[Cause, ...]
    durable: tuple[str, ...]
    """The codes of those that a restart would find on record."""
    noted: tuple[str, ...]
    """The codes of those that an operator lets be cleared at the next clean pass."""
    epoch: int
    is_drained: bool = False
    """No send that began before the newest halt is in flight any more."""


class RecordHalt(ControlMessage, frozen=True, kw_only=True):
    """Guardian to persister: make this cause durable (I02)."""

    cause: Cause


class RecordClearing(ControlMessage, frozen=True, kw_only=True):
    """Guardian to persister: this cause is over, and on what evidence."""

    code: str
    reason: str


class RecordValue(Message, frozen=True, kw_only=True):
    """To the persister: keep this value under this key. The answer is `Recorded`."""

    key: str
    value: str


class RecordBudgets(Message, frozen=True, kw_only=True):
    """Guardian to persister: what each bot may lose in this session, in USD."""

    session: str
    grants: Mapping[str, Decimal]


class Recorded(ControlMessage, frozen=True, kw_only=True):
    """Persister to whoever told it: these are durable now. `tags` are a halt's code, a clearing's
    code behind "-", a value's key behind "=".
    """

    tags: tuple[str, ...]


class RecordChanged(Message, frozen=True, kw_only=True):
    """Persister to guardian: an operator changed what is on record; read it again."""


class EvaluateAccount(Message, frozen=True, kw_only=True):
    """The guardian's word to itself: value the account (I37)."""


class CancelsDue(Message, frozen=True, kw_only=True):
    """The guardian's word to itself: see which entries are still to be taken out (I10)."""


class FlattenDue(Message, frozen=True, kw_only=True):
    """The flattener's word to itself: see how the flatten is getting on."""


class PreflightPassed(ControlMessage, frozen=True, kw_only=True):
    """Every component reported well just now; `evidence` says what each of them said. `loop` is
    the number of the loop that this is the verdict of.
    """

    loop: int
    evidence: tuple[str, ...]
    at: int


class PreflightFailed(ControlMessage, frozen=True, kw_only=True):
    """At least one component did not report well, so nothing is entered in this loop.

    `is_late`: none said anything bad, but some have not said anything in time, and not for long
    yet: a machine may be busy. That alone halts nothing.
    """

    loop: int
    failures: tuple[str, ...]
    at: int
    is_late: bool = False


class TradingStateChanged(Message, frozen=True, kw_only=True):
    """Published by the guardian on `TRADING_STATE_TOPIC`, with every cause that stands."""

    state: TradingState
    causes: tuple[Cause, ...]
    at: int


TRADING_STATE_TOPIC = "trading-state"
