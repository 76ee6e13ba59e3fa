"""Halting, and who may trade: the conversation around the guardian and the order gate."""

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


class PreflightPassed(ControlMessage, frozen=True, kw_only=True):
    """Every component reported well just now; `evidence` says what each of them said."""

    evidence: tuple[str, ...]
    at: int


class PreflightFailed(ControlMessage, frozen=True, kw_only=True):
    """At least one component did not report well."""

    failures: tuple[str, ...]
    at: int


class TradingStateChanged(Message, frozen=True, kw_only=True):
    """Published by the guardian on `TRADING_STATE_TOPIC`, with every cause that stands."""

    state: TradingState
    causes: tuple[Cause, ...]
    at: int


TRADING_STATE_TOPIC = "trading-state"
