"""How lengths of time are shown."""

import pytest

from hydra.trading.durations import DAY, MILLISECOND, MINUTE, SECOND, in_ms, in_seconds


@pytest.mark.parametrize(
    ("duration", "seconds", "ms"),
    [
        (0, "0", "0"),
        (1, "0.000000001", "0.000001"),
        (15 * SECOND, "15", "15000"),
        (10 * MINUTE, "600", "600000"),
        (DAY, "86400", "86400000"),
        (-1500 * MILLISECOND, "-1.5", "-1500"),
    ],
)
def test_a_length_is_shown_with_no_more_decimals_than_it_needs(
    duration: int, seconds: str, ms: str
) -> None:
    assert (f"{in_seconds(duration):f}", f"{in_ms(duration):f}") == (seconds, ms)
