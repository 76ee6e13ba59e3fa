"""Splits and the like in the whole engine: nothing is entered near one, and nothing held over it.

It is Friday 2016-04-15; the next session is Monday's.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actors.action_watch import AHEAD, BEHIND, READ_EVERY
from hydra.actor import MINUTE, SECOND, Ref
from hydra.trading.corporate_actions import CorporateAction
from hydra.venues.simulated.faults import DriftPosition
from messages.lifecycle import StartChild
from messages.market import BarsReceived, HistoryReported, ReportHistory
from supervisors import paths
from tests.actors.option_stage import CALL
from tests.engine import option_world
from tests.engine.harness import (
    CLOSE_AT,
    ENTRY_AT,
    NEXT_OPEN_AT,
    OPEN_AT,
    Life,
    World,
    bars_of,
    plan_of,
    struck,
    two_days,
)
from tests.engine.option_world import holding
from tests.engine.scripted_actions import ScriptedActions
from tests.engine.test_settling import settle

BOT: Ref[Any] = paths.bot("mom_AAPL")
DENIED = "no_corporate_action_is_near"
MONDAY = date(2016, 4, 18)
SPLIT = CorporateAction(
    kind="forward_splits", symbols=("AAPL",), first=MONDAY, last=MONDAY, terms="4 for 1"
)
OTHER = structs.replace(SPLIT, symbols=("MSFT",))
LATER = structs.replace(SPLIT, first=date(2016, 5, 2), last=date(2016, 5, 2))
WORDS = "forward split 4 for 1 of AAPL, ex-date 2016-04-18"
SHUT = "entries are shut from the session before it to its end"
DIVIDEND = structs.replace(SPLIT, kind="cash_dividends", terms="")


def still() -> World:
    """Two days on which no bot has a reason to do anything."""
    return World(two_days([100.0] * 390, [25.0] * 30))


def by_hand(source: ScriptedActions, world: World | None = None) -> Life:
    """A life at a time at which entries may be made."""
    life = (world or still()).begin(with_bots=False, actions=source)
    life.run_to(ENTRY_AT)
    return life


def denied(life: Life) -> list[tuple[str, str]]:
    """By which check, and why."""
    found = life.journal.events("order_denied")
    return [(str(line["check"]), str(line["reason"])) for line in found]


def known(life: Life) -> list[tuple[list[str], list[str]]]:
    """What was written down: the shares that are not known, and what is near."""
    found = life.journal.events("corporate_actions_known")
    return [(list(line["unknown"]), list(line["near"])) for line in found]


def incarnation(life: Life, ref: Ref[Any]) -> int:
    return life.runtime.cells[ref.path].incarnation


def enters(life: Life) -> bool:
    """Whether an entry would pass this check now."""
    before = len(life.denials)
    life.enter()
    return DENIED not in life.denials[before:]


# Entries


@pytest.mark.parametrize("actions", [(), (OTHER,), (LATER,), (DIVIDEND,)])
def test_where_nothing_is_near_entries_pass(actions: tuple[CorporateAction, ...]) -> None:
    life = by_hand(ScriptedActions(*actions))

    name = life.enter()

    assert (life.denials, life.status_of(name)) == ([], "accepted")


def test_nothing_is_entered_on_the_day_before_a_split_and_what_is_held_can_be_sold() -> None:
    source = ScriptedActions()
    life = by_hand(source)
    life.enter(3)
    life.run_for(MINUTE)
    source.actions = (SPLIT,)  # it is announced late
    life.run_for(READ_EVERY + MINUTE)

    life.enter()
    sold = life.exit(1)

    assert denied(life) == [(DENIED, f"{WORDS}: {SHUT}")]
    assert life.status_of(sold) == "accepted"
    assert known(life) == [([], []), ([], [WORDS])]


def test_nothing_is_entered_on_the_ex_date_either() -> None:
    life = by_hand(ScriptedActions(SPLIT))
    life.run_to(NEXT_OPEN_AT + 6 * MINUTE + 5 * SECOND)

    assert not enters(life)


@pytest.mark.parametrize("fault", ["GET /v1/corporate-actions: no answer in time", None])
def test_where_they_cannot_be_read_nothing_is_entered_until_they_are_i46(fault: str | None) -> None:
    source = ScriptedActions()
    source.fault = fault
    life = by_hand(source)

    before = enters(life)
    source.fault = ""
    life.run_for(3 * MINUTE)

    assert (before, enters(life)) == (False, True)
    reasons = [str(line["reason"]) for line in life.journal.events("corporate_actions_unread")]
    assert reasons[0] == (fault or "no answer within 30 s")
    assert known(life) == [(["AAPL"], []), ([], [])]


def test_one_that_cannot_be_read_shuts_its_own_share_alone() -> None:
    source = ScriptedActions()
    source.unread = ("MSFT",)
    life = by_hand(source)
    assert enters(life)

    source.unread = ("AAPL",)
    life.run_for(READ_EVERY + MINUTE)

    assert not enters(life)
    assert denied(life)[-1][1] == "it is not known whether a split or the like of AAPL is near"


def test_what_was_read_counts_for_a_day_while_nothing_can_be_read() -> None:
    source = ScriptedActions()
    life = by_hand(source)
    source.fault = "the broker is away"
    watch = life.runtime.cells[paths.ACTION_WATCH.path].actor
    life.run_to(CLOSE_AT - 10 * MINUTE)
    assert enters(life)

    life.run_to(NEXT_OPEN_AT + 6 * MINUTE + 5 * SECOND)

    assert watch is not None
    assert not enters(life)


def test_an_action_watch_that_is_gone_shuts_entries_and_one_that_comes_again_opens_them() -> None:
    source = ScriptedActions()
    life = by_hand(source)
    for _ in range(5):
        life.crash(paths.ACTION_WATCH)
        life.advance(SECOND)
    life.run_for(4 * MINUTE)
    assert not enters(life)

    life.tell(paths.OPS, StartChild(name=paths.ACTION_WATCH.name))
    life.run_for(2 * MINUTE)

    assert enters(life)


def test_they_are_read_at_the_start_each_hour_and_on_each_day_of_the_market() -> None:
    source = ScriptedActions()
    life = by_hand(source)
    life.run_to(NEXT_OPEN_AT + 10 * MINUTE)

    days = [each.first.isoformat() for each in source.asked]

    assert days[0] == "2016-04-01"
    assert days[-1] == "2016-04-04"
    assert len(days) >= 7
    assert {each.last - each.first for each in source.asked} == {BEHIND + AHEAD}
    assert all("BTC/USD" not in each.symbols for each in source.asked)
    assert all("AAPL" in each.symbols for each in source.asked)


# What is held


def test_without_anybody_who_tells_nobody_is_waited_for() -> None:
    life = still().begin(with_bots=False)
    life.run_to(ENTRY_AT)

    assert enters(life)
    assert paths.ACTION_WATCH.path not in life.runtime.cells


def test_contracts_are_sold_before_the_close_of_the_day_before_a_split_i30(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(option_world, "QUOTED_EVERY", MINUTE)  # a calm market, and a fast test
    source = ScriptedActions()
    it = holding(tmp_path, source=source)
    source.actions = (structs.replace(SPLIT, symbols=("SPY",)),)

    it.run_to(CLOSE_AT - 31 * MINUTE)
    held = it.positions
    it.run_to(CLOSE_AT - 28 * MINUTE)

    assert held == {CALL: 2}
    assert it.positions == {}
    (sold,) = [each.intent for each in it.life.ledger.orders() if each.intent.side.sign < 0]
    assert sold.reason == "exit bot: forward split 4 for 1 of SPY, ex-date 2016-04-18"
    assert sold.decision.signal < 0


def test_what_a_split_left_is_assigned_for_nothing_and_costs_together_what_it_did_i60() -> None:
    """As `docs/corporate-actions.md` says: 9 shares became 36, and nobody had told of it before."""
    split = struck(DriftPosition(symbol="AAPL", quantity=Decimal(27)), from_event=12)
    life = World(two_days([100.0] * 390, [25.0] * 30), plan_of(split)).begin(with_bots=False)
    life.run_to(ENTRY_AT)
    life.enter(9)
    life.run_to(OPEN_AT + 20 * MINUTE)
    assert life.causes.keys() == {"reconciliation"}

    settle(life, decision="assign", bot="mom_AAPL", price=Decimal(0))
    life.resume()

    assert life.causes == {}
    (held,) = [each.inventory for each in life.ledger.inventories() if each.inventory.position]
    assert (held.position, held.average_price) == (Decimal(36), Decimal(25))


# What was before


def history(life: Life) -> list[int]:
    """When the bars begin that a bot would begin with."""
    told = life.ask(paths.DATA_FEED, ReportHistory(symbol="AAPL", bars=500))
    assert isinstance(told, HistoryReported)
    return [bar.start_at for bar in told.bars]


def test_on_the_ex_date_bots_begin_anew_without_the_bars_of_before_i46() -> None:
    life = still().begin(actions=ScriptedActions(SPLIT))
    life.run_to(CLOSE_AT)
    before = incarnation(life, BOT)
    assert history(life)
    life.run_to(NEXT_OPEN_AT + 5 * MINUTE)

    (line,) = [e for e in life.journal.events("bot_started_anew") if e["bot"] == "mom_AAPL"]
    assert line["reason"] == WORDS
    assert incarnation(life, BOT) == before + 1
    assert history(life) == [NEXT_OPEN_AT + minute * MINUTE for minute in range(5)]
    assert life.view(BOT)["has_history"]


def test_bars_of_before_that_are_fetched_on_the_ex_date_are_no_news_and_no_nonsense_i46() -> None:
    world = still()
    life = by_hand(ScriptedActions(SPLIT), world)
    life.run_to(NEXT_OPEN_AT + MINUTE)
    late = bars_of([100.0] * 3, start_at=CLOSE_AT)

    life.tell(paths.DATA_FEED, BarsReceived(bars=late, is_backfill=True))

    assert history(life) == [NEXT_OPEN_AT]
    assert life.journal.events("bar_dropped") == []


def test_an_engine_that_starts_after_a_split_begins_without_the_bars_of_before_i46(
    tmp_path: Path,
) -> None:
    world = World(two_days([100.0] * 390, [25.0] * 60), ledger_path=tmp_path / "ledger.db")
    first = world.begin(actions=ScriptedActions(SPLIT))
    first.run_to(NEXT_OPEN_AT + 10 * MINUTE)
    first.die()

    life = world.begin(actions=ScriptedActions(SPLIT))
    life.tell(
        paths.DATA_FEED, BarsReceived(bars=bars_of([100.0] * 9, start_at=OPEN_AT), is_backfill=True)
    )
    life.run_for(3 * MINUTE)

    assert all(at >= NEXT_OPEN_AT for at in history(life))
    assert incarnation(life, BOT) == 2
