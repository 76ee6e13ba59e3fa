"""`--set KEY=VALUE`: which keys there are, which runs they make, and what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.research.overrides import RUNS_MAX, BadOverride, Configurable
from hydra.settings import Settings, SettingsRefused, VenueName, load_settings
from hydra.settings.entries import entries_of

STOP = "momentum_bots[mom_AAPL].exits.stop_loss_pct"
CROSS = "momentum_bots[mom_AAPL_cross].signal.params"


@pytest.fixture(scope="module")
def configurable() -> Configurable:
    return Configurable.read(
        SHIPPED,
        venue=VenueName.EMBEDDED,
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )


def told(configurable: Configurable, *asked: str) -> list[list[str]]:
    """The values of each run."""
    return [[chosen.text for chosen in choice] for choice in configurable.grid(asked).choices]


def refusal(configurable: Configurable, *asked: str) -> str:
    """Of the words themselves, or of the one run that they make."""

    def made() -> Settings:
        (choice,) = configurable.grid(asked).choices
        return configurable.settings(choice)

    with pytest.raises(BadOverride) as refused:
        made()
    return str(refused.value)


def test_without_any_override_there_is_one_run_with_the_files_settings(
    configurable: Configurable,
) -> None:
    grid = configurable.grid([])

    assert (grid.keys, grid.choices) == ((), ((),))
    assert configurable.settings(()) == load_settings(SHIPPED)


@pytest.mark.parametrize("key", [STOP, STOP.replace("[", ".").replace("]", "")])
def test_a_bot_may_be_named_in_brackets_and_with_a_dot(
    configurable: Configurable, key: str
) -> None:
    (choice,) = configurable.grid([f"{key}=0.45"]).choices
    settings = configurable.settings(choice)

    assert str(choice[0]) == f"{STOP}=0.45"
    assert settings.momentum_bots[0].exits.stop_loss_pct == Decimal("0.45")
    assert settings.momentum_bots[1:] == load_settings(SHIPPED).momentum_bots[1:]


def test_every_key_that_config_show_prints_may_be_set_to_what_it_is(
    configurable: Configurable,
) -> None:
    before = load_settings(SHIPPED)
    entries = [
        entry
        for entry in entries_of(before)
        if entry.key != "broker.venue" and not entry.key.endswith(".signal.params")
    ]
    grid = configurable.grid([f"{entry.key}={entry.text}" for entry in entries])

    assert grid.keys == tuple(entry.key for entry in entries)
    assert configurable.settings(grid.choices[0]).digest == before.digest


def test_a_parameter_of_a_strategy_is_a_key_of_its_own(configurable: Configurable) -> None:
    (choice,) = configurable.grid([f"{CROSS}.fast_bars=5"]).choices

    (bot,) = [
        bot for bot in configurable.settings(choice).momentum_bots if bot.bot_id == "mom_AAPL_cross"
    ]
    assert dict(bot.signal.params) == {"fast_bars": 5, "slow_bars": 30}


def test_every_value_meets_every_other_and_the_first_key_changes_slowest(
    configurable: Configurable,
) -> None:
    asked = [f"{STOP}=0.3,0.5", "risk.max_orders_per_minute=5,6"]

    assert told(configurable, *asked) == [["0.3", "5"], ["0.3", "6"], ["0.5", "5"], ["0.5", "6"]]


def test_the_same_key_again_adds_values(configurable: Configurable) -> None:
    grid = configurable.grid([f"{STOP}=0.3", "risk.max_orders_per_minute=5", f"{STOP}=0.5"])

    assert [[c.text for c in choice] for choice in grid.choices] == [["0.3", "5"], ["0.5", "5"]]
    assert grid.varied == (STOP,)


def test_a_list_or_a_quoted_text_is_one_value(configurable: Configurable) -> None:
    assert told(configurable, "optionsbot.tickers=[SPY, QQQ],[SPY]") == [["[SPY, QQQ]"], ["[SPY]"]]
    assert told(configurable, f'{CROSS}.word="a, b",c') == [['"a, b"'], ["c"]]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=3, unique=True))
def test_a_value_is_set_as_if_the_file_had_it(
    configurable: Configurable, values: list[int]
) -> None:
    grid = configurable.grid([f"risk.max_orders_per_minute={','.join(map(str, values))}"])

    found = [configurable.settings(choice).risk.max_orders_per_minute for choice in grid.choices]
    assert found == values


def test_what_the_schema_refuses_in_a_file_it_refuses_here(configurable: Configurable) -> None:
    assert refusal(configurable, f"{STOP}=-1") == (
        f"--set {STOP}=-1: found '-1', wanted a number above 0, at most 100, with no more than 4"
        " decimals (percent of the entry price)"
    )
    assert "found 'ja'" in refusal(configurable, "momentum_bots.mom_AAPL.enabled=ja")
    assert "no value" in refusal(configurable, f"{STOP}=~")


def test_a_strategy_refuses_its_parameters(configurable: Configurable) -> None:
    line = refusal(configurable, f"{CROSS}.fast_bars=30")

    assert line.startswith(f"--set {CROSS}.fast_bars=30: ")
    assert "wanted fast_bars smaller than slow_bars" in line


def test_a_fault_elsewhere_names_what_was_set_and_where_it_shows(
    configurable: Configurable,
) -> None:
    line = refusal(configurable, "risk.max_order_notional_usd=10")

    assert line.startswith("with --set risk.max_order_notional_usd=10: ")
    assert "momentum_bots[0].execution.default_notional_usd: found '1000', wanted at most" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("risk.max_order_per_minute=5", "did you mean risk.max_orders_per_minute?"),
        (
            "momentum_bots.mom_APPL.exits.stop_loss_pct=1",
            "did you mean momentum_bots[mom_AAPL].exits.stop_loss_pct",
        ),
        ("stop_loss_pct=1", f"did you mean {STOP}"),
        ("risk=5", "it is a section; wanted one setting of it, such as risk."),
        ("nonsense=5", "`hydra-trader config show`"),
        ("risk.max_orders_per_minute", "wanted KEY=VALUE"),
        ("risk.max_orders_per_minute=", "it is empty"),
        ("risk.max_orders_per_minute=5,5", "twice"),
        ("risk.max_orders_per_minute=1], x: [2", "not YAML"),
        ("risk.max_orders_per_minute=&a 5", "anchors"),
        ("risk.max_orders_per_minute=5\n6", "characters that are not allowed"),
        ("broker.venue=live", "settled"),
    ],
)
def test_words_that_cannot_be_meant_are_refused_in_one_line(
    configurable: Configurable, asked: str, wanted: str
) -> None:
    line = refusal(configurable, asked)

    assert wanted in line
    assert "\n" not in line


def test_a_key_and_a_part_of_it_cannot_both_be_set(configurable: Configurable) -> None:
    line = refusal(configurable, f"{CROSS}={{fast_bars: 5}}", f"{CROSS}.fast_bars=5")

    assert "which is a part of it" in line


def test_a_grid_beyond_reason_is_refused(configurable: Configurable) -> None:
    many = ",".join(map(str, range(1, 102)))
    keys = ("risk.max_orders_per_minute", "guards.pace.max_exits_per_minute")

    line = refusal(configurable, *(f"{key}={many}" for key in keys))
    assert line.startswith(f"found {101 * 101} combinations of --set; wanted at most {RUNS_MAX}")


def test_files_that_are_not_fit_are_refused_before_anything_is_set(tmp_path: Path) -> None:
    for name in ("settings.yaml", "bots.yaml"):
        text = (SHIPPED / name).read_text()
        (tmp_path / name).write_text(text.replace("max_orders_per_minute: 10", "x: 10"))

    with pytest.raises(SettingsRefused):
        Configurable.read(tmp_path)
