"""The day's budgets: the guardian says what day it is, the portfolio bot proposes, it judges."""

from hydra.trading.budgets import BudgetDay, GrantProposal
from messages.message import ControlMessage, Message


class ReportBudgetDay(Message, frozen=True, kw_only=True):
    """Ask the guardian for its `BudgetDayReported`."""


class BudgetDayReported(Message, frozen=True, kw_only=True):
    """What has to be known to propose grants. `day` None: no trading day has begun, or what may be
    lost in it is not known. Published on `BUDGETS_TOPIC` when grants are wanted.

    `is_granted`: grants are in force that were proposed for this day, and verified.
    """

    day: BudgetDay | None
    is_granted: bool


BUDGETS_TOPIC = "budgets"


class ProposeBudgets(ControlMessage, frozen=True, kw_only=True):
    """Portfolio bot to guardian: who is to be allowed to lose how much. Nobody else says it."""

    proposal: GrantProposal


class BudgetsJudged(Message, frozen=True, kw_only=True):
    """What came of a proposal: `refusal` is "" if it is granted."""

    session: str
    refusal: str


class GrantsOverdue(ControlMessage, frozen=True, kw_only=True):
    """The guardian's word to itself: nobody has proposed grants in time."""
