"""What stands against trading, kept the same in the guardian, in the gate and on record."""

from collections.abc import Iterable, Mapping
from typing import Any

from actors.guardian_recovery import word_on_record
from hydra.actor import Context, Ref
from hydra.ports import GateRefused, OrderGate
from hydra.trading import causes as kinds
from hydra.trading.clearing import ClearingPolicy, OperatorWord, Passed, is_another
from hydra.trading.coverage_watch import unprotected_while_halted
from hydra.trading.kill_conditions import ALL_HALT, Alarms, KillConditions, condition_of, halts
from hydra.trading.sessions import SessionTable
from hydra.trading.standing import Standing
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.control import (
    OPERATOR_RESUME,
    TRADING_STATE_TOPIC,
    PreflightFailed,
    PreflightPassed,
    RecordClearing,
    Recorded,
    RecordHalt,
    RecordValue,
    Resume,
    ResumeNoted,
    TradingStateChanged,
    TradingStateReported,
)
from messages.execution import ROUTER_TOPIC, RouterLookedInto
from messages.positions import GuardianRecord
from messages.protection import CoverageReported

FEED = "feed"
"""The component that says whether prices come. If nothing else fails, that is what has failed."""


class Halts:
    """The causes of the guardian. The gate is told first of all that hold for everybody.

    What this forgets in a crash it does not need: causes stand in the gate and in the ledger.
    """

    def __init__(
        self,
        policy: ClearingPolicy,
        sessions: SessionTable,
        gate: OrderGate,
        persister: Ref[Any],
        kill: KillConditions = ALL_HALT,
    ) -> None:
        self._policy = policy
        self._sessions = sessions
        self._gate = gate
        self._persister = persister
        self._kill = kill
        self._alarms = Alarms()
        self._held_back: frozenset[str] = frozenset()
        """The codes of what a halt alone keeps unprotected."""
        self._standing = Standing(policy, sessions)
        self._not_well: tuple[str, ...] = ()
        """The components that did not report well at the last preflight."""
        self.epoch = 0

    def begin(self, ctx: Context) -> None:
        """With what the gate holds. Until the record is read every order is denied, because
        `recovering` is a cause.
        """
        self.epoch = self._gate.epoch
        self._standing = Standing(self._policy, self._sessions, self._gate.standing())
        reading = "what is on record has not been read yet"
        self._standing.stand(kinds.RECOVERING.cause(since=ctx.market_time(), detail=reading))

    @property
    def causes(self) -> tuple[Cause, ...]:
        """All that stand, in the order in which they came up."""
        return self._standing.causes

    @property
    def state(self) -> TradingState:
        """What an order finds that no cause of its own stands against."""
        return self._standing.state

    @property
    def stopping(self) -> tuple[Cause, ...]:
        """Those for whose sake working entries are taken out."""
        return self._standing.stopping

    @property
    def on_record(self) -> tuple[str, ...]:
        """The codes of those that a restart would find."""
        return self._standing.on_record

    @property
    def noted(self) -> tuple[str, ...]:
        """The codes of those that an operator lets be cleared at the next clean pass."""
        return self._standing.noted

    @property
    def is_recovering(self) -> bool:
        """The record has not been read yet."""
        return self._standing.has(kinds.RECOVERING.code)

    @property
    def is_starting(self) -> bool:
        """Preflight has not passed since the process, or this actor, began."""
        return self._standing.has(kinds.START.code)

    @property
    def alarms(self) -> tuple[Cause, ...]:
        """What would stand if its kill condition were not switched off."""
        return self._alarms.causes

    @property
    def not_well(self) -> tuple[str, ...]:
        """The components that did not report well at the last preflight."""
        return self._not_well

    def take_policy(self, policy: ClearingPolicy, kill: KillConditions) -> None:
        """A reload brings others; no cause ends by that."""
        self._policy = self._standing.policy = policy
        self._kill = kill

    # Latching

    def latch(self, cause: Cause, ctx: Context, *, has_happened: bool = False) -> bool:
        """It stands from here on; False: it did already, or the gate, now shut, is to say so.

        A kill condition that is switched off only sounds. `has_happened`: just now, maybe once
        more; so an operator's word on what stands is not about this.
        """
        is_beyond_word = has_happened and cause.code in self._standing.noted
        if not (is_beyond_word or self._standing.is_news(cause)):
            return False
        if not halts(cause, self._kill):
            self.alarm(cause, ctx)
            return False
        if cause.is_global:
            self._gate.trip(cause)  # `GateTripped` follows
            return False
        self.stand(cause, ctx)
        return True

    def alarm(self, cause: Cause, ctx: Context) -> None:
        """It is said, and stands against nothing."""
        if self._alarms.sound(cause):
            ctx.log("alarm_raised", code=cause.code, detail=cause.detail)

    def sound(self, found: frozenset[str], ctx: Context) -> None:
        """A watch outside of the actors finds these: they halt, or sound where that is off.

        Most such watches halt by themselves; but which switches are on may have changed since.
        """
        for code in found:
            kind = kinds.kind_of(code)
            if kind is None or condition_of(kind) is None or kind.has_subject:
                continue
            detail = "the watch over it says so"
            self.latch(kind.cause(since=ctx.market_time(), detail=detail), ctx)

    def hear_of_coverage(self, told: CoverageReported, confirm_ns: int, ctx: Context) -> None:
        """What is unprotected for a halt alone, for so long, is an alarm: a cause would outlast the
        halt (I11).
        """
        found: Mapping[str, str] = {}
        if told.is_known:
            found = unprotected_while_halted(told.lines, told.uncovered, confirm_ns)
        for symbol, detail in found.items():
            self.alarm(
                kinds.UNPROTECTED.cause(subject=symbol, since=ctx.market_time(), detail=detail), ctx
            )
        self._held_back = frozenset([f"{kinds.UNPROTECTED.code}{symbol}" for symbol in found])

    def keep_alarms(self, present: frozenset[str], ctx: Context) -> None:
        """Only of these codes it is still so, and of what a halt alone keeps unprotected."""
        for over in self._alarms.keep(present | self._held_back):
            ctx.log("alarm_ended", code=over.code)

    def stand(self, cause: Cause, ctx: Context) -> None:
        """It stands, and where it holds for everybody the gate is shut already."""
        self._standing.stand(cause)
        ctx.log("halt_latched", cause=cause, epoch=self.epoch)
        if cause in self._standing.to_be_recorded:
            ctx.tell(self._persister, RecordHalt(cause=cause))

    def announce(self, ctx: Context) -> None:
        """Tell everybody what stands."""
        causes, state = self.causes, self.state
        ctx.log("trading_state", state=state.name, causes=[cause.code for cause in causes])
        changed = TradingStateChanged(state=state, causes=causes, at=ctx.market_time())
        ctx.publish(TRADING_STATE_TOPIC, changed)

    def recorded(self, message: Recorded, ctx: Context) -> None:
        """What is durable now."""
        for tag in message.tags:
            if self._standing.recorded(tag):
                ctx.log("halt_recorded", code=tag)

    # Clearing

    def all_are_well(self) -> None:
        """Every component has reported well."""
        self._not_well = ()

    def preflight_passed(
        self, message: PreflightPassed, present: frozenset[str], ctx: Context
    ) -> tuple[Cause, ...]:
        """Clear what may be cleared now, and give it: preflight and reconciliation have just
        passed (I04).
        """
        passed = Passed(at=ctx.market_time(), evidence=message.evidence, present=present)
        gone = {each.code: each.reason for each in self._standing.ends(passed)}
        if not gone:
            return ()
        stay = tuple(cause for cause in self.causes if cause.code not in gone)
        try:
            self.epoch = self._gate.arm(
                tuple(cause for cause in stay if cause.is_global),
                "; ".join(f"{code}: {reason}" for code, reason in gone.items()),
                self.epoch,
            )
        except GateRefused as refused:  # tripped meanwhile: that message is on its way
            ctx.log("arming_refused", reason=str(refused))
            return ()
        cleared = tuple(self._clear(code, reason, ctx) for code, reason in gone.items())
        ctx.log("preflight_passed", evidence=message.evidence, epoch=self.epoch)
        return cleared

    def _clear(self, code: str, reason: str, ctx: Context) -> Cause:
        was_let_go = bool(self._standing.noted)
        cause = self._standing.end(code)
        ctx.log("halt_cleared", code=code, reason=reason)
        if cause.cause_class is not CauseClass.START:
            ctx.tell(self._persister, RecordClearing(code=code, reason=reason))
        if was_let_go and not self._standing.noted:
            ctx.tell(self._persister, RecordValue(key=OPERATOR_RESUME, value=""))
        return cause

    def preflight_failed(self, message: PreflightFailed, ctx: Context) -> Cause | None:
        """Why trading is to stop for it; None: it is shut already, and stays so."""
        components = tuple(failure.partition(":")[0] for failure in message.failures)
        if components != self._not_well:  # that it lasts is not written down again and again
            self._not_well = components
            ctx.log("preflight_failed", failures=message.failures)
        if message.is_late or TradingState.HALTED in (self.state, self._gate.state):
            return None  # nothing is entered in this loop; or a later pass is needed anyway
        kind = kinds.STALE_FEED if components == (FEED,) else kinds.PREFLIGHT
        return kind.cause(since=ctx.market_time(), detail="; ".join(message.failures))

    def resume(self, message: Resume, present: frozenset[str], ctx: Context) -> ResumeNoted:
        """Take up what an operator lets go."""
        wish = OperatorWord(
            codes=frozenset(message.codes),
            reason=message.reason,
            operator=message.operator,
            at=ctx.market_time(),
        )
        # That the orders of before were bad lasts until they are forgotten: nothing better can be
        # learned while it keeps entries out. A person who has looked may end it.
        verdict = self._standing.let_go(wish, present - {kinds.ROUTER_DEGRADED.code})
        if kinds.ROUTER_DEGRADED.code in verdict.noted:
            ctx.publish(ROUTER_TOPIC, RouterLookedInto())
        ctx.log(
            "resume_asked",
            reason=message.reason,
            by=message.operator,
            noted=verdict.noted,
            refused=verdict.refused,
        )
        return ResumeNoted(noted=verdict.noted, refused=verdict.refused)

    # Starting, and how it is

    def recover(self, record: GuardianRecord, ctx: Context) -> None:
        """What stood when the guardian, or the engine, came to its end stands on."""
        at = ctx.market_time()
        for cause in record.halts:
            if cause.is_global and not self._standing.has(cause.code):
                self._gate.trip(cause)
        found = tuple(cause for cause in record.halts if not self._came_up_since(cause, at))
        self._standing.found_on_record(found, at)
        for cause in self._standing.to_be_recorded:
            ctx.tell(self._persister, RecordHalt(cause=cause))
        word = word_on_record(record, found, at)
        if word is not None:
            self._standing.take_up(word)
        self._standing.end(kinds.RECOVERING.code)

    def _came_up_since(self, on_record: Cause, at: int) -> bool:
        """Whether a halt of this code was latched that the record does not know yet.

        The gate may have one with its time in the future still; that one is the record's.
        """
        latched = self._standing.cause_of(on_record.code)
        return latched is not None and latched.since <= at and is_another(latched, on_record)

    def report(self, passing: Iterable[Cause]) -> TradingStateReported:
        """What stands. `passing`: causes that are never latched."""
        return TradingStateReported(
            state=self.state,
            causes=(*self.causes, *passing),
            durable=self.on_record,
            noted=self.noted,
            epoch=self.epoch,
            is_drained=self._gate.is_drained,
        )
