"""The health monitor: every loop it asks each component, and tells the guardian what it heard."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from hydra.actor import MILLISECOND, SECOND, Actor, Context, Ref, unhandled
from messages.control import PreflightFailed, PreflightPassed, Recorded, RecordValue
from messages.health import HealthReported, ReportHealth, RunPreflight
from messages.lifecycle import Replied
from messages.loops import LOOP_TOPIC, LOOPS_ON_RECORD, LoopRan, LoopsReported, ReportLoops
from messages.positions import RecoverValue, ValueRecovered

Inbox: TypeAlias = RunPreflight | Replied | ReportLoops | Recorded

ANSWER_WITHIN = 2 * SECOND
TRY_AGAIN_AFTER = 250 * MILLISECOND
TRIES_AT_A_START = 20
"""So many loops follow one another at once if they fail: nobody has to wait a whole one, at a
start, for what just came good.
"""
LATE_LOOPS_MAX = 3
"""So many loops in a row may end without a word of some component before that halts: a machine is
busy at times. Nothing is entered meanwhile, and one that hangs is found by others, and sooner.
"""
NUMBERS_AT_ONCE = 100
"""Loop numbers are put on record so many ahead: after a crash none is used twice."""


class HealthMonitor(Actor[Inbox]):
    """Preflight passes only if every component answered well in time; no answer is a failure.

    A loop is machine time, on every venue and at every speed: it is about what the machine does.
    Its verdict is told to the guardian first, then to everybody (`LoopRan`). Loops are numbered on
    over restarts.
    """

    def __init__(
        self,
        components: tuple[Ref[ReportHealth], ...],
        guardian: Ref[PreflightPassed | PreflightFailed],
        persister: Ref[RecoverValue | RecordValue],
        loop_interval: int,
    ) -> None:
        self._components = components
        self._guardian = guardian
        self._persister = persister
        self._loop_interval = loop_interval
        self._loop: int | None = None
        """None: up to where loops were numbered is not known yet, and none begins."""
        self._reserved = 0
        self._since_start = 0
        self._answers: dict[str, HealthReported] = {}
        self._late: set[str] = set()
        """The components that did not answer in this loop in time."""
        self._late_loops = 0
        self._heard: tuple[HealthReported, ...] = ()
        """What the last loop that came to its end heard, and when (machine time) that was."""
        self._heard_at: int | None = None
        self._finished = 0
        self._passed = False
        self._is_again = False
        self._last_result = "none yet"
        self._overruns = 0

    def start(self, ctx: Context) -> None:
        self._ask_for_number(ctx)
        ctx.every(self._loop_interval, RunPreflight())

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case RunPreflight():
                self._begin(ctx, is_again=message.is_again)
            case Replied(tag="number"):
                self._take_number(message, ctx)
            case Replied():
                self._hear(message, ctx)
            case ReportLoops():
                ctx.reply(self._loops())
            case Recorded():
                pass
            case _:
                unhandled(message)

    def stop(self, ctx: Context, reason: str) -> None:
        if self._loop is not None:
            self._record(self._loop, ctx)  # none is left out after an orderly end

    def _ask_for_number(self, ctx: Context) -> None:
        question = RecoverValue(key=LOOPS_ON_RECORD)
        ctx.ask(self._persister, question, within=ANSWER_WITHIN, tag="number")

    def _take_number(self, reply: Replied, ctx: Context) -> None:
        if not isinstance(reply.value, ValueRecovered):
            ctx.after(TRY_AGAIN_AFTER, RunPreflight(), key="try again")
            return
        self._loop = self._reserved = int(reply.value.value or 0)
        self._begin(ctx)

    def _begin(self, ctx: Context, *, is_again: bool = False) -> None:
        if self._loop is None:
            self._ask_for_number(ctx)
            return
        if self._since_start and len(self._answers) < len(self._components):
            self._overruns += 1  # recorded, never stacked: the loop before has not ended yet
            ctx.log("loop_overrun", loop=self._loop)
            return
        self._loop += 1
        self._is_again = is_again
        self._since_start += 1
        if self._loop > self._reserved:
            self._reserved = self._loop + NUMBERS_AT_ONCE
            self._record(self._reserved, ctx)
        self._answers, self._late = {}, set()
        for component in self._components:
            tag = f"{self._loop}:{component.name}"
            ctx.ask(component, ReportHealth(), within=ANSWER_WITHIN, tag=tag)

    def _record(self, number: int, ctx: Context) -> None:
        ctx.tell(self._persister, RecordValue(key=LOOPS_ON_RECORD, value=str(number)))

    def _hear(self, reply: Replied, ctx: Context) -> None:
        loop, _, name = reply.tag.partition(":")
        if int(loop) != self._loop:
            return
        self._answers[name] = _answer(name, reply.value, reply.error)
        if reply.timed_out:
            self._late.add(name)
        if len(self._answers) < len(self._components):
            return
        answers = tuple(self._answers[component.name] for component in self._components)
        self._heard, self._heard_at = answers, ctx.now()
        failures = tuple(f"{a.component}: {a.detail}" for a in answers if not a.is_well)
        self._finished, self._passed = self._loop, not failures
        if failures:
            self._failed(self._loop, failures, ctx)
        else:
            self._late_loops, self._last_result = 0, "passed"
            evidence = tuple(f"{a.component}: {a.detail}" for a in answers)
            passed = PreflightPassed(loop=self._loop, evidence=evidence, at=ctx.market_time())
            ctx.tell(self._guardian, passed)
        ran = LoopRan(
            number=self._loop, passed=self._passed, at=ctx.market_time(), is_again=self._is_again
        )
        ctx.publish(LOOP_TOPIC, ran)

    def _failed(self, loop: int, failures: tuple[str, ...], ctx: Context) -> None:
        self._last_result = f"failed: {'; '.join(failures)}"
        self._late_loops = self._late_loops + 1 if self._late else 0
        unwell = {name for name, said in self._answers.items() if not said.is_well}
        is_late = unwell == self._late and self._late_loops < LATE_LOOPS_MAX
        at = ctx.market_time()
        failed = PreflightFailed(loop=loop, failures=failures, at=at, is_late=is_late)
        ctx.tell(self._guardian, failed)
        if self._since_start <= TRIES_AT_A_START:
            ctx.after(TRY_AGAIN_AFTER, RunPreflight(is_again=True), key="try again")

    def _loops(self) -> LoopsReported:
        return LoopsReported(
            begun=self._loop or 0,
            finished=self._finished,
            passed=self._passed,
            overruns=self._overruns,
        )

    def state_view(self) -> Mapping[str, object]:
        """The loop's number, what came of the last one, what each component said in it, and when
        (machine time); and how many began too late.
        """
        return {
            "loop": self._loop,
            "passed": self._passed,
            "last_result": self._last_result,
            "overruns": self._overruns,
            "late_loops": self._late_loops,
            "loop_interval": self._loop_interval,
            "heard_at": self._heard_at,
            "heard": [
                {"component": said.component, "is_well": said.is_well, "detail": said.detail}
                for said in self._heard
            ],
        }


def _answer(name: str, value: Any, error: str | None) -> HealthReported:
    """What was heard, or that nothing good was."""
    if isinstance(value, HealthReported):
        return value
    detail = error or f"no answer within {ANSWER_WITHIN / SECOND:g} s"
    return HealthReported(component=name, is_well=False, detail=detail)
