"""What is said of the embedded market before it is traded on."""

from hydra.ops.embedded_account import silence_warning
from hydra.trading.durations import HOUR


def test_a_market_whose_coins_begin_later_is_warned_of_with_when_and_what_follows() -> None:
    silences = ((0, 30 * HOUR), (50 * HOUR, 60 * HOUR))

    (line,) = silence_warning(silences)

    assert line.startswith(
        "warning: no coin has a price in this market from 1970-01-01 00:00 to 1970-01-02 06:00 UTC,"
        " and in 1 later stretches: "
    )
    assert "halts (stale_feed)" in line


def test_a_market_whose_coins_never_cease_is_not_warned_of() -> None:
    assert silence_warning(()) == ()
