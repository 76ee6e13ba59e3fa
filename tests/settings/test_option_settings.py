"""What `optionsbot` has beyond the configuration that Hydra was asked for with, and defaults."""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.settings import load_settings
from tests.settings.fine import BOTS, load, refusals, spoilt

HOME = Path(__file__).resolve().parent.parent.parent
DELTA = "    delta_max: 0.65\n"
"""The last line of the fine text's options bot, which has none of the newer keys."""


def test_without_the_newer_keys_the_shipped_ones_hold(tmp_path: Path) -> None:
    shipped, found = load_settings(HOME / "config").optionsbot, load(tmp_path).optionsbot

    assert (found.execution, found.signal) == (shipped.execution, shipped.signal)
    for key in ("max_spread_pct", "min_open_interest", "max_quote_age_seconds"):
        assert getattr(found.chain_rules, key) == getattr(shipped.chain_rules, key)


def test_they_can_be_given_one_by_one_in_chain_rules_and_whole_elsewhere(tmp_path: Path) -> None:
    more = """\
    max_spread_pct: 5
  execution:
    default_premium_usd: 250
    cancel_unfilled_seconds: 30
  signal:
    mode: moving_average_cross
    params: {fast_bars: 3, slow_bars: 9}
"""

    found = load(tmp_path, bots=spoilt(BOTS, DELTA, DELTA + more)).optionsbot

    assert (found.chain_rules.max_spread_pct, found.chain_rules.min_open_interest) == (
        Decimal(5),
        100,
    )
    assert found.execution.default_premium_usd == Decimal(250)
    assert found.execution.cancel_unfilled_seconds == 30
    assert (found.signal.mode, found.signal.params["slow_bars"]) == ("moving_average_cross", 9)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            "    max_spread_pct: 0\n",
            "chain_rules.max_spread_pct: found '0', wanted a number above 0",
        ),
        ("    min_open_interest: 0\n", "zero never means unlimited"),
        ("    max_quote_age_seconds: 601\n", "wanted a whole number from 1 to 600"),
        (
            "  execution:\n    default_premium_usd: 25001\n    cancel_unfilled_seconds: 30\n",
            "found '25001', wanted at most risk.max_order_notional_usd (25000)",
        ),
        (
            "  execution:\n    default_premium_usd: 250\n",
            "execution.cancel_unfilled_seconds: missing",
        ),
    ],
)
def test_what_would_limit_nothing_or_is_half_there_is_refused_i40(
    more: str, line: str, tmp_path: Path
) -> None:
    (found,) = refusals(tmp_path, bots=spoilt(BOTS, DELTA, DELTA + more))

    assert "optionsbot." in found
    assert line in found
