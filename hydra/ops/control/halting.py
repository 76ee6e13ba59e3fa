"""An operator's halt of a running engine: the gate first, then the proof that a restart finds it.

The gate is shut in the server's own thread, so it is shut whatever the actors do. That the halt is
on record is the guardian's to say (I02); if it does not, the halt marker is written from here,
which needs no actor and no ledger (I03).
"""

from collections.abc import Callable
from typing import Any

from hydra.actor import MILLISECOND, SECOND
from hydra.ops.control.asking import answered
from hydra.ops.debug.asking import Caller, let_pass
from hydra.ops.debug.describing import Refused, in_ms
from hydra.ops.debug.halting import Halt, drained, operator_cause, shut_gate, words_of
from hydra.runtime.runtime import Runtime
from hydra.store.halt_marker import HaltMarkerFailed
from hydra.trading.trading_state import Cause
from messages.control import ReportTradingState, TradingStateReported
from supervisors import paths

ON_RECORD_WITHIN = 5 * SECOND
"""After this the guardian is given up, and the halt marker has to do."""
ANSWER_WITHIN = SECOND
PAUSE = 5 * MILLISECOND
PAUSE_MAX = 250 * MILLISECOND

MarkHalt = Callable[[Cause], None]
"""Makes a halt durable without the ledger's help. Raises `HaltMarkerFailed`."""


class Halting:
    """The command `halt`. `mark_halt` None: this engine has no halt marker."""

    def __init__(self, mark_halt: MarkHalt | None) -> None:
        self._mark_halt = mark_halt

    def halt(self, runtime: Runtime, arguments: Halt, caller: Caller) -> dict[str, Any]:
        """Shut the order gate, and wait until the halt is drained and on record."""
        by = f"control socket, {caller.name}"
        since = runtime.market_time_at(runtime.now())
        cause = operator_cause(arguments.reason, by, since, close_only=arguments.close_only)
        shut = shut_gate(runtime, cause)
        runtime.log(
            "control_halt",
            "control",
            {"reason": words_of(arguments.reason), "by": caller.name, "state": cause.state.name},
        )
        told = drained(runtime, shut, arguments.timeout_ms, caller)
        fault = _fault_on_record(runtime, cause.code, shut.began + ON_RECORD_WITHIN, caller)
        on_record: str | None = "ledger"
        if fault is not None:
            on_record, fault = self._marked(cause, fault)
        took = in_ms(runtime.now() - shut.began)
        return {
            **told,
            "code": cause.code,
            "on_record": on_record,
            "on_record_after_ms": took if on_record else None,
            "fault": fault,
        }

    def _marked(self, cause: Cause, fault: str) -> tuple[str | None, str]:
        """Where the halt is on record after all, and what is wrong."""
        if self._mark_halt is None:
            return None, fault
        try:
            self._mark_halt(cause)
        except HaltMarkerFailed as failed:
            return None, f"{fault}; {failed}"
        return "halt marker", fault


def _fault_on_record(runtime: Runtime, code: str, until: int, caller: Caller) -> str | None:
    """None once the guardian has seen the cause on record; else why that was not proven in time."""
    pause = PAUSE
    while True:
        within = max(PAUSE, min(ANSWER_WITHIN, until - runtime.now()))
        try:
            report = answered(
                runtime,
                paths.RISK_GUARDIAN,
                ReportTradingState(),
                TradingStateReported,
                within,
                caller,
            )
        except Refused as refused:
            fault = str(refused)
        else:
            if code in report.durable:
                return None
            fault = "the risk_guardian has not seen it made durable"
        if runtime.now() + pause > until:
            return fault
        let_pass(runtime, pause, caller)
        pause = min(2 * pause, PAUSE_MAX)
