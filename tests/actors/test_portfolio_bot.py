"""The portfolio bot beside a guardian that wants grants: what it proposes, and when again."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from actors.portfolio_bot import PortfolioBot
from hydra.actor import Actor, Context, Ref
from hydra.testkit import Kit, Probe
from hydra.trading.budgets import BudgetDay, BudgetTerms, GrantProof, GrantProposal
from messages.budgets import (
    BUDGETS_TOPIC,
    BudgetDayReported,
    BudgetsJudged,
    ProposeBudgets,
    ReportBudgetDay,
)
from messages.lifecycle import StartChild, StopChild
from messages.loops import LOOP_TOPIC, LoopRan
from messages.message import Message

D = Decimal
TERMS = BudgetTerms(
    bucket_pct={"momentum": D(50), "crypto": D(25)},
    bots={"momentum": ("one", "two"), "crypto": ("coins",)},
    bot_min_pct=D(5),
    bot_max_pct=D(30),
)
SHARED = {"one": D("250.00"), "two": D("250.00"), "coins": D("250.00")}


class Bot(Actor[Any]):
    """Runs, and no more."""

    def receive(self, message: Message, ctx: Context) -> None:
        """Whatever it is told."""


def day(
    used: Mapping[str, Decimal | None] | None = None,
    granted: Mapping[str, Decimal] | None = None,
    terms: BudgetTerms = TERMS,
) -> BudgetDay:
    return BudgetDay(
        session="2026-01-05",
        loss_limit=D(1_000),
        terms=terms,
        used=used or {},
        granted=granted or {},
    )


class Desk:
    """A guardian that says what day it is, grants what is proposed, and keeps it."""

    def __init__(self, kit: Kit, today: BudgetDay | None, *, is_granted: bool = False) -> None:
        self.report = BudgetDayReported(day=today, is_granted=is_granted)
        self.refusal = ""
        self.probe: Probe = kit.probe("guardian")
        self.probe.reply_with(self._answer)

    def _answer(self, message: Message) -> Message | None:
        if isinstance(message, ReportBudgetDay):
            return self.report
        if isinstance(message, ProposeBudgets):
            return BudgetsJudged(session=message.proposal.session, refusal=self.refusal)
        return None

    @property
    def proposals(self) -> list[GrantProposal]:
        return [each.proposal for each in self.probe.told if isinstance(each, ProposeBudgets)]


@pytest.fixture
def kit() -> Kit:
    made = Kit()
    for name in ("one", "two", "coins"):
        made.start(Bot, name=name)
    return made


def begun(kit: Kit, desk: Desk) -> Ref[Message]:
    ref = kit.start(PortfolioBot, name="portfolio_bot", guardian=desk.probe.ref)
    kit.settle()
    return ref


def loop(kit: Kit, number: int = 1) -> None:
    kit.publish(LOOP_TOPIC, LoopRan(number=number, passed=True, at=kit.now))


def test_at_its_start_it_proposes_the_days_grants_with_their_proof(kit: Kit) -> None:
    desk = Desk(kit, day(used={"one": D(20), "gone": D(30)}))

    begun(kit, desk)

    assert desk.proposals == [
        GrantProposal(
            session="2026-01-05",
            grants=SHARED,
            refused={},
            proof=GrantProof(limit=D(1_000), granted=D("750.00"), beyond=D(30)),
        )
    ]


def test_a_day_that_begins_is_answered_at_once(kit: Kit) -> None:
    desk = Desk(kit, None)
    begun(kit, desk)
    assert desk.proposals == []

    kit.publish(BUDGETS_TOPIC, BudgetDayReported(day=day(), is_granted=False))

    assert [each.grants for each in desk.proposals] == [SHARED]


def test_grants_that_are_in_force_and_fit_stay_as_they_are(kit: Kit) -> None:
    granted = {"one": D("200.00"), "two": D("250.00"), "coins": D("250.00")}
    desk = Desk(kit, day(granted=granted), is_granted=True)
    begun(kit, desk)

    loop(kit)

    assert desk.proposals == []


def test_a_bot_that_stops_gives_back_what_it_has_not_used_and_gets_it_again(kit: Kit) -> None:
    desk = Desk(kit, day())
    begun(kit, desk)
    desk.report = BudgetDayReported(day=day(used={"two": D(300)}, granted=SHARED), is_granted=True)

    kit.ask(Ref("/kit"), StopChild(name="two"))
    loop(kit, 1)
    loop(kit, 2)

    returned = desk.proposals[1:]
    assert [each.grants for each in returned] == [{"one": D("200.00"), "coins": D("250.00")}]
    assert returned[0].refused == {"two": "it does not run"}
    assert returned[0].proof == GrantProof(limit=D(1_000), granted=D("450.00"), beyond=D(300))

    desk.report = BudgetDayReported(day=day(granted=returned[0].grants), is_granted=True)
    kit.ask(Ref("/kit"), StartChild(name="two"))
    loop(kit, 3)

    assert [each.grants for each in desk.proposals[2:]] == [SHARED]


def test_a_quarantined_bot_gets_nothing(kit: Kit) -> None:
    desk = Desk(kit, day())
    begun(kit, desk)
    desk.report = BudgetDayReported(day=day(granted=SHARED), is_granted=True)
    for _ in range(4):
        kit.kill(Ref("/kit/one"))
        kit.advance(15 * 10**9)
    assert kit.status(Ref("/kit/one")) == "quarantined"

    loop(kit)

    # The other one's bucket has 500 USD free now, of which one bot gets at most 300.
    assert desk.proposals[-1].grants == {"two": D("300.00"), "coins": D("250.00")}


def test_without_knowing_what_is_at_risk_nothing_is_proposed_until_it_is_known(kit: Kit) -> None:
    desk = Desk(kit, day(used={"one": None}))
    ref = begun(kit, desk)
    assert desk.proposals == []
    assert kit.state(ref)["missing"] == "what one has at risk is not known"

    kit.publish(BUDGETS_TOPIC, BudgetDayReported(day=day(), is_granted=False))

    assert len(desk.proposals) == 1


def test_what_is_refused_is_proposed_again_by_what_is_known_in_the_next_loop(kit: Kit) -> None:
    desk = Desk(kit, day())
    desk.refusal = "too much is at risk"
    ref = begun(kit, desk)
    assert kit.state(ref)["refusal"] == "too much is at risk"
    desk.refusal, desk.report = "", BudgetDayReported(day=day(used={"x": D(400)}), is_granted=False)

    loop(kit)

    assert len(desk.proposals) == 2
    assert desk.proposals[1].proof.holds
    assert kit.state(ref)["refusal"] == ""


def test_where_nobody_is_to_propose_it_does_not(kit: Kit) -> None:
    desk = Desk(kit, day(terms=structs.replace(TERMS, is_proposed=False)))
    begun(kit, desk)

    assert desk.proposals == []
