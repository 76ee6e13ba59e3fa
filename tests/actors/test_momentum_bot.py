"""A bot and its book: it decides nothing before it knows what is on record, the newest of it."""

from decimal import Decimal
from typing import Any

import pytest

from actors.momentum_bot import MomentumBot
from hydra.actor import SECOND, Ref
from hydra.terms import plans_of
from hydra.testkit import Kit, Probe
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import RecordedOrder, Role, Side
from hydra.trading.sub_ledgers import BotInventory
from messages.market import BarClosed, HistoryReported
from messages.orders import OrderIntent, OrderUnknown, ReportStored
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    BookRecovered,
    RecoverBook,
)
from tests.engine.scenery import OPEN_AT, bars_of, quiet, rising, shipped_settings
from tests.store.orders import approved, decision, filled

HELD = BotInventory(
    "mom_AAPL",
    FifoInventory(
        "AAPL",
        (
            Lot(
                side=Side.BUY,
                quantity=Decimal(2),
                price=Decimal(100),
                opened_at=OPEN_AT,
                execution_id="assigned:7",
            ),
        ),
    ),
)


@pytest.fixture
def kit() -> Kit:
    return Kit()


@pytest.fixture
def guardian(kit: Kit) -> Probe:
    return kit.probe("guardian")


@pytest.fixture
def feed(kit: Kit) -> Probe:
    """A data feed that has kept nothing."""
    feed = kit.probe("feed")
    feed.reply_with(lambda _question: HistoryReported(bars=()))
    return feed


@pytest.fixture
def bot(kit: Kit, guardian: Probe, feed: Probe) -> Ref[Any]:
    plan, *_ = plans_of(shipped_settings(), quiet()).momentum
    persister = kit.probe("persister").ref
    return kit.start(
        MomentumBot, plan=plan, guardian=guardian.ref, feed=feed.ref, persister=persister
    )


def change(kit: Kit) -> None:
    """An operator changes what is on record."""
    kit.publish(BOOK_CHANGED_TOPIC, BookChanged())


def book(*held: BotInventory, number: int, asked_by: int = 1) -> BookRecovered:
    return BookRecovered(orders=(), fills=(), held=held, asked_by=asked_by, number=number)


def test_what_it_holds_is_what_the_record_says_fills_or_not_i29_i61(
    kit: Kit, guardian: Probe, bot: Ref[Any]
) -> None:
    asked = guardian.expect(RecoverBook)

    kit.tell(bot, book(HELD, number=1))

    assert asked == RecoverBook(bot="mom_AAPL", reply_to=bot.path, asked_by=1, number=1)
    assert (kit.state(bot)["position"], kit.state(bot)["recovered"]) == ("2", True)


def test_what_it_holds_of_what_it_does_not_trade_is_not_its_affair(
    kit: Kit, guardian: Probe, bot: Ref[Any]
) -> None:
    other = BotInventory("mom_AAPL", FifoInventory("TSLA", HELD.inventory.lots))
    adopted = approved(decision(bot="mom_AAPL", symbol="TSLA"))
    bought = filled(adopted.order, "4")
    order = RecordedOrder(
        decision=adopted.intent.decision,
        order=adopted.order,
        is_open=True,
        filled_quantity=Decimal(4),
    )
    answer = BookRecovered(
        orders=(order,), fills=(bought.fill,), held=(HELD, other), asked_by=1, number=1
    )

    kit.tell(bot, answer)
    kit.tell(bot, ReportStored(decision=adopted.intent.decision, report=bought))

    state = kit.state(bot)
    assert (state["position"], state["working"], state["recovered"]) == ("2", [], True)
    assert kit.incarnation(bot) == 1


def test_when_the_record_changed_only_the_answer_to_the_newest_question_counts_i29(
    kit: Kit, guardian: Probe, bot: Ref[Any]
) -> None:
    kit.tell(bot, book(number=1))
    change(kit)
    change(kit)

    kit.tell(bot, book(number=2))
    with_the_older = kit.state(bot)["recovered"]
    kit.tell(bot, book(HELD, number=3, asked_by=0))
    with_another_lifes = kit.state(bot)["recovered"]
    kit.tell(bot, book(HELD, number=3))

    assert (with_the_older, with_another_lifes) == (False, False)
    assert (kit.state(bot)["position"], kit.state(bot)["recovered"]) == ("2", True)


def test_a_changed_record_that_is_not_told_in_time_fails_the_bot_which_asks_again_i38(
    kit: Kit, guardian: Probe, bot: Ref[Any]
) -> None:
    kit.tell(bot, book(number=1))
    kit.advance(10 * SECOND)
    change(kit)

    kit.advance(6 * SECOND)

    questions = [each for each in guardian.told if isinstance(each, RecoverBook)]
    assert [(each.asked_by, each.number) for each in questions] == [(1, 1), (1, 2), (2, 1)]


def test_history_feeds_its_strategy_and_nothing_is_decided_before_a_bar_that_is_news_i46_i47(
    kit: Kit, guardian: Probe, bot: Ref[Any]
) -> None:
    kit.tell(bot, book(HELD, number=1))
    # The bell, and then a fall through every stop of what it holds.
    falling = bars_of([100.0] * 6 + [90.0] * 3)
    *missed, newest = falling

    for each in missed:
        kit.tell(bot, BarClosed(bar=each, is_backfill=True))
    kit.tell(bot, ReportStored(decision=decision(bot="mom_AAPL"), report=nothing_new()))
    kit.tell(bot, book(HELD, number=1))
    decided_on_history = intents(guardian)
    kit.tell(bot, BarClosed(bar=newest))

    assert decided_on_history == []
    (exit_,) = intents(guardian)
    assert (exit_.decision.role, exit_.decided_at) == (Role.EXIT, newest.end_at)


def test_history_gives_its_indicators_what_live_bars_would_i47(kit: Kit, feed: Probe) -> None:
    plan, *_ = plans_of(shipped_settings(), quiet()).momentum
    closes = [100.0] * 10 + rising(30) + rising(20, from_price=101.5)
    *past, newest = bars_of(closes)
    signals = []
    for is_backfill in (False, True):
        guardian = kit.probe(f"guardian{is_backfill}")
        bot = kit.start(
            MomentumBot,
            name=f"bot{is_backfill}",
            plan=plan,
            guardian=guardian.ref,
            feed=feed.ref,
            persister=kit.probe(f"persister{is_backfill}").ref,
        )
        for each in past:
            kit.tell(bot, BarClosed(bar=each, is_backfill=is_backfill))
        kit.tell(bot, BarClosed(bar=newest))
        signals.append([kit.state(bot)[name] for name in ("signal", "last_close", "session")])

    assert signals[0] == signals[1]


def intents(guardian: Probe) -> list[OrderIntent]:
    return [each for each in guardian.told if isinstance(each, OrderIntent)]


def nothing_new() -> OrderUnknown:
    return OrderUnknown(client_order_id="x", reason="no answer", at=OPEN_AT)
