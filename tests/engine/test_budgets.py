"""Budgets in the whole engine: proposed by the portfolio bot, owned by the guardian, on record."""

from collections.abc import Callable, Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from actors.guardian_terms import GuardianTerms, TakeTerms
from hydra.actor import MINUTE, SECOND
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import Envelope
from hydra.trading.budgets import BudgetDay, GrantProof, GrantProposal
from hydra.trading.causes import BOT_DOWN
from hydra.trading.trading_state import TradingState
from messages.budgets import BudgetDayReported, BudgetsJudged, ProposeBudgets, ReportBudgetDay
from messages.lifecycle import StartChild, StopChild
from messages.positions import BookRecovered, RecoverBook
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    WIDE,
    Life,
    World,
    bars_of,
    begun,
    market_of,
    quiet,
    settings_with,
    shipped_settings,
)

D = Decimal
SESSION = "2016-04-15"
GRANTED = {"mom_AAPL": D("125.00"), "mom_AAPL_cross": D("125.00")}
"""Of 1,000 USD that may be lost in the day, a quarter is the momentum bucket's."""


def granted(life: Life) -> Mapping[str, Decimal]:
    report = life.ask(paths.RISK_GUARDIAN, ReportBudgetDay())
    assert isinstance(report, BudgetDayReported)
    return {} if report.day is None else report.day.granted


def proposals(life: Life, *, by: tuple[int, ...]) -> Callable[[], None]:
    """Proposals come so much later; no times: never. Gives the function that ends it."""

    def late(cell: Cell, envelope: Envelope) -> tuple[int, ...] | None:
        return by if isinstance(envelope.message, ProposeBudgets) else None

    return life.runtime.add_filter(late)


def why_denied(life: Life) -> list[tuple[str, str]]:
    denials = life.journal.events("order_denied")
    return [(str(record["check"]), str(record["reason"])) for record in denials]


def from_the_bell(changes: Mapping[str, object] | None = None) -> World:
    """A market with a price of before the bell, in which bots may enter as soon as it rings."""
    settings = settings_with(changes or {})
    bots = tuple(
        bot.model_copy(
            update={"session": bot.session.model_copy(update={"trade_start": time(6, 30)})}
        )
        for bot in settings.momentum_bots
    )
    data = market_of(bars_of([100.0] * 31, start_at=OPEN_AT - MINUTE))
    return World(data, settings=settings.model_copy(update={"momentum_bots": bots}))


def test_the_days_grants_are_on_record_with_their_proof_before_anything_is_entered_i32() -> None:
    life = begun(World(quiet()))

    (line,) = life.journal.events("budgets_granted")
    assert line["session"] == SESSION
    assert line["proof"] == GrantProof(limit=D("1000.000"), granted=D("250.00"), beyond=D(0))
    assert granted(life) == GRANTED == life.ledger.budgets(SESSION)
    life.enter()
    assert life.denials == []


def test_an_entry_of_a_days_first_moment_waits_for_its_grants() -> None:
    life = from_the_bell().begin(with_bots=False)
    proposals(life, by=(2 * SECOND,))
    life.run_to(OPEN_AT)

    name = life.enter()
    assert (life.status_of(name), life.denials) == (None, [])
    life.advance(3 * SECOND)

    assert (life.status_of(name), life.denials) == ("accepted", [])


def test_what_a_bot_asks_behind_an_entry_that_waits_is_answered_behind_it_i38() -> None:
    life = from_the_bell().begin(with_bots=False)
    proposals(life, by=(2 * SECOND,))
    life.run_to(OPEN_AT)
    books: list[BookRecovered] = []

    def look(cell: Cell, envelope: Envelope) -> None:
        if isinstance(envelope.message, BookRecovered):
            books.append(envelope.message)

    life.runtime.add_filter(look)
    name = life.enter()

    life.tell(paths.RISK_GUARDIAN, RecoverBook(bot="mom_AAPL", reply_to="/hydra/bots/mom_AAPL"))
    assert books == []
    life.advance(3 * SECOND)

    (book,) = books
    assert [each.order.client_order_id for each in book.orders] == [name]


def test_nobody_waits_for_grants_that_do_not_come() -> None:
    life = from_the_bell().begin(with_bots=False)
    proposals(life, by=())
    life.run_to(OPEN_AT)
    life.enter()
    assert life.denials == []

    life.advance(6 * SECOND)

    assert why_denied(life) == [("bot_budget_covers_loss", "no budget was granted for the bot")]
    assert [line["fallback"] for line in life.journal.events("budgets_overdue")] == [{}]


def test_no_word_lets_its_halt_go_while_the_portfolio_bot_is_quarantined_i04_i69() -> None:
    life = begun(World(quiet(60)))
    for _ in range(6):
        life.crash(paths.PORTFOLIO_BOT)
        life.advance(SECOND)
    refused = life.resume("bot_down:portfolio_bot").refused

    assert life.causes == {"bot_down:portfolio_bot": TradingState.CLOSE_ONLY}
    assert [line.partition(":")[0] for line in refused] == ["bot_down"]

    life.ask(paths.BOTS, StartChild(name="portfolio_bot"))
    life.advance(SECOND)
    life.resume("bot_down:portfolio_bot")

    assert life.causes == {}


def test_a_guardian_that_dies_hears_again_that_the_portfolio_bot_lives_i04_i69() -> None:
    life = begun(World(quiet(60)))
    life.halt(BOT_DOWN.cause(subject="portfolio_bot", since=life.now, detail="a test"))

    life.crash(paths.RISK_GUARDIAN)
    life.advance(11 * SECOND)
    life.resume()

    assert life.causes == {}


