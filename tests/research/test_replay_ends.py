"""Where a replay ends: with its window, and not with a session that goes on after that."""

from pathlib import Path

import pytest

from hydra.ops.artefacts.folder import LOG
from hydra.plugins import fault_in_signal
from hydra.research.overrides import Configurable
from hydra.research.replay_data import ReplayData, replay_data
from hydra.research.replay_run import ReplayPlan, closed_at_the_end, run_replay
from hydra.research.replaying import Replayed, ReplayTask, replayed
from hydra.research.runs import run_grid, run_one
from hydra.research.sheet_parts import minute
from hydra.research.window import window_of
from hydra.store.connection import IN_MEMORY
from hydra.store.journal_line import timestamp
from hydra.store.ledger import Ledger
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE, SECOND
from hydra.venues.simulated.terms import VenueTerms
from tests.engine.scenery import ListJournal, settings_with, shipped_settings
from tests.ops.sessions import HOME
from tests.research.bar_files import written

NOON = 1_767_700_800_000_000_000
"""2026-01-06T12:00:00Z, a Tuesday: New York's exchange opens two and a half hours later."""
OPEN = NOON + 150 * MINUTE
HOUR = 60 * MINUTE


def bars_from(symbol: str, start_at: int, hours: int, minutes: int) -> list[Bar]:
    """Bars that rise by a thousandth each, and fall back after fifty."""
    length = minutes * MINUTE
    bars = []
    for number in range(hours * 60 // minutes):
        price = round(100.0 * (1 + number % 50 / 1_000), 2)
        at = start_at + number * length
        bars.append(Bar(symbol, at, at + length, price, price + 0.05, price - 0.05, price, 1e5))
    return bars


def data_of(folder: Path, bars: list[Bar], start: str, end: str) -> ReplayData:
    name = f"{bars[0].symbol.replace('/', '')}_bars.csv"
    return replay_data(
        [written(folder / name, bars)], window_of(start=start, end=end), cache_dir=folder / "cache"
    )


def played(data: ReplayData, journal: ListJournal) -> Replayed:
    task = ReplayTask(settings=shipped_settings(), data=data.market, ends_at=data.ends_at)
    ledger = Ledger.open(IN_MEMORY, venue="embedded", at=data.market.begins_at)
    try:
        return replayed(task, ledger=ledger, journal=journal)
    finally:
        ledger.close()


@pytest.fixture
def coins(tmp_path: Path) -> ReplayData:
    """From noon, for longer than a day, to a time from which it is hours to midnight."""
    bars = bars_from("BTC/USD", NOON, hours=42, minutes=5)
    return data_of(tmp_path, bars, "2026-01-06T12:00", "2026-01-08T06:00")


def test_a_window_of_coins_that_ends_before_midnight_ends_with_its_last_bar(
    coins: ReplayData,
) -> None:
    journal = ListJournal()

    done = played(coins, journal)

    assert done.bars == len(coins.market.bars)
    assert done.fills
    assert done.standing == ()
    ended = coins.market.bars[-1].end_at
    assert max(line["ts"] for line in journal.records) <= ended + 2 * SECOND


def test_data_of_coins_that_end_before_their_window_does_are_over_with_their_last_bar(
    tmp_path: Path,
) -> None:
    bars = bars_from("BTC/USD", NOON - 12 * HOUR, hours=30, minutes=5)
    data = data_of(tmp_path, bars, "2026-01-06", "2026-01-08")

    assert played(data, ListJournal()).standing == ()


def test_a_bot_that_waits_for_a_person_when_it_ends_is_told_of(
    coins: ReplayData, tmp_path: Path
) -> None:
    settings = settings_with({"guards.pace.max_round_trips_per_bot_per_day": 1})
    plan = ReplayPlan(
        settings=settings,
        data=coins,
        terms=VenueTerms(),
        seed=0,
        label="waits",
        folder=tmp_path / "replay",
        with_sheet=False,
    )

    done = run_replay(plan)
    alone = run_one(settings, coins.market, VenueTerms(), 0, ends_at=coins.ends_at)

    closed_at = timestamp(done.replayed.summary.trades[0].closed_at)
    told = (
        f"trading of crypto_core was CLOSE_ONLY at the end, since {minute(closed_at)} UTC:"
        " crypto_core has made 1 round trips today, fewer than 1 allowed"
    )
    assert closed_at_the_end(done.replayed) == (told,)
    assert done.metrics.terms["closed"] == told
    assert told in (plan.folder / LOG).read_text().splitlines()
    assert alone.standing == ("throttle:crypto_core",)


def test_a_run_of_parameters_ends_where_a_replay_does(coins: ReplayData) -> None:
    done = played(coins, ListJournal())
    base = Configurable.read(HOME / "config", signal_check=fault_in_signal)

    (run,) = run_grid(
        base.grid([]),
        base.settings,
        coins.market,
        VenueTerms(),
        0,
        ends_at=coins.ends_at,
        jobs=1,
    )

    assert run.result is not None
    assert (run.result.standing, run.result.final_equity) == ((), done.equity)


def test_a_share_is_not_waited_for_until_the_close_where_the_window_ends_before(
    tmp_path: Path,
) -> None:
    bars = bars_from("AAPL", OPEN, hours=6, minutes=1)
    data = data_of(tmp_path, bars, "2026-01-06", "2026-01-06T15:30")
    journal = ListJournal()

    done = played(data, journal)

    assert done.bars == 60
    assert done.fills
    last = max(line["ts"] for line in journal.records)
    assert last <= data.window.end + 2 * SECOND


def test_a_session_that_closes_within_the_window_closes(tmp_path: Path) -> None:
    bars = bars_from("AAPL", OPEN, hours=6, minutes=1)  # half an hour of it is missing
    data = data_of(tmp_path, bars, "2026-01-06", "2026-01-07")
    journal = ListJournal()

    played(data, journal)

    closed = max(session.close_at for session in data.market.sessions.sessions)
    assert data.ends_at >= closed > bars[-1].end_at
    assert max(line["ts"] for line in journal.records) >= closed
