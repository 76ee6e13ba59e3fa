"""The portfolio bot: proposes each day what every bot may lose, and takes back what is not used."""

from collections.abc import Mapping
from typing import TypeAlias

from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.trading.budgets import proposed
from messages.budgets import (
    BUDGETS_TOPIC,
    BudgetDayReported,
    BudgetsJudged,
    ProposeBudgets,
    ReportBudgetDay,
)
from messages.lifecycle import IS_QUARANTINED, Children, Replied, WhichChildren
from messages.loops import LOOP_TOPIC, LoopRan
from messages.positions import BOOK_CHANGED_TOPIC, BookChanged

Inbox: TypeAlias = LoopRan | BudgetDayReported | BudgetsJudged | BookChanged | Replied

ANSWER_WITHIN = 2 * SECOND
RUNS_NOT = frozenset({IS_QUARANTINED, "ended"})
"""What a supervisor says of a child that nobody is about to start again."""


class PortfolioBot(Actor[Inbox]):
    """Proposes the day's grants when the guardian wants them, and anew when other bots run.

    It owns nothing: what it proposes counts once the guardian has verified it by a rule of its own.
    Each loop it looks which of the bots beside it run. One that does not gets nothing, and what it
    has not lost and does not have at risk goes to the others of its bucket. Grants that are in
    force and name the very bots that can have one stay as they are, over a restart too.
    """

    def __init__(self, guardian: Ref[ProposeBudgets | ReportBudgetDay]) -> None:
        self._guardian = guardian
        self._running: frozenset[str] | None = None
        """The bots that run; None: not known yet, and nothing is proposed."""
        self._settled: frozenset[str] | None = None
        """Those that ran when the grants in force were found to be right."""
        self._asked: BudgetDayReported | None = None
        """Came before it was known who runs."""
        self._proposals = 0
        self._session = ""
        self._refusal = ""
        self._missing = ""

    def start(self, ctx: Context) -> None:
        ctx.subscribe(LOOP_TOPIC)
        ctx.subscribe(BUDGETS_TOPIC)
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        self._look(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case LoopRan():
                self._look(ctx)
            case Replied(value=Children() as children):
                self._see(children, ctx)
            case Replied(value=BudgetDayReported() as report):
                self._consider(report, ctx)
            case Replied():
                pass  # nobody answered: the next loop asks again
            case BudgetDayReported():
                self._consider(message, ctx)
            case BookChanged():
                self._settled = None  # also of a guardian that died, and does not know us any more
            case BudgetsJudged():
                self._session, self._refusal = message.session, message.refusal
                if message.refusal:
                    self._settled = None  # the next loop proposes again, by what is known then
            case _:
                unhandled(message)

    def _look(self, ctx: Context) -> None:
        assert ctx.parent is not None, "it has a supervisor"
        ctx.ask(ctx.parent, WhichChildren(), within=ANSWER_WITHIN, tag="children")

    def _see(self, children: Children, ctx: Context) -> None:
        self._running = frozenset(
            child.name for child in children.children if child.status not in RUNS_NOT
        )
        if self._asked is not None:
            report, self._asked = self._asked, None
            self._consider(report, ctx)
        elif self._running != self._settled:
            ctx.ask(self._guardian, ReportBudgetDay(), within=ANSWER_WITHIN, tag="day")

    def _consider(self, report: BudgetDayReported, ctx: Context) -> None:
        day = report.day
        if day is None or not day.terms.is_proposed:
            return
        if self._running is None:
            self._asked = report
            return
        bots = {bot for names in day.terms.bots.values() for bot in names}
        proposal = proposed(day, bots - self._running)
        if proposal is None:
            unknown = sorted(bot for bot, used in day.used.items() if used is None)
            self._missing = f"what {', '.join(unknown)} has at risk is not known"
            return
        self._missing = ""
        self._settled = self._running
        if report.is_granted and proposal.grants.keys() == day.granted.keys():
            self._session = day.session
            return
        self._proposals += 1
        ctx.tell(self._guardian, ProposeBudgets(proposal=proposal))

    def state_view(self) -> Mapping[str, object]:
        """Who runs, how often it proposed, what came of the last time, and what it waits for."""
        return {
            "running": None if self._running is None else sorted(self._running),
            "proposals": self._proposals,
            "session": self._session,
            "refusal": self._refusal,
            "missing": self._missing,
        }
