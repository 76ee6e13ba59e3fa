from decimal import Decimal
from time import process_time

import pytest

from hydra.research.curve_file import curve_csv
from hydra.research.equity import EquityCurve
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from tests.research.replays import OPEN, fill, two_trades


def test_the_curve_has_a_row_for_each_end_of_a_bar() -> None:
    replay = two_trades()
    curve = EquityCurve(replay.bars, replay.fills, replay.starting_cash)

    assert b"".join(curve_csv(curve)).decode().splitlines() == [
        "at,equity,cash,exposure,drawdown_pct",
        "2026-01-05T14:31:00Z,10000.00,9000.00,1000.00,0.0000",
        "2026-01-05T14:32:00Z,10000.00,7980.00,2020.00,0.0000",
        "2026-01-05T14:33:00Z,10040.00,9010.00,1030.00,0.0000",
        "2026-01-05T14:34:00Z,10010.00,10010.00,0.00,0.2988",
        "2026-01-05T14:35:00Z,10010.00,10010.00,0.00,0.2988",
    ]


def test_times_have_nanoseconds_if_one_of_them_needs_them() -> None:
    bars = (Bar("A", 0, OPEN, 1.0, 1.0, 1.0, 1.0, 1.0), Bar("A", 0, OPEN + 1, 1, 1, 1, 1, 1))

    lines = b"".join(curve_csv(EquityCurve(bars, (), Decimal(1)))).decode().splitlines()

    assert lines[1:] == [
        "2026-01-05T14:30:00.000000000Z,1.00,1.00,0.00,0.0000",
        "2026-01-05T14:30:00.000000001Z,1.00,1.00,0.00,0.0000",
    ]


def test_without_bars_there_is_the_header_alone() -> None:
    assert list(curve_csv(EquityCurve((), (), Decimal(1)))) == [
        b"at,equity,cash,exposure,drawdown_pct\r\n"
    ]


@pytest.mark.slow  # it makes a million bars
def test_a_million_bars_are_reckoned_in_two_seconds_and_written_in_three() -> None:
    ends = range(OPEN + MINUTE, OPEN + 1_000_001 * MINUTE, MINUTE)
    bars = [Bar("AAPL", end - MINUTE, end, 9.0, 9.0, 9.0, 9.0, 1.0) for end in ends]
    fills = [
        fill(side, "1", "9", bars[number].start_at, order=f"{side}-{number}")
        for number in range(0, 1_000_000, 1_000)
        for side in ("buy", "sell")
    ]

    began = process_time()
    curve = EquityCurve(bars, fills, Decimal(1_000))
    assert curve.equity[-1] == 1_000.0
    assert curve.drawdown_pct.max() == curve.exposure.max() == 0.0
    reckoned = process_time()
    size = sum(map(len, curve_csv(curve)))
    written = process_time()

    assert size > 40_000_000
    assert reckoned - began < 2.0
    assert written - reckoned < 3.0
