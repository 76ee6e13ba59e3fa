"""The local venue's process and a client that trades on it through the adapter, killed at random.

Nothing is known beforehand of what has arrived when, so it is the judge's word that counts: every
order came to the venue once, as it was on record, and what the venue told is still so after it
died. The venue's log is its only memory.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra.venues.simulated.market_data import MarketData, generated
from tests.crash.venue_client import SYMBOL
from tests.crash.venue_lives import VENUE_DIES_AT, VenueLives

KILLED_TIMES = 25

MakeLives = Callable[[int], VenueLives]


@pytest.fixture(scope="session")
def one_market(calendar: Path) -> MarketData:
    return generated((SYMBOL,), 0, calendar)


@pytest.fixture
def make_lives(tmp_path: Path, one_market: MarketData, calendar: Path) -> Iterator[MakeLives]:
    made: list[VenueLives] = []

    def make(seed: int) -> VenueLives:
        made.append(VenueLives(tmp_path / "lives", one_market, calendar, seed))
        return made[-1]

    yield make
    for lives in made:
        lives.close()


def require_killed(lives: VenueLives, times: int) -> None:
    while lives.kills < times:
        lives.die()
    lives.settle()
    assert lives.life.sent and lives.life.fills, "it would prove nothing"


def test_killed_at_random_venue_and_client_agree_on_every_order_i13_i15_i20_i23_i60_i61(
    make_lives: MakeLives,
) -> None:
    require_killed(make_lives(0), 6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_killed_again_and_again_venue_and_client_agree_i13_i15_i20_i23_i60_i61(
    seed: int, make_lives: MakeLives
) -> None:
    require_killed(make_lives(seed), KILLED_TIMES)


@pytest.mark.slow
@pytest.mark.parametrize("place", VENUE_DIES_AT)
def test_a_venue_that_dies_at_any_step_goes_on_with_what_it_told_i59_i60(
    place: str, make_lives: MakeLives
) -> None:
    lives = make_lives(0)
    lives.die()
    lives.die_at(f"{place}:5" if "request" in place else place)
    lives.die_at(place)
    require_killed(lives, 9)
