"""The installed program and its venue, killed at any instant, hundreds of times; and the judge."""

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from hydra.crash_points import CRASH_POINTS
from hydra.ops.exit_codes import ExitCode
from hydra.trading.causes import API_FAILURES
from hydra.venues.simulated.market_data import MarketData
from tests.crash.campaign import (
    ANY_TIME,
    AT_FIRST,
    BETWEEN,
    ELSEWHERE,
    VENUES_PLACES,
    Broken,
    Tally,
    deaths_of,
    play_account,
)
from tests.crash.installed import Installed
from tests.crash.lives import WITHIN_S
from tests.crash.trading import wait_until

KILLS = 100
"""Of each campaign, of which there are five."""
SPEED_UNDER_IT = 1_000


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", range(0, 5_000, 1_000))
def test_killed_five_hundred_times_it_loses_nothing_and_doubles_nothing_i13_i20_i52_i61_i75(
    seed: int, tmp_path: Path, served: MarketData, calendar: Path
) -> None:
    tally = Tally()
    broken: list[Broken] = []
    while tally.kills < KILLS:
        folder = tmp_path / f"account-{seed}"
        try:
            play_account(folder, served, calendar, seed, tally)
        except Broken as found:
            broken.append(found)
        seed += 1

    assert not broken, "\n".join(map(str, broken))
    assert tally.traded_lives > KILLS // 5, tally.words()
    assert tally.fills > KILLS // 5, tally.words()
    assert tally.storms, tally.words()


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
def test_a_venue_that_is_killed_under_it_halts_it_and_nothing_is_lost_i01_i20_i23_i61(
    seed: int, installed: Installed
) -> None:
    with installed.alive(SPEED_UNDER_IT) as engine:
        kills = 0
        # It may be late in the day when the venue serves again, and nothing more is sent.
        while kills <= seed % 3 and wait_until(
            partial(has_sent_more, installed, len(installed.sent)), engine
        ):
            kills += installed.kill_venue()
        code = engine.wait(timeout=WITHIN_S)

    assert kills > 0
    assert code == ExitCode.CLEAN
    recorded = [line.fields["code"] for line in installed.lines if line.event == "halt_recorded"]
    assert API_FAILURES.code in recorded
    installed.require_even()


def has_sent_more(trader: Installed, before: int) -> bool:
    return len(trader.sent) > before


def test_what_is_drawn_follows_from_the_seed_and_comes_to_every_place_i59() -> None:
    drawn = [death for seed in range(400) for death in deaths_of(seed)]

    assert deaths_of(17) == deaths_of(17) != deaths_of(18)
    places = Counter(death.place.partition(":")[0] for death in drawn if death.place)
    assert set(ANY_TIME) | set(AT_FIRST) == set(places)
    assert set(places) | set(BETWEEN) | ELSEWHERE == CRASH_POINTS
    assert set(ANY_TIME) >= VENUES_PLACES
