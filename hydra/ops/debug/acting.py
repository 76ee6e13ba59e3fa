"""The only commands that change something: suspend, resume and halt, each with its reason."""

from typing import Any

from hydra.actor import MILLISECOND
from hydra.ops.debug.asking import Caller, NotInTime, ask
from hydra.ops.debug.describing import Row, cell_at, in_ms, utc_text
from hydra.ops.debug.halting import Halt, Reason, drained, operator_cause, shut_gate, words_of
from hydra.ops.debug.looking import Milliseconds, NoArguments, OneActor
from hydra.runtime.gate import UNLIMITED_LEASE
from hydra.runtime.runtime import Runtime
from hydra.runtime.system import Resume, Suspend, System
from hydra.trading.trading_state import Cause


class Hold(OneActor, frozen=True):
    """`reason`: goes into the journal with who asked."""

    reason: Reason
    timeout_ms: Milliseconds = 1_000


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
    by = f"debug socket, {caller.name}"
    since = runtime.market_time_at(runtime.now())
    cause = operator_cause(arguments.reason, by, since, close_only=arguments.close_only)
    shut = shut_gate(runtime, cause)
    runtime.log("debug_halt", "debug", {"reason": words_of(arguments.reason), "by": caller.name})
    return drained(runtime, shut, arguments.timeout_ms, caller)


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
