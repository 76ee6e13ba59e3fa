"""The guardian's side of the day's budgets: it says that grants are wanted, verifies and owns them.

At the start of a day, and while the engine starts, entries wait a moment for the grants of that
day: they are being proposed just then, and a first signal is not to be lost to a race.
"""

from decimal import Decimal
from typing import Any

from hydra.actor import SECOND, Context, Ref
from hydra.trading.risk_desk import RiskDesk
from messages.budgets import (
    BUDGETS_TOPIC,
    BudgetDayReported,
    BudgetsJudged,
    GrantsOverdue,
    ProposeBudgets,
)
from messages.control import RecordBudgets

GRANTS_WITHIN = 5 * SECOND
"""Machine time. Without grants by then entries are denied, or get the least (budget fallback)."""
HELD_MAX = 500
"""So many messages wait at most. What comes on top is judged as it is, without a budget."""


class Granting:
    """Grants of the day: none until they were proposed and verified."""

    def __init__(self, desk: RiskDesk, persister: Ref[Any], portfolio: Ref[Any]) -> None:
        self._desk = desk
        self._persister = persister
        self._portfolio = portfolio
        self._held = 0
        self._refusal = ""
        """Why the last proposal was not granted; empty: it was."""
        self.is_waiting = False
        """Grants are wanted, and may be here any moment."""
        self.is_heard = False
        """The portfolio bot has spoken, and was not found down since."""

    def budgets_changed(self, ctx: Context) -> None:
        """A day has begun, or the terms are others, or what is on record was read."""
        if not self._desk.wants_grants:
            self._wait_no_more(ctx)
            return
        if self.is_waiting:
            return  # they were asked for just now
        self.is_waiting = True
        ctx.after(GRANTS_WITHIN, GrantsOverdue())
        ctx.publish(BUDGETS_TOPIC, self.report())

    def ask_again(self, ctx: Context) -> None:
        """Whoever proposes may have been down when they were wanted; just now is no such time."""
        if self._desk.wants_grants and not self.is_waiting:
            ctx.publish(BUDGETS_TOPIC, self.report())

    def heard_from(self, sender: Ref[Any] | None) -> None:
        """Somebody asks or proposes."""
        self.is_heard = self.is_heard or sender == self._portfolio

    def lost(self) -> None:
        """The portfolio bot is down; whether it came back, it says itself."""
        self.is_heard = False

    def report(self) -> BudgetDayReported:
        """What is to be known to propose grants."""
        return BudgetDayReported(day=self._desk.budget_day, is_granted=self._desk.is_granted)

    def judge(self, message: ProposeBudgets, ctx: Context) -> BudgetsJudged:
        """Put the grants in force and on record, or say why not."""
        proposal, before = message.proposal, self._desk.granted.grants
        refusal: str | None = f"only {self._portfolio.path} proposes"
        if ctx.sender == self._portfolio:
            refusal = self._desk.grant(proposal)
        if refusal is not None:
            if refusal != self._refusal:  # it is proposed again after each loop
                ctx.log("budgets_refused", session=proposal.session, reason=refusal)
            self._refusal = refusal
            return BudgetsJudged(session=proposal.session, refusal=refusal)
        grants, self._refusal = proposal.grants, ""
        # What is taken back is on record as nothing: a restart must not find it again.
        on_record = {**dict.fromkeys(before, Decimal(0)), **grants}
        ctx.tell(self._persister, RecordBudgets(session=proposal.session, grants=on_record))
        ctx.log(
            "budgets_granted",
            session=proposal.session,
            grants=grants,
            refused=proposal.refused,
            proof=proposal.proof,
        )
        self._wait_no_more(ctx)
        return BudgetsJudged(session=proposal.session, refusal="")

    def overdue(self, ctx: Context) -> None:
        """Nobody has proposed anything in time."""
        if not self.is_waiting:
            return
        if self._desk.wants_grants:
            fell_back = self._desk.fall_back()
            least = self._desk.granted.grants if fell_back else {}
            ctx.log("budgets_overdue", session=self._desk.day.session, fallback=least)
        self._wait_no_more(ctx)

    def holds(self, ctx: Context) -> bool:
        """Whether the message being handled waits for the grants; it comes again by itself."""
        if not self.is_waiting or self._held >= HELD_MAX:
            return False
        self._held += 1
        ctx.stash()
        return True

    def holds_behind(self, ctx: Context) -> bool:
        """The same for one that must not overtake those that wait."""
        return self._held > 0 and self.holds(ctx)

    def _wait_no_more(self, ctx: Context) -> None:
        self.is_waiting, self._held = False, 0
        ctx.unstash()
