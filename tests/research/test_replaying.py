"""The engine's tree over bars: the same as a session in virtual time, and nothing looks ahead."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import itemgetter
from pathlib import Path

import pytest
from msgspec import structs

from hydra.ops.bench.replay_loop import LoopTrade
from hydra.ops.bench.replayed_bars import loop_of, replay_of, require_same, settings_for, walk
from hydra.ops.bench.rows import CouldNotMeasure
from hydra.plugins import fault_in_signal
from hydra.research import replaying
from hydra.research.replaying import LookAhead, Replayed, ReplayFailed, ReplayTask, replayed
from hydra.settings import Settings, load_settings
from hydra.store.connection import IN_MEMORY
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.market_data import MarketData, from_path
from hydra.venues.simulated.playback import (
    BarBegun,
    TimedHappening,
    by_moment,
    market_events,
)
from hydra.venues.simulated.terms import VenueTerms
from tests.engine.scenery import BrokenJournal
from tests.ops.sessions import HOME

SYMBOLS = ("S00", "S01")
SESSIONS = 2


@pytest.fixture(scope="module")
def market() -> MarketData:
    return walk(SYMBOLS, SESSIONS, seed=3)


@pytest.fixture(scope="module")
def settings() -> Settings:
    return settings_for(SYMBOLS)


def play(task: ReplayTask, folder: Path, **how: object) -> Replayed:
    ledger = Ledger.open(IN_MEMORY, venue="embedded", at=task.data.begins_at)
    journal = JournalFile.open(folder / "logs" / "app.jsonl", at=task.data.begins_at)
    try:
        return replayed(task, ledger=ledger, journal=journal, **how)  # type: ignore[arg-type]
    finally:
        journal.close()
        ledger.close()


def test_it_trades_as_a_plain_loop_of_its_strategy_does_trade_by_trade(
    settings: Settings, market: MarketData
) -> None:
    trades, _ = loop_of(settings, market)
    done, _ = replay_of(settings, market)

    assert {trade.symbol for trade in trades} == set(SYMBOLS)
    require_same(done, trades)


def test_a_trade_that_differs_is_no_measurement(settings: Settings, market: MarketData) -> None:
    trades, _ = loop_of(settings, market)
    done, _ = replay_of(settings, market)
    first: LoopTrade = trades[0]

    for others in (trades[1:], [structs.replace(first, exit_price=1.0), *trades[1:]]):
        with pytest.raises(CouldNotMeasure, match="otherwise than the plain loop"):
            require_same(done, others)


def test_the_same_task_gives_the_same_to_the_last_digest_and_another_does_not(
    settings: Settings, market: MarketData, tmp_path: Path
) -> None:
    task = ReplayTask(settings=settings, data=market)
    slipped = structs.replace(task, terms=VenueTerms(slippage_bps=Decimal(5)))

    one, again = play(task, tmp_path / "one"), play(task, tmp_path / "again")
    other = play(slipped, tmp_path / "other")

    assert one == again
    assert other.ledger != one.ledger
    assert other.cash < one.cash  # the same trades at worse prices


def test_idle_ticks_change_nothing_of_what_is_traded(
    settings: Settings, market: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loops and reconciliations between any two bars find what they find once an hour."""
    task = ReplayTask(settings=settings, data=market)
    seldom = play(task, tmp_path / "seldom")
    monkeypatch.setattr(replaying, "IDLE_TICKS_EVERY", 0)
    often = play(task, tmp_path / "often")

    assert often.fills == seldom.fills
    assert (often.summary, often.equity) == (seldom.summary, seldom.equity)


