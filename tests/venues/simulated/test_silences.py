"""Which stretches of a market have no price of any coin, which is traded round the clock."""

import pytest

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.venues.simulated.silences import silent_coins

LONGER_THAN = 15 * MINUTE


def bars(symbol: str, *minutes: int) -> list[Bar]:
    return [Bar(symbol, m * MINUTE, (m + 1) * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0) for m in minutes]


def market(*of: list[Bar]) -> tuple[Bar, ...]:
    return tuple(sorted((bar for each in of for bar in each), key=lambda bar: bar.end_at))


@pytest.mark.parametrize(
    ("coins", "silent"),
    [
        (bars("BTC/USD", *range(100)), ()),
        (bars("BTC/USD", *range(40, 100)), ((0, 40),)),
        (bars("BTC/USD", *range(60)), ((60, 100),)),
        (bars("BTC/USD", *range(30), *range(50, 100)), ((30, 50),)),
        (bars("BTC/USD", *range(30), *range(40, 100)), ()),
        (bars("BTC/USD", *range(50)) + bars("ETH/USD", *range(50, 100)), ()),
        ([], ()),
    ],
    ids=["never", "at first", "at last", "in between", "not for long", "one of two", "no coin"],
)
def test_a_silence_is_told_from_the_last_price_to_the_next(
    coins: list[Bar], silent: tuple[tuple[int, int], ...]
) -> None:
    found = silent_coins(market(bars("AAPL", 0, 99), coins), since=0, longer_than=LONGER_THAN)

    assert found == tuple((begin * MINUTE, end * MINUTE) for begin, end in silent)


def test_what_is_over_is_not_told_of() -> None:
    shares, coins = bars("AAPL", 0, 99), bars("BTC/USD", *range(40, 100))

    assert silent_coins(market(shares, coins), since=41 * MINUTE, longer_than=LONGER_THAN) == ()
