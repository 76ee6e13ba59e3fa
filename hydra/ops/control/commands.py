"""Every control command by name: what it takes, and the function that does it.

What changes the engine goes into the journal with its reason and who asked, before it is done. Each
answers soon; what takes long (a resume, a flatten) is followed by asking for its progress.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from hydra.actor import SECOND
from hydra.ops.control.account import AccountAsked, ReadAccount, SinceWhen
from hydra.ops.control.asking import answered
from hydra.ops.control.configuring import ChooseMode, Choosing, Reloading, no_reload
from hydra.ops.control.facts import EngineFacts
from hydra.ops.control.halting import Halting, MarkHalt
from hydra.ops.control.reporting import StatusReport
from hydra.ops.control.settling import Settle, differences, settle
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.command_table import Command, CommandTable, listing
from hydra.ops.debug.describing import utc_text
from hydra.ops.debug.halting import Halt, Reason
from hydra.ops.debug.looking import Arguments, NoArguments
from hydra.runtime.runtime import Runtime
from hydra.trading.trading_state import TradingState
from messages.control import (
    Flatten,
    FlattenReported,
    ReportFlatten,
    Resume,
    ResumeNoted,
    WithdrawFlatten,
)
from supervisors import paths

ANSWER_WITHIN = 3 * SECOND
CODES_MAX = 100

Code = Annotated[str, Meta(min_length=1, max_length=500)]


class ResumeTrading(Arguments, frozen=True):
    """`codes`: the causes meant; none: all that stand."""

    reason: Reason
    codes: Annotated[tuple[Code, ...], Meta(max_length=CODES_MAX)] = ()


class FlattenAll(Arguments, frozen=True):
    """`pause`: what stays latched after it, until an operator resumes."""

    reason: Reason
    pause: Literal["close_only", "halted"] = "close_only"


class WithdrawalOfFlatten(Arguments, frozen=True):
    """Why it is not wanted any more."""

    reason: Reason


def resume(runtime: Runtime, arguments: ResumeTrading, caller: Caller) -> dict[str, Any]:
    """Let what stands be cleared, once preflight and reconciliation have passed."""
    runtime.log(
        "control_resume",
        "control",
        {"reason": arguments.reason, "by": caller.name, "codes": arguments.codes},
    )
    wanted = Resume(reason=arguments.reason, operator=caller.name, codes=arguments.codes)
    answer = answered(runtime, paths.RISK_GUARDIAN, wanted, ResumeNoted, ANSWER_WITHIN, caller)
    return {"noted": list(answer.noted), "refused": list(answer.refused)}


def flatten(runtime: Runtime, arguments: FlattenAll, caller: Caller) -> dict[str, Any]:
    """Pause, cancel what works, close what is held, and look whether nothing is left."""
    runtime.log(
        "control_flatten",
        "control",
        {"reason": arguments.reason, "by": caller.name, "pause": arguments.pause},
    )
    wanted = Flatten(
        reason=arguments.reason, operator=caller.name, pause=TradingState(arguments.pause)
    )
    return _progress(
        answered(runtime, paths.FLATTENER, wanted, FlattenReported, ANSWER_WITHIN, caller)
    )


def withdraw_flatten(
    runtime: Runtime, arguments: WithdrawalOfFlatten, caller: Caller
) -> dict[str, Any]:
    """Close no more of what a flatten has not closed yet; its pause stays."""
    runtime.log(
        "control_flatten_withdrawn",
        "control",
        {"reason": arguments.reason, "by": caller.name},
    )
    wanted = WithdrawFlatten(reason=arguments.reason, operator=caller.name)
    return _progress(
        answered(runtime, paths.FLATTENER, wanted, FlattenReported, ANSWER_WITHIN, caller)
    )


def flatten_progress(runtime: Runtime, _arguments: NoArguments, caller: Caller) -> dict[str, Any]:
    """How the flatten is getting on."""
    question = ReportFlatten()
    return _progress(
        answered(runtime, paths.FLATTENER, question, FlattenReported, ANSWER_WITHIN, caller)
    )


def _progress(report: FlattenReported) -> dict[str, Any]:
    return {
        "phase": report.phase,
        "detail": report.detail,
        "open_orders": list(report.open_orders),
        "positions": dict(report.positions),
        "opens_at": None if report.opens_at is None else utc_text(report.opens_at),
        "recorded": report.is_recorded,
    }


def control_table(
    facts: EngineFacts,
    mark_halt: MarkHalt | None = None,
    reload: Reloading | None = None,
    read_account: ReadAccount | None = None,
) -> CommandTable:
    """All that the control socket of this engine can be asked.

    `mark_halt` keeps a halt that the ledger does not take (I03); None: there is nothing that does.
    `reload` gives the watch over the files of the settings, if there is one by then.
    `read_account` asks the venue; None: there is none to be asked.
    """

    def names(_runtime: Runtime, _arguments: NoArguments, _caller: Caller) -> dict[str, Any]:
        """Every command and what it is for."""
        return listing(commands)

    report = StatusReport(facts, reload or no_reload)
    commands = {
        "halt": Command(Halt, Halting(mark_halt).halt),
        "resume": Command(ResumeTrading, resume),
        "trading-state": Command(NoArguments, report.trading_state),
        "flatten": Command(FlattenAll, flatten),
        "withdraw-flatten": Command(WithdrawalOfFlatten, withdraw_flatten),
        "flatten-progress": Command(NoArguments, flatten_progress),
        "differences": Command(NoArguments, differences),
        "settle": Command(Settle, settle),
        "mode": Command(ChooseMode, Choosing(reload or no_reload).choose),
        "status": Command(NoArguments, report.status),
        "account": Command(SinceWhen, AccountAsked(read_account).account),
        "commands": Command(NoArguments, names),
    }
    return CommandTable(
        name="control",
        commands=commands,
        urgent=frozenset({"halt", "flatten"}),
        even_late=frozenset({"halt"}),
    )
