"""What is allowed and probably not meant is told: which setting binds, and what to do."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.bot_terms import exit_rules_of
from hydra.settings import load_settings
from hydra.settings.traps import warnings_of
from hydra.trading.coin_orders import CoinEntry, CoinTerms, EntryTerms, entry_of
from hydra.trading.fees import ALPACA_FEES
from tests.settings.fine import BOTS, ENGINE, load, spoilt

CONFIG = Path(__file__).resolve().parents[2] / "config"

# Without the seed's own trap, so that each edit shows what it alone does.
ENGINE_CLEAN = spoilt(ENGINE, "global_cooldown_minutes: 390", "global_cooldown_minutes: 380")
BOTS_CLEAN = spoilt(
    spoilt(BOTS, "per_bot_max_pct_of_daily_risk: 25", "per_bot_max_pct_of_daily_risk: 50"),
    "per_bot_min_pct_of_daily_risk: 5",
    "per_bot_min_pct_of_daily_risk: 6",
)


def warnings(folder: Path, *edits: tuple[str, str]) -> list[str]:
    engine, bots = ENGINE_CLEAN, BOTS_CLEAN
    for old, new in edits:
        if old in engine:
            engine = spoilt(engine, old, new)
        else:
            bots = spoilt(bots, old, new)
    return list(warnings_of(load(folder, engine=engine, bots=bots)))


def test_the_shipped_configuration_starts_and_tells_which_limit_binds_for_options() -> None:
    assert warnings_of(load_settings(CONFIG)) == (
        (
            "portfoliobot.buckets.options_bucket_pct_of_daily_risk: 50 percent, but its one "
            "enabled bot gets at most 25: the lower limit binds, "
            "portfoliobot.guardrails.per_bot_max_pct_of_daily_risk is 25; lower the bucket to 25, "
            "or raise that limit"
        ),
    )


def test_a_configuration_without_traps_is_told_nothing(tmp_path: Path) -> None:
    assert warnings(tmp_path) == []


@pytest.mark.parametrize(
    ("edits", "told"),
    [
        (
            [("enabled: true # exitbot", "enabled: false")],
            (
                "exitbot.enabled: false, so no bot enters at all; set it to true, or leave it if "
                "that is meant"
            ),
        ),
        (
            [("enabled: true # portfoliobot", "enabled: false")],
            (
                "portfoliobot.enabled: false, so no bot enters at all; set it to true, or leave it "
                "if that is meant"
            ),
        ),
        (
            [("anomaly_halt: true", "anomaly_halt: false")],
            (
                "exitbot.kill_conditions.anomaly_halt: false, so this condition only alarms and "
                "does not halt; set it to true (live refuses false)"
            ),
        ),
        (
            [("allow_budget_fallback: false", "allow_budget_fallback: true")],
            (
                "safety.allow_budget_fallback: true, so a bot without a budget still enters, with "
                "6 percent of the day's risk budget "
                "(portfoliobot.guardrails.per_bot_min_pct_of_daily_risk); set it to false (live "
                "refuses true)"
            ),
        ),
        (
            [("global_cooldown_minutes: 380", "global_cooldown_minutes: 381")],
            (
                "exitbot.cooloff_minutes: 380 minutes, but the longer one binds: "
                "safety.global_cooldown_minutes is 381; lower that one, or raise this one to it"
            ),
        ),
        (
            [("options_bucket_pct_of_daily_risk: 50", "options_bucket_pct_of_daily_risk: 40.5")],
            (
                "portfoliobot.buckets: 90.5 percent in all, so 9.5 percent of the day's risk "
                "budget goes to no bot; raise a bucket, or leave it if that is meant"
            ),
        ),
        (
            [
                ("per_bot_min_pct_of_daily_risk: 6", "per_bot_min_pct_of_daily_risk: 12"),
                ("enabled: false # mom_TSLA", "enabled: true"),
                ("max_concurrent_positions: 2", "max_concurrent_positions: 1"),
            ],
            (
                "portfoliobot.buckets.momentum_bucket_pct_of_daily_risk: 20 percent, which is too "
                "little for 2 enabled bots with at least 12 each "
                "(portfoliobot.guardrails.per_bot_min_pct_of_daily_risk): only 1 can get a budget, "
                "the others do not enter; raise the bucket, lower the minimum or disable bots"
            ),
        ),
        (
            [("time_stop_minutes: 180", "time_stop_minutes: 370")],
            (
                "optionsbot.exits.time_stop_minutes: 370 minutes, but the earlier one binds: from "
                "trade_start to manage_until (15:50) are 370, and then the position is closed; "
                "lower it"
            ),
        ),
        (
            [("timezone: America/New_York", "timezone: EST")],
            (
                "system.timezone: EST, which has no summer time: from March to November all times "
                "in bots.yaml are an hour later than on the clocks of America/New_York; write "
                "that, or leave it if that is meant"
            ),
        ),
        (
            [("default_notional_usd: 50", "default_notional_usd: 10.11")],
            (
                "cryptobot.execution.default_notional_usd: 10.11 USD, but less than 10.12 would be "
                "worth under 10 at its stop, after the fee, and the broker takes no order of so "
                "little: this bot never enters; raise it to 10.12 or more"
            ),
        ),
        (
            [("max_concurrent_positions: 1", "max_concurrent_positions: 2")],
            (
                "momentum_bots[mom_AAPL].risk.max_concurrent_positions: 2, but it holds one at a "
                "time: beside its stop that rests at the venue "
                "(momentum_bots[mom_AAPL].execution.protective_order) nothing is bought; set it to "
                "1, or protective_order to engine"
            ),
        ),
    ],
)
def test_each_trap_is_told_with_what_binds_and_what_to_do(
    tmp_path: Path, edits: list[tuple[str, str]], told: str
) -> None:
    assert warnings(tmp_path, *edits) == [told]


@pytest.mark.parametrize(
    "edits",
    [
        [("global_cooldown_minutes: 380", "global_cooldown_minutes: 1")],
        [("time_stop_minutes: 180", "time_stop_minutes: 369")],
        # All day long there is no end of the day at which a position would be closed.
        [
            ('trade_end: "23:58"', 'trade_end: "23:59"'),
            ("time_stop_minutes: 240", "time_stop_minutes: 10080"),
        ],
        # A kind of which no bot is enabled needs no bucket.
        [
            ("enabled: true # optionsbot", "enabled: false"),
            ("per_bot_max_pct_of_daily_risk: 50", "per_bot_max_pct_of_daily_risk: 30"),
        ],
        # Here the clocks have a summer, or are known to have none.
        [("timezone: America/New_York", "timezone: EST5EDT")],
        [("timezone: America/New_York", "timezone: America/Phoenix")],
        [
            ("max_concurrent_positions: 1", "max_concurrent_positions: 2"),
            (
                "default_notional_usd: 1000",
                "default_notional_usd: 1000\n      protective_order: engine",
            ),
        ],
    ],
)
def test_what_is_just_right_is_not_told(tmp_path: Path, edits: list[tuple[str, str]]) -> None:
    assert warnings(tmp_path, *edits) == []


def test_that_no_bot_is_enabled_is_told(tmp_path: Path) -> None:
    off = [
        (f"enabled: true # {name}", "enabled: false")
        for name in ("mom_AAPL", "optionsbot", "cryptobot")
    ]

    assert warnings(tmp_path, *off) == [
        (
            "momentum_bots, optionsbot, signalbot, plugin_bots, cryptobot: none is enabled, so "
            "nothing trades; "
            "set enabled: true for one"
        )
    ]


@pytest.mark.parametrize(
    ("notional", "is_enough"), [("5", False), ("10.11", False), ("10.12", True), ("50", True)]
)
@pytest.mark.parametrize("price", ["0.5", "63000"])
def test_too_little_for_a_coin_is_what_its_bot_makes_no_entry_of(
    tmp_path: Path, notional: str, is_enough: bool, price: str
) -> None:
    bots = spoilt(BOTS_CLEAN, "default_notional_usd: 50", f"default_notional_usd: {notional}")
    settings = load(tmp_path, engine=ENGINE_CLEAN, bots=bots)
    bot = settings.cryptobot
    wanted = EntryTerms(
        order_type=bot.execution.order_type,
        time_in_force=bot.execution.tif,
        notional_usd=bot.execution.default_notional_usd,
        is_notional=bot.execution.use_notional,
    )

    entry = entry_of(
        Decimal(price),
        wanted,
        CoinTerms(),
        exit_rules_of(bot.exits),
        ALPACA_FEES.coin_share(0),
    )

    assert isinstance(entry, CoinEntry) is is_enough
    assert (warnings_of(settings) == ()) is is_enough


@pytest.mark.parametrize(
    ("notional", "is_too_much"), [("200000", False), ("200000.01", True)], ids=["most", "more"]
)
def test_too_much_for_a_coin_is_what_the_broker_takes_in_no_order(
    tmp_path: Path, notional: str, is_too_much: bool
) -> None:
    bots = spoilt(BOTS_CLEAN, "default_notional_usd: 50", f"default_notional_usd: {notional}")
    engine = re.sub(r"max_order_notional_usd: \d+", "max_order_notional_usd: 1000000", ENGINE_CLEAN)
    told = [
        each
        for each in warnings_of(load(tmp_path, engine=engine, bots=bots))
        if "takes no order of coins" in each
    ]

    words = (
        "cryptobot.execution.default_notional_usd: 200000.01 USD, but the broker takes no order of "
        "coins that may cost more than 200000: this bot never enters; lower it to 200000 or less"
    )
    assert told == [words] * is_too_much
