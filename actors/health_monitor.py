"""The health monitor: every loop it asks each component, and tells the guardian what it heard."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from hydra.actor import MILLISECOND, SECOND, Actor, Context, Ref, unhandled
from messages.control import PreflightFailed, PreflightPassed
from messages.health import HealthReported, ReportHealth, RunPreflight
from messages.lifecycle import Replied

Inbox: TypeAlias = RunPreflight | Replied

ANSWER_WITHIN = 2 * SECOND
TRY_AGAIN_AFTER = 250 * MILLISECOND
TRIES_AT_A_START = 20
"""So many loops follow one another at once if they fail: nobody has to wait a whole one, at a
start, for what just came good.
"""


class HealthMonitor(Actor[Inbox]):
    """Preflight passes only if every component answered well in time; no answer is a failure."""

    def __init__(
        self,
        components: tuple[Ref[ReportHealth], ...],
        guardian: Ref[PreflightPassed | PreflightFailed],
        loop_interval: int,
    ) -> None:
        self._components = components
        self._guardian = guardian
        self._loop_interval = loop_interval
        self._loop = 0
        self._answers: dict[str, HealthReported] = {}
        self._heard: tuple[HealthReported, ...] = ()
        """What the last loop that came to its end heard, and when (machine time) that was."""
        self._heard_at: int | None = None
        self._last_result = "none yet"
        self._overruns = 0

    def start(self, ctx: Context) -> None:
        ctx.every(self._loop_interval, RunPreflight())
        self._begin(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case RunPreflight():
                self._begin(ctx)
            case Replied():
                self._hear(message, ctx)
            case _:
                unhandled(message)

    def _begin(self, ctx: Context) -> None:
        if self._loop and len(self._answers) < len(self._components):
            self._overruns += 1  # recorded, never stacked: the loop before has not ended yet
            ctx.log("loop_overrun", loop=self._loop)
            return
        self._loop += 1
        self._answers = {}
        for component in self._components:
            tag = f"{self._loop}:{component.name}"
            ctx.ask(component, ReportHealth(), within=ANSWER_WITHIN, tag=tag)

    def _hear(self, reply: Replied, ctx: Context) -> None:
        loop, _, name = reply.tag.partition(":")
        if int(loop) != self._loop:
            return
        self._answers[name] = _answer(name, reply.value, reply.error)
        if len(self._answers) < len(self._components):
            return
        answers = tuple(self._answers[component.name] for component in self._components)
        self._heard, self._heard_at = answers, ctx.now()
        failures = tuple(f"{a.component}: {a.detail}" for a in answers if not a.is_well)
        if failures:
            self._last_result = f"failed: {'; '.join(failures)}"
            failed = PreflightFailed(failures=failures, at=ctx.market_time())
            ctx.tell(self._guardian, failed)
            if self._loop <= TRIES_AT_A_START:
                ctx.after(TRY_AGAIN_AFTER, RunPreflight(), key="try again")
        else:
            self._last_result = "passed"
            evidence = tuple(f"{a.component}: {a.detail}" for a in answers)
            ctx.tell(self._guardian, PreflightPassed(evidence=evidence, at=ctx.market_time()))

    def state_view(self) -> Mapping[str, object]:
        """The loop's number, what came of the last one, what each component said in it, and when
        (machine time); and how many began too late.
        """
        return {
            "loop": self._loop,
            "last_result": self._last_result,
            "overruns": self._overruns,
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
