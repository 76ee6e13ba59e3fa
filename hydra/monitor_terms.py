"""`monitoring` in the engine's own terms: what is measured, what it scales, what of it halts."""

from decimal import Decimal
from itertools import accumulate

from actors.execution_monitor import MonitorTerms
from hydra.actor import MILLISECOND, MINUTE, SECOND
from hydra.settings import Settings
from hydra.trading import causes
from hydra.trading.bars import late_after
from hydra.trading.execution_quality import QualityTerms
from hydra.trading.regimes import RegimeShares, RegimeTerms

SYMBOLS_MEASURED_MAX = 100
"""Of more symbols than this the one that was traded longest ago is forgotten."""
_ANOMALIES = {
    "nav_jump": causes.NAV_JUMP,
    "drawdown_flapping": causes.DRAWDOWN_FLAPPING,
    "equity_missing": causes.EQUITY_MISSING,
    "unprotected": causes.UNPROTECTED,
    "router_degraded": causes.ROUTER_DEGRADED,
    "router_idle": causes.ROUTER_IDLE,
    "monitor_missing": causes.MONITOR_MISSING,
}
"""By the switch in `monitoring.anomaly_halt`."""


def monitor_terms(settings: Settings, bar_interval: int) -> MonitorTerms:
    """What the execution monitor remembers, and what counts as bad. `bar_interval` in ns."""
    quality, found = settings.monitoring.quality, settings.monitoring.regimes
    return MonitorTerms(
        quality=QualityTerms(
            orders_max=quality.orders_remembered,
            symbols_max=SYMBOLS_MEASURED_MAX,
            orders_min=quality.min_orders,
            slippage_bps_half=quality.half_slippage_bps,
            latency_ns_half=quality.half_latency_ms * MILLISECOND,
            idle_ns=quality.idle_seconds * SECOND,
            lasts_ns=quality.minutes_remembered * MINUTE,
        ),
        regimes=RegimeTerms(
            window=found.window_bars,
            history=found.history_bars,
            history_min=found.min_history_bars,
            normal_from=found.normal_from_pct / 100,
            elevated_from=found.elevated_from_pct / 100,
            high_from=found.high_from_pct / 100,
            margin=found.margin_pct / 100,
            calm_bars=found.calm_bars,
        ),
        bar_age_max=late_after(bar_interval),
    )


def regime_shares(settings: Settings) -> RegimeShares:
    """By what a regime multiplies what entries may risk; never more than a calmer one does."""
    pct = settings.monitoring.regimes.risk_pct
    low, normal, elevated, high = accumulate((pct.low, pct.normal, pct.elevated, pct.high), min)
    return RegimeShares(
        low=_share(low),
        normal=_share(normal),
        elevated=_share(elevated),
        high=_share(high),
        unknown=_share(pct.unknown),
    )


def quiet_anomalies(settings: Settings) -> frozenset[str]:
    """The codes of those kinds that only alarm."""
    switches = settings.monitoring.anomaly_halt
    return frozenset(
        kind.code for switch, kind in _ANOMALIES.items() if getattr(switches, switch) is not True
    )


def _share(pct: Decimal) -> Decimal:
    return pct.scaleb(-2)
