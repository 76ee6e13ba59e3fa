"""The generated session: the same for the same seed, and such as a market could make."""

import hashlib
from itertools import pairwise

import pytest

from hydra.trading.durations import MINUTE
from hydra.venues.simulated.generated import generated_session

OPEN_AT = 1_767_623_400_000_000_000
CLOSE_AT = OPEN_AT + 390 * MINUTE


def test_the_bars_of_a_seed_are_the_same_everywhere() -> None:
    bars = generated_session(("AAPL", "MSFT"), OPEN_AT, CLOSE_AT, 7)
    named = "\n".join(
        f"{b.symbol} {b.start_at} {b.open} {b.high} {b.low} {b.close} {b.volume}" for b in bars
    )

    assert hashlib.blake2b(named.encode(), digest_size=8).hexdigest() == "2ffd7896c41dca38"


def test_every_minute_has_one_bar_of_each_symbol_in_order() -> None:
    bars = generated_session(("AAPL", "MSFT"), OPEN_AT, CLOSE_AT, 0)

    assert [(bar.symbol, bar.start_at) for bar in bars] == [
        (symbol, OPEN_AT + minute * MINUTE) for minute in range(390) for symbol in ("AAPL", "MSFT")
    ]


@pytest.mark.parametrize("seed", range(5))
def test_each_bar_opens_where_the_last_one_closed_and_holds_its_prices(seed: int) -> None:
    bars = generated_session(("AAPL",), OPEN_AT, CLOSE_AT, seed)

    for earlier, later in pairwise(bars):
        assert later.open == earlier.close
        assert later.low <= min(later.open, later.close) <= max(later.open, later.close)
        assert max(later.open, later.close) <= later.high
        assert later.volume > 0


def test_seeds_and_symbols_differ() -> None:
    closes = {
        (seed, symbol): generated_session((symbol,), OPEN_AT, CLOSE_AT, seed)[-1].close
        for seed in (0, 1)
        for symbol in ("AAPL", "MSFT")
    }

    assert len(set(closes.values())) == 4


HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("symbol", "level"), [("BTC/USD", 60_000.0), ("ETH/USD", 3_000.0)], ids=["BTC", "ETH"]
)
@pytest.mark.parametrize("seed", range(3))
def test_a_coin_trades_from_before_the_open_to_after_the_close_at_prices_of_a_coin(
    symbol: str, level: float, seed: int
) -> None:
    bars = generated_session((symbol,), OPEN_AT, CLOSE_AT, seed)

    assert (bars[0].start_at, bars[-1].end_at) == (OPEN_AT - HOUR, CLOSE_AT + HOUR)
    assert all(earlier.end_at == later.start_at for earlier, later in pairwise(bars))
    assert all(0.7 * level < bar.low <= bar.high < 1.4 * level for bar in bars)
    moves = [abs(bar.close / bar.open - 1) for bar in bars]
    assert 0.0003 < sum(moves) / len(moves) < 0.0015


def test_shares_and_coins_come_in_the_order_of_time_and_a_share_as_if_it_were_alone() -> None:
    bars = generated_session(("AAPL", "BTC/USD"), OPEN_AT, CLOSE_AT, 3)

    assert [bar.end_at for bar in bars] == sorted(bar.end_at for bar in bars)
    shares = tuple(bar for bar in bars if bar.symbol == "AAPL")
    assert shares == generated_session(("AAPL",), OPEN_AT, CLOSE_AT, 3)
