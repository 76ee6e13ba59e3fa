"""The main job: bars in, orders through the whole chain, trades out."""

from decimal import Decimal

import pytest

from hydra.actor import MINUTE
from hydra.settings.bot_parts import ProtectiveOrder
from messages.summary import Trade
from tests.engine.harness import (
    OPEN_AT,
    Played,
    bars_of,
    market_of,
    play,
    rising,
    settings_with,
    shipped_settings,
)
from tests.engine.scenery import protected_by
from tests.thinned import thinned

QUIET = [100.0] * 10
RISE = rising(30)


def trade(exit_reason: str, exit_price: str, closed_at: int, realised: str) -> Trade:
    """What becomes of the one entry of `QUIET + RISE`: decided and filled at minute 15."""
    return Trade(
        bot="mom_AAPL",
        symbol="AAPL",
        side="buy",
        quantity=Decimal(9),
        entry_price=Decimal("100.20"),
        exit_price=Decimal(exit_price),
        opened_at=OPEN_AT + 15 * MINUTE,
        closed_at=closed_at,
        entry_reason="placeholder_momentum_v1",
        exit_reason=exit_reason,
        realised=Decimal(realised),
    )


def trades_of(closes: list[float]) -> tuple[Trade, ...]:
    return tuple(t for t in play(market_of(bars_of(closes))).summary.trades if t.bot == "mom_AAPL")


@pytest.mark.parametrize(
    ("after_the_rise", "closed"),
    [
        # The rise goes on: one percent above the entry is touched by bar 35, sold at 36's open.
        (rising(20, from_price=101.5), ("take_profit", "101.25", 36, "9.45")),
    ],
)
def test_a_rise_is_bought_and_sold_at_the_target(
    after_the_rise: list[float], closed: tuple[str, str, int, str]
) -> None:
    reason, price, minute, realised = closed

    trades = trades_of(QUIET + RISE + after_the_rise)

    assert trades == (trade(reason, price, OPEN_AT + minute * MINUTE, realised),)


def test_a_fall_after_the_entry_is_cut_at_the_stop() -> None:
    # Bought at 100.20 with a stop at 99.699: the order that rests for it, a cent or less above, is
    # executed inside the bar that touches it.
    closes = QUIET + rising(6) + [99.50, 99.40, 99.40]

    (only,) = trades_of(closes)

    assert only == trade("stop_loss", "99.70", OPEN_AT + 17 * MINUTE, "-4.50")


def test_a_position_that_goes_nowhere_is_closed_when_its_time_is_up() -> None:
    closes = QUIET + rising(6) + [100.25] * 60

    (only,) = trades_of(closes)

    # 25 minutes after the entry; the bar that completes them ends at minute 40.
    assert only == trade("time_stop", "100.25", OPEN_AT + 40 * MINUTE, "0.45")


def test_nothing_is_bought_before_the_exchange_opens_i43() -> None:
    early = bars_of(rising(20) + [101.0] * 15, start_at=OPEN_AT - 30 * MINUTE)

    played = play(market_of(early))

    assert (played.summary.trades, played.summary.orders) == ((), 0)


def test_nothing_is_bought_after_the_bot_s_own_window_and_the_count_of_a_day_holds_i43() -> None:
    # A saw tooth all day long: many signals, three entries at most, all by 09:30 in Los Angeles.
    tooth = rising(12) + [99.0] * 15
    played = play(market_of(bars_of((tooth * 15)[:390])))

    by_bot = [t for t in played.summary.trades if t.bot == "mom_AAPL"]
    assert len(by_bot) == 3
    assert all(t.opened_at <= OPEN_AT + 180 * MINUTE for t in by_bot)


@pytest.mark.parametrize("minutes", [390, 210], ids=["whole day", "half day"])
def test_everything_is_sold_before_the_close_i43(minutes: int) -> None:
    # Bought while its window is open, and held until the close forbids it.
    close_at = OPEN_AT + minutes * MINUTE
    closes = [100.0] * 140 + rising(25, step=0.02) + [100.5] * (minutes - 165)
    patient = tuple(
        bot.model_copy(update={"exits": bot.exits.model_copy(update={"time_stop_minutes": 390})})
        for bot in shipped_settings().momentum_bots
    )

    settings = settings_with({"momentum_bots": patient})
    played = play(market_of(bars_of(closes), close_at=close_at), settings=settings)

    (trade,) = played.summary.trades
    assert trade.exit_reason == "session_end"
    assert close_at - 6 * MINUTE <= trade.closed_at < close_at
    assert played.summary.held == ()


def test_bots_of_one_symbol_keep_separate_books() -> None:
    # Guarded by the engine alone: beside a stop that rests the other bot could not enter.
    data = market_of(bars_of([100.0] * 40 + rising(40) + rising(40, from_price=101.0)))
    played = play(data, settings=protected_by(ProtectiveOrder.ENGINE))

    owners = {t.bot for t in played.summary.trades}
    assert owners == {"mom_AAPL", "mom_AAPL_cross"}
    for bot in owners:
        book = played.ledger.book(bot)
        bought = sum(f.quantity for f in book.fills if f.side.sign > 0)
        assert bought == sum(f.quantity for f in book.fills if f.side.sign < 0) > 0


def test_beside_a_stop_that_rests_no_other_bot_enters_as_the_venue_would_refuse_it() -> None:
    played = play(market_of(bars_of([100.0] * 40 + rising(40) + rising(40, from_price=101.0))))

    denied = {(r["intent"].decision.bot, r["check"]) for r in played.journal.events("order_denied")}
    assert denied == {("mom_AAPL_cross", "no_order_opposes")}


@pytest.fixture(scope="module")
def day() -> Played:
    return play(market_of(bars_of(QUIET + RISE + rising(50, from_price=101.5, step=-0.05))))


def test_every_order_has_its_intent_on_record_before_it_is_accepted_i13(day: Played) -> None:
    stored = [r["order"] for r in day.journal.events("intent_stored")]
    accepted = [
        r["content"] for r in day.journal.events("report_stored") if r["report"] == "OrderAccepted"
    ]
    order_of_events = [
        r["event"] for r in day.journal.records if r["event"] in ("intent_stored", "report_stored")
    ]

    assert [o.client_order_id for o in stored] == [a.client_order_id for a in accepted]
    assert order_of_events[:3] == ["intent_stored", "report_stored", "report_stored"]


def test_the_same_seed_gives_the_same_journal() -> None:
    bars = bars_of(QUIET + RISE + rising(50, from_price=101.5, step=-0.05))

    first, second = play(market_of(bars)), play(market_of(bars))

    assert first.journal.records == second.journal.records
    assert first.ledger.state_hash() == second.ledger.state_hash()


@pytest.mark.parametrize("seed", thinned(range(20), 20))
def test_random_delays_shorter_than_a_bar_do_not_change_the_trades(seed: int) -> None:
    # What ARCHITECTURE.md claims of threads: whatever the interleaving, as long as a decision and
    # its booking take less than a bar. Explore delays every edge, and lets handlers take time.
    bars = bars_of(QUIET[:3] + RISE[:12] + [99.6] * 6)  # bought in minute 11, sold at its stop
    market = market_of(bars, close_at=bars[-1].end_at)

    explored = play(market, explore=seed)

    assert explored.summary.trades == play(market).summary.trades
    assert len(explored.summary.trades) == 1
