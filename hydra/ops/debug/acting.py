"""The only commands that change something: suspend, resume and halt. Each needs a reason."""

from typing import Annotated, Any

from msgspec import Meta

from hydra.actor import MILLISECOND
from hydra.ops.debug.asking import Answer, Caller, NotInTime, ask, wait_for
from hydra.ops.debug.describing import Row, cell_at, in_ms, utc_text
from hydra.ops.debug.looking import Arguments, Milliseconds, NoArguments, OneActor
from hydra.runtime.gate import UNLIMITED_LEASE
from hydra.runtime.runtime import Event, Runtime
from hydra.runtime.system import Resume, Suspend, System
from hydra.trading.trading_state import Cause, CauseClass, TradingState

Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"\S")]

HALT_CODE = "operator-halt"


class Hold(OneActor, frozen=True):
    """`reason`: goes into the journal with who asked."""

    reason: Reason
    timeout_ms: Milliseconds = 1_000


class Halt(Arguments, frozen=True):
    """`reason`: what is shown as the cause until an operator clears it."""

    reason: Reason
    timeout_ms: Milliseconds = 2_000


def suspend(runtime: Runtime, arguments: Hold, caller: Caller) -> dict[str, Any]:
    """Hold an actor's user messages back. Control messages, halts among them, still get through."""
    return _hold(runtime, arguments, caller, Suspend())


def resume(runtime: Runtime, arguments: Hold, caller: Caller) -> dict[str, Any]:
    """Let a suspended actor's messages through again, in the order they came."""
    return _hold(runtime, arguments, caller, Resume())


def _hold(runtime: Runtime, arguments: Hold, caller: Caller, message: System) -> dict[str, Any]:
    cell = cell_at(runtime, arguments.path)
    verb = type(message).__name__.lower()
    fields = {"path": cell.path, "reason": arguments.reason, "by": caller.name}
    runtime.log(f"debug_{verb}", "debug", fields)
    told: dict[str, Any] = {"path": cell.path, "done": True, "note": None}
    try:
        ask(runtime, cell, message, arguments.timeout_ms * MILLISECOND, caller)
    except NotInTime as late:
        told["done"] = False
        told["note"] = f"{late}; unless it was not asked, it happens when its handler returns"
    if verb == "suspend" and cell.spec.critical:
        told["note"] = (
            f"{told['note']}; " if told["note"] else ""
        ) + "it belongs to the safety chain: no order moves until it is resumed"
    return {**told, "suspended": cell.suspended, "depth": len(cell.mailbox.user)}


def halt(runtime: Runtime, arguments: Halt, caller: Caller) -> dict[str, Any]:
    """Shut the order gate, here and now, whatever the actors are doing."""
    began = runtime.now()
    in_flight = runtime.gate.trip(
        Cause(
            code=HALT_CODE,
            cause_class=CauseClass.INTEGRITY,
            state=TradingState.HALTED,
            since=runtime.market_time_at(began),
            detail=f"{arguments.reason} (debug socket, {caller.name})",
        )
    )
    detail = f"{arguments.reason} (by {caller.name})"
    runtime.history.append(Event(began, "", 0, "halted", detail))
    runtime.log("debug_halt", "debug", {"reason": arguments.reason, "by": caller.name})
    drained = Answer()
    runtime.gate.when_drained(drained.set)
    wait_for(runtime, drained, arguments.timeout_ms * MILLISECOND, caller)
    return {
        "state": runtime.gate.state.name,
        "epoch": runtime.gate.epoch,
        "acknowledged": drained.is_given,
        "after_ms": in_ms(runtime.now() - began),
        "in_flight_then": list(in_flight),
        "in_flight": [order_id for order_id, _ in runtime.gate.in_flight()],
    }


def gate(runtime: Runtime, _arguments: NoArguments, _caller: Caller) -> dict[str, Any]:
    """The order gate: whether orders pass, and everything that says they may not."""
    gate, now = runtime.gate, runtime.now()
    left = gate.lease_left()
    unlimited = left > UNLIMITED_LEASE // 2
    return {
        "state": gate.state.name,
        "causes": [cause_row(cause) for cause in gate.standing()],
        "epoch": gate.epoch,
        "lease": "unlimited" if unlimited else "held" if left > 0 else "none",
        "lease_ms": None if unlimited else in_ms(max(0, left)),
        "in_flight": [
            {"order": order_id, "age_ms": in_ms(now - since)}
            for order_id, since in gate.in_flight()
        ],
        "flatten": gate.flatten_reason,
        "passed": gate.passed,
        "refused": gate.refused,
        "failed_closed": runtime.failed_closed,
    }


def cause_row(cause: Cause) -> Row:
    """One reason not to trade freely. `since` is the venue's time, empty for the start's own."""
    return {
        "code": cause.code,
        "class": cause.cause_class.value,
        "state": cause.state.name,
        "since": utc_text(cause.since) if cause.since else "",
        "detail": cause.detail,
    }