def test_a_bar_that_is_told_before_it_is_over_ends_the_replay(
    settings: Settings, market: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planted look ahead: one bar comes at the time of the one before it."""

    def leaking(bars: Sequence[Bar], sessions: SessionTable, _: object) -> Iterator[TimedHappening]:
        late = bars[2 * 100]
        return by_moment(
            (at - MINUTE, event) if event is late else (at, event)
            for at, event in market_events(bars, sessions)
        )

    monkeypatch.setattr(replaying, "market_moments", leaking)

    with pytest.raises(LookAhead, match=r"the bar of S00 that ends at .* 60 s before it is over"):
        play(ReplayTask(settings=settings, data=market), tmp_path)


def test_an_open_that_is_told_before_it_is_there_ends_the_replay(
    settings: Settings, market: MarketData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaking(bars: Sequence[Bar], sessions: SessionTable, _: object) -> Iterator[TimedHappening]:
        events = [
            (at - MINUTE // 2, event)
            if isinstance(event, BarBegun) and event.bar is bars[2 * 100]
            else (at, event)
            for at, event in market_events(bars, sessions)
        ]
        return by_moment(sorted(events, key=itemgetter(0)))

    monkeypatch.setattr(replaying, "market_moments", leaking)

    with pytest.raises(LookAhead, match=r"the open of the bar of S00 .* 30 s before it is there"):
        play(ReplayTask(settings=settings, data=market), tmp_path)


def test_nobody_knows_what_comes_after_the_window(
    settings: Settings, market: MarketData, tmp_path: Path
) -> None:
    """What is decided and filled up to a moment is the same, whatever the bars after it are."""
    half = len(market.bars) * 3 // 4
    until = market.bars[half - 1].end_at
    cut = structs.replace(market, bars=market.bars[:half])
    turned = structs.replace(
        market,
        bars=market.bars[:half]
        + tuple(
            structs.replace(bar, open=50.0, high=51.0, low=49.0, close=50.0)
            for bar in market.bars[half:]
        ),
    )

    def fills_until(data: MarketData, name: str) -> list[object]:
        done = play(ReplayTask(settings=settings, data=data), tmp_path / name)
        return [each for each in done.fills if each.fill.at < until]

    whole = fills_until(market, "whole")
    assert whole
    assert fills_until(cut, "cut") == fills_until(turned, "turned") == whole


def test_bars_of_before_the_window_make_a_strategy_warm_and_are_not_traded(
    settings: Settings, market: MarketData, tmp_path: Path
) -> None:
    bars = market.bars
    begins = 2 * 40  # in the trade window; the slow average is of thirty bars
    late = structs.replace(market, bars=bars[begins:])
    cold = play(ReplayTask(settings=settings, data=late), tmp_path / "cold")
    task = ReplayTask(settings=settings, data=late, history=bars[:begins])
    warm = play(task, tmp_path / "warm")

    assert warm.bars == cold.bars == len(bars) - begins
    assert warm.fills[0].fill.at < cold.fills[0].fill.at
    assert all(each.fill.at >= late.begins_at for each in warm.fills)


def test_a_replay_that_is_asked_to_stop_ends_there_in_order(
    settings: Settings, market: MarketData, tmp_path: Path
) -> None:
    seen: list[int] = []
    done = play(
        ReplayTask(settings=settings, data=market),
        tmp_path,
        seen=seen.append,
        is_stopping=lambda: len(seen) >= 300,
    )

    # Every other moment is one at which bars begin; the one that was next already is played.
    assert done.bars == 150 * len(market.symbols) == seen[-1]


def test_an_engine_that_fails_closed_on_the_way_says_why(
    settings: Settings, market: MarketData
) -> None:
    ledger = Ledger.open(IN_MEMORY, venue="embedded", at=market.begins_at)
    task = ReplayTask(settings=settings, data=market)

    with pytest.raises(ReplayFailed, match=r"failed closed: .*: OSError: no space left on device"):
        replayed(task, ledger=ledger, journal=BrokenJournal(lines=200))


AAPL = HOME.parent / "shared/market-data/equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz"


@pytest.mark.skipif(not AAPL.exists(), reason="needs the real bars of ../shared/market-data")
def test_on_real_bars_it_is_the_session_in_virtual_time(tmp_path: Path) -> None:
    shipped = load_settings(HOME / "config", signal_check=fault_in_signal)
    data = from_path(AAPL, tmp_path / "cache")
    done = play(ReplayTask(settings=shipped, data=data), tmp_path)

    made = sum((trade.realised for trade in done.summary.trades), Decimal(0))
    assert (len(done.summary.trades), done.summary.orders, made) == (52, 152, Decimal("12.51"))
    assert done.standing == ()