def test_a_fallback_grants_the_least_until_more_is_proposed() -> None:
    life = from_the_bell({"safety.allow_budget_fallback": True}).begin(with_bots=False)
    answer = proposals(life, by=())
    life.run_to(OPEN_AT + MINUTE)

    life.advance(6 * SECOND)

    least = dict.fromkeys(GRANTED, D("50.00"))  # five percent of 1,000 USD
    assert granted(life) == least
    assert [line["fallback"] for line in life.journal.events("budgets_overdue")] == [least]
    life.enter()
    assert life.denials == []

    answer()
    life.advance(6 * SECOND)
    assert granted(life) == GRANTED


def test_trading_does_not_open_in_a_day_before_its_budgets_are_granted_i06() -> None:
    world = World(quiet())
    world.now = OPEN_AT + 2 * MINUTE
    life = world.begin(with_bots=False)

    cleared, given = (
        life.journal.records.index(life.journal.events(event)[0])
        for event in ("preflight_passed", "budgets_granted")
    )
    assert given < cleared


def test_who_is_not_the_portfolio_bot_has_nothing_granted() -> None:
    life = begun(World(quiet()))
    wish = GrantProposal(
        session=SESSION,
        grants={"mom_AAPL": D("250.00")},
        refused={},
        proof=GrantProof(limit=D(1_000), granted=D(250), beyond=D(0)),
    )

    answer = life.ask(paths.RISK_GUARDIAN, ProposeBudgets(proposal=wish))

    refusal = "only /hydra/bots/portfolio_bot proposes"
    assert answer == BudgetsJudged(session=SESSION, refusal=refusal)
    assert granted(life) == GRANTED


def test_a_bot_that_is_stopped_gives_its_budget_back_and_gets_it_again_i33(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    life = begun(world)

    life.ask(paths.BOTS, StopChild(name="mom_AAPL_cross"))
    life.advance(6 * SECOND)
    assert granted(life) == {"mom_AAPL": D("250.00")}
    assert life.ledger.budgets(SESSION) == {"mom_AAPL": D("250.00"), "mom_AAPL_cross": D(0)}
    life.enter(bot="mom_AAPL_cross")
    assert why_denied(life) == [("bot_budget_covers_loss", "no budget was granted for the bot")]

    life.ask(paths.BOTS, StartChild(name="mom_AAPL_cross"))
    life.advance(6 * SECOND)
    assert granted(life) == GRANTED


def test_a_restart_finds_its_grants_and_what_was_used_of_them_i38(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    first = begun(world)
    first.enter(quantity=5)
    first.run_for(MINUTE)
    left_before = day_of(first).used["mom_AAPL"]
    first.die()

    second = begun(world)
    second.run_for(MINUTE)

    assert granted(second) == GRANTED
    assert second.journal.events("budgets_granted") == []
    assert left_before is not None and day_of(second).used["mom_AAPL"] == left_before


def terms_of(life: Life) -> GuardianTerms:
    core = life.tree.args["children"][0]
    (guardian,) = (spec for spec in core.args["children"] if spec.name == paths.RISK_GUARDIAN.name)
    terms = guardian.args["terms"]
    assert isinstance(terms, GuardianTerms)
    return terms


def test_that_nothing_can_be_granted_is_said_once_for_each_reason(tmp_path: Path) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db", settings=settings_with(WIDE))
    life = begun(world)
    life.enter(100, protective_stop="70")
    life.run_for(MINUTE)
    life.die()

    life = world.begin(with_bots=False, settings=shipped_settings())
    life.run_closely(5 * MINUTE)

    (refused,) = life.journal.events("budgets_refused")
    assert str(refused["reason"]).startswith("found 0 USD of grants and 4501.")


def test_a_limit_that_is_made_tighter_takes_back_what_does_not_fit_and_is_shared_out_anew_i41() -> (
    None
):
    life = begun(World(quiet()))
    terms = terms_of(life)
    limits = structs.replace(terms.desk.limits, daily_loss_pct_max=D("0.5"))
    tighter = structs.replace(terms, desk=structs.replace(terms.desk, limits=limits))

    life.ask(paths.RISK_GUARDIAN, TakeTerms(terms=tighter))
    life.advance(SECOND)

    assert granted(life) == dict.fromkeys(GRANTED, D("62.50")) == life.ledger.budgets(SESSION)


@pytest.mark.parametrize("seed", range(5))
def test_whoever_is_slow_the_days_grants_are_there_soon_i32(seed: int) -> None:
    life = from_the_bell().begin(with_bots=False, explore=seed)

    life.run_to(OPEN_AT + MINUTE + 10 * SECOND)

    assert granted(life) == GRANTED
    assert life.state is TradingState.ACTIVE


def day_of(life: Life) -> BudgetDay:
    report = life.ask(paths.RISK_GUARDIAN, ReportBudgetDay())
    assert isinstance(report, BudgetDayReported) and report.day is not None
    return report.day


def test_without_the_portfolio_bot_positions_are_left_and_nothing_is_entered_a7(
    tmp_path: Path,
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    first = begun(world)
    first.enter()
    first.run_for(MINUTE)
    first.die()

    second = world.begin(with_bots=False, settings=settings_with({"portfoliobot.enabled": False}))
    second.run_for(MINUTE)
    assert second.state is TradingState.ACTIVE
    second.enter(quantity=2)
    second.exit()
    second.run_for(MINUTE)

    assert why_denied(second) == [("bot_budget_covers_loss", "no budget was granted for the bot")]
    assert second.positions == {}
