"""An operator's halt: its cause, and the order gate shut with it, in whatever thread asks.

It needs the gate and nothing else: no actor, no mailbox, no record.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hydra.actor import MILLISECOND
from hydra.ops.debug.asking import Answer, Caller, wait_for
from hydra.ops.debug.describing import in_ms
from hydra.ops.debug.looking import Arguments, Milliseconds
from hydra.ops.debug.protocol import shortened
from hydra.runtime.runtime import Runtime
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT
from hydra.trading.trading_state import Cause

REASON_CHARACTERS_MIN = 3
REASON_CHARACTERS_MAX = 500
NO_REASON = "no reason given"
Reason = Annotated[
    str,
    Meta(min_length=REASON_CHARACTERS_MIN, max_length=REASON_CHARACTERS_MAX, pattern=r"\S"),
]


class Halt(Arguments, frozen=True):
    """`reason`: what is shown as the cause until an operator clears it. Nobody is kept from a halt
    by how it is worded: none at all will do, and of a long one the beginning counts.

    `close_only`: what reduces a position still passes. `timeout_ms`: for the sends on their way.
    """

    reason: str = ""
    close_only: bool = False
    timeout_ms: Milliseconds = 2_000


class Shut(msgspec.Struct, frozen=True):
    """The gate was shut at `began` (machine time); these orders, with that, were on their way."""

    began: int
    in_flight: tuple[str, ...]


def operator_cause(reason: str, by: str, since: int, *, close_only: bool) -> Cause:
    """Why nothing passes that an operator does not want to. `since` is market time (UTC ns)."""
    kind = OPERATOR_CLOSE_ONLY if close_only else OPERATOR_HALT
    return kind.cause(since=since, detail=f"{words_of(reason)} ({by})")


def words_of(reason: str) -> str:
    """What goes on record of a reason, whatever was given for one."""
    return shortened(reason.strip(), REASON_CHARACTERS_MAX) or NO_REASON


def shut_gate(runtime: Runtime, cause: Cause) -> Shut:
    """Latch it, here and now, whatever the actors are doing."""
    began = runtime.now()
    in_flight = runtime.gate.trip(cause)
    runtime.remember("halted", cause.detail)
    return Shut(began, in_flight)


def drained(runtime: Runtime, shut: Shut, within_ms: int, caller: Caller) -> dict[str, Any]:
    """Wait for what was on its way, and say whether nothing is any more."""
    gate, answer = runtime.gate, Answer()
    gate.when_drained(answer.set)
    wait_for(runtime, answer, within_ms * MILLISECOND, caller)
    return {
        "state": gate.state.name,
        "epoch": gate.epoch,
        "acknowledged": answer.is_given,
        "after_ms": in_ms(runtime.now() - shut.began),
        "in_flight_then": list(shut.in_flight),
        "in_flight": [order_id for order_id, _ in gate.in_flight()],
    }
