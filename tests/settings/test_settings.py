"""What loaded settings promise: typed values, and that nobody changes them."""

from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from hydra.settings.bot_parts import (
    MomentumExecution,
    MomentumExits,
    ProtectiveOrder,
    Signal,
    StockWindow,
    TradeLimits,
)
from hydra.settings.bot_sections import MomentumBotSettings
from hydra.settings.guard_sections import BUILT_IN, ExposureGuards
from hydra.settings.section import Section
from tests.settings.fine import BOTS, ENGINE, load, refusals, spoilt


def test_a_section_holds_typed_values(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert settings.momentum_bots[0] == MomentumBotSettings(
        bot_id="mom_AAPL",
        enabled=True,
        ticker="AAPL",
        session=StockWindow(
            trade_start=time(9, 35), trade_end=time(12, 30), manage_until=time(15, 55)
        ),
        execution=MomentumExecution(
            default_notional_usd=Decimal(1000), protective_order=ProtectiveOrder.RESTING
        ),
        risk=TradeLimits(max_trades_per_day=3, max_concurrent_positions=1),
        exits=MomentumExits(
            stop_loss_pct=Decimal("0.50"), take_profit_pct=Decimal("1.00"), time_stop_minutes=25
        ),
        signal=Signal(mode="moving_average_cross", params={"fast_bars": 10, "threshold_pct": 0.5}),
    )


def test_times_mean_the_same_with_quotes_and_without_i80(tmp_path: Path) -> None:
    assert load(tmp_path).momentum_bots[1].session == StockWindow(
        trade_start=time(9, 36), trade_end=time(12, 31), manage_until=time(15, 56)
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10", 10),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        ("-2.0", -2.0),
        ("true", True),
        ("false", False),
        ("'10'", "10"),
        ('"true"', "true"),
        ("010", "010"),
        ("1e3", "1e3"),
        ("1_000", "1_000"),
        (".5", ".5"),
        ("0x1F", "0x1F"),
        ("ON", "ON"),
        ("NO", "NO"),
        ("12:55", "12:55"),
        ("2024-01-02", "2024-01-02"),
        (".inf", ".inf"),
        ("999999999999999999", 999999999999999999),
    ],
)
def test_a_strategy_s_parameter_is_a_number_a_switch_or_else_text_i80(
    tmp_path: Path, written: str, meant: object
) -> None:
    bots = spoilt(BOTS, "{fast_bars: 10, threshold_pct: 0.5}", f"{{value: {written}}}")

    (value,) = load(tmp_path, bots=bots).momentum_bots[0].signal.params.values()

    assert (type(value), value) == (type(meant), meant)


@pytest.mark.parametrize(
    ("trade_start", "trade_end", "manage_until"),
    [("22:30", "04:30", "04:55"), ("23:00", "23:30", "00:10"), ("04:00", "20:00", "20:00")],
)
def test_a_window_may_run_past_midnight(
    tmp_path: Path, trade_start: str, trade_end: str, manage_until: str
) -> None:
    bots = spoilt(BOTS, '"09:40"', trade_start)
    bots = spoilt(spoilt(bots, '"12:50"', trade_end), '"15:50"', manage_until)

    assert refusals(tmp_path, bots=bots) == []


def test_without_a_broker_section_the_embedded_venue_is_meant(tmp_path: Path) -> None:
    without = load(tmp_path, engine=spoilt(ENGINE, "broker:\n  venue: embedded\n", ""))

    assert without == load(tmp_path)
    assert without.digest == load(tmp_path).digest


def test_without_a_guards_section_what_is_built_in_holds_i40(tmp_path: Path) -> None:
    start, end = ENGINE.index("guards:"), ENGINE.index("health:")

    without = load(tmp_path, engine=ENGINE[:start] + ENGINE[end:])

    assert without.guards == BUILT_IN
    assert without.guards != load(tmp_path).guards


def test_the_guards_are_read_where_they_stand(tmp_path: Path) -> None:
    assert load(tmp_path).guards.exposure == ExposureGuards(
        max_symbol_usd=Decimal(30_000),
        max_bot_usd=Decimal(31_000),
        max_gross_pct=Decimal(60),
        max_open_risk_pct=Decimal("0.6"),
        gap_factor=Decimal("1.6"),
    )


@pytest.mark.parametrize("factor", ["1", "1.0", "10"])
def test_a_gap_is_no_nearer_than_the_stop_and_no_further_than_ten_times(
    tmp_path: Path, factor: str
) -> None:
    engine = spoilt(ENGINE, "gap_factor: 1.6", f"gap_factor: {factor}")

    assert load(tmp_path, engine=engine).guards.exposure.gap_factor == Decimal(factor)


def test_an_entry_may_buy_as_much_as_the_largest_order(tmp_path: Path) -> None:
    bots = spoilt(BOTS, "default_notional_usd: 2000", "default_notional_usd: 25000.00")

    assert load(tmp_path, bots=bots).momentum_bots[1].execution.default_notional_usd == 25000


def test_no_momentum_bot_at_all_is_a_configuration_too(tmp_path: Path) -> None:
    start, end = BOTS.index("momentum_bots:"), BOTS.index("optionsbot:")

    assert load(tmp_path, bots=f"{BOTS[:start]}momentum_bots: []\n{BOTS[end:]}").momentum_bots == ()


def _sections(section: Section) -> Iterator[Section]:
    yield section
    for name in type(section).model_fields:
        value = getattr(section, name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Section):
                yield from _sections(part)


def test_nothing_in_the_settings_can_be_changed_i81(tmp_path: Path) -> None:
    settings = load(tmp_path)

    for section in _sections(settings):
        for name in type(section).model_fields:
            with pytest.raises(ValidationError, match="frozen"):
                setattr(section, name, getattr(section, name))
    params = settings.momentum_bots[0].signal.params
    with pytest.raises(TypeError):
        params["fast_bars"] = 1  # type: ignore[index]
