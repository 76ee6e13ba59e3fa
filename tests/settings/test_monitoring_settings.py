"""`monitoring`: what is refused, and what it comes to in the engine's own terms."""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.monitor_terms import monitor_terms, quiet_anomalies, regime_shares
from hydra.settings import Settings, SettingsRefused, VenueName
from hydra.settings.monitoring_sections import MONITORED
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.kill_conditions import ANOMALIES
from hydra.trading.regimes import RegimeShares
from tests.engine.scenery import settings_with
from tests.settings.fine import ENGINE, load, spoilt

HOME = Path(__file__).resolve().parents[2]
D = Decimal


def section() -> str:
    """The section as it is shipped, up to the next one."""
    text = (HOME / "config" / "settings.yaml").read_text("utf-8")
    return text[text.index("monitoring:\n") : text.index("\nhealth:\n") + 1]


def loaded(folder: Path, old: str = "", new: str = "", venue: VenueName | None = None) -> Settings:
    changed = spoilt(section(), old, new) if old else section()
    engine = spoilt(ENGINE, "\nhealth:\n", f"\n{changed}health:\n")
    return load(folder, engine=engine, venue=venue)


def test_without_the_section_what_is_built_in_holds(tmp_path: Path) -> None:
    assert load(tmp_path).monitoring == MONITORED == loaded(tmp_path).monitoring


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("    min_orders: 10", "    min_order: 10", "did you mean min_orders?"),
        ("    calm_bars: 10", "    calm_bars: 0", "wanted a whole number from 1 to 2000"),
        ("      high: 50", "      high: 0", "zero never means unlimited"),
        ("      low: 100", "      low: 101", "at most 100"),
        ("min_history_bars: 40", "min_history_bars: 241", "wanted at most history_bars (240)"),
        ("elevated_from_pct: 75", "elevated_from_pct: 25", "wanted more than normal_from_pct (25)"),
        ("high_from_pct: 90", "high_from_pct: 75", "wanted more than elevated_from_pct (75)"),
        ("margin_pct: 5", "margin_pct: 25", "wanted less than normal_from_pct (25)"),
        ("idle_seconds: 120", "idle_seconds: 3600", "wanted less than minutes_remembered (60 min)"),
        ("    router_idle: true\n", "", "monitoring.anomaly_halt.router_idle: missing"),
    ],
)
def test_what_cannot_be_meant_is_refused_i40_i78(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    with pytest.raises(SettingsRefused) as refused:
        loaded(tmp_path, old, new)

    assert why in str(refused.value)


def test_on_live_every_anomaly_halts(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="on live every anomaly halts"):
        loaded(tmp_path, "router_degraded: true", "router_degraded: false", venue=VenueName.LIVE)


def test_each_value_comes_to_where_it_is_meant() -> None:
    changes: dict[str, object] = {
        "quality.orders_remembered": 7,
        "quality.minutes_remembered": 8,
        "quality.min_orders": 3,
        "quality.half_slippage_bps": D("12.5"),
        "quality.half_latency_ms": 1500,
        "quality.idle_seconds": 9,
        "regimes.window_bars": 5,
        "regimes.history_bars": 50,
        "regimes.min_history_bars": 11,
        "regimes.normal_from_pct": 30,
        "regimes.elevated_from_pct": 60,
        "regimes.high_from_pct": 80,
        "regimes.margin_pct": 6,
        "regimes.calm_bars": 4,
        "regimes.risk_pct.low": D(90),
        "regimes.risk_pct.normal": D(80),
        "regimes.risk_pct.elevated": D("33.5"),
        "regimes.risk_pct.high": D(10),
        "regimes.risk_pct.unknown": D(20),
    }
    settings = settings_with({f"monitoring.{key}": value for key, value in changes.items()})

    terms, quality = monitor_terms(settings, MINUTE), monitor_terms(settings, MINUTE).quality

    assert (quality.orders_max, quality.lasts_ns, quality.orders_min) == (7, 8 * MINUTE, 3)
    assert (quality.slippage_bps_half, quality.latency_ns_half) == (D("12.5"), 3 * SECOND // 2)
    assert quality.idle_ns == 9 * SECOND
    found = terms.regimes
    assert (found.window, found.history, found.history_min, found.calm_bars) == (5, 50, 11, 4)
    ranks = (found.normal_from, found.elevated_from, found.high_from, found.margin)
    assert ranks == (0.3, 0.6, 0.8, 0.06)
    assert terms.bar_age_max == 5 * MINUTE // 2
    assert regime_shares(settings) == RegimeShares(
        low=D("0.9"), normal=D("0.8"), elevated=D("0.335"), high=D("0.1"), unknown=D("0.2")
    )


def test_to_lower_one_share_lowers_those_of_wilder_regimes_with_it_i41() -> None:
    shares = regime_shares(settings_with({"monitoring.regimes.risk_pct.low": D(60)}))

    assert shares == RegimeShares(D("0.6"), D("0.6"), D("0.6"), D("0.5"), D(1))


def test_there_is_a_switch_for_every_anomaly_and_each_is_for_its_own() -> None:
    switches = type(MONITORED.anomaly_halt).model_fields
    all_off = settings_with({f"monitoring.anomaly_halt.{name}": False for name in switches})

    assert quiet_anomalies(all_off) == ANOMALIES
    assert quiet_anomalies(settings_with({})) == frozenset()
    for name in switches:
        (code,) = quiet_anomalies(settings_with({f"monitoring.anomaly_halt.{name}": False}))
        assert code.rstrip(":") == name
