"""What stands in each surface: pure, from one look at a running engine.

A reader goes by `schema`, and passes over fields that it does not know; fields are added and never
change their meaning. What is not known is null. Amounts are decimals in text, as in `status`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from hydra.ops.surfaces.trading_time import TradingTime
from hydra.trading import causes
from hydra.trading.exact import plain, subtract, total
from messages.summary import SessionSummary

SCHEMA = 1
ENDING = ".json"
"""Of a surface's file."""
AGE_MAX_S = 120.0
"""Older than that a surface is stale, and says nothing of the present."""

TRADING_TIME = "trading_time"
"""The one surface that an engine reads again, so that a restart in mid-session forgets nothing."""

PER_RUN = "per run"
"""The age limit of what is written once in a run."""

Document: TypeAlias = Mapping[str, Any]


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """All that the surfaces are made of.

    `told` is the answer of `status`, `exits` what the exit bot shows of itself ({}: nothing), and
    `summary` what was traded (None: nobody says). `at` and `started_at` are UTC, as text.
    `trading_time` None: no session was open yet.
    """

    told: Mapping[str, Any]
    exits: Mapping[str, Any]
    summary: SessionSummary | None
    at: str
    started_at: str
    process: int
    trading_time: TradingTime | None = None


def documents_of(sight: Sight) -> dict[str, Document]:
    """Every surface by its name, which is that of its file without the ending."""
    head = {
        "schema": SCHEMA,
        "updated_at": sight.at,
        "market_time": sight.told["at"],
        "venue": sight.told["venue"],
        "account": sight.told["account"],
        "process": sight.process,
    }
    return {
        name: {"surface": name, **head, "age_max_s": _age_max(name), **make(sight)}
        for name, make in SURFACES.items()
    }


def _age_max(name: str) -> float | str:
    return PER_RUN if name in PER_RUN_SURFACES else AGE_MAX_S


def _nav(sight: Sight) -> Document:
    told = sight.told
    drawdown = told["drawdown"]
    equity, start, peak = (
        _amount(text) for text in (told["equity"], drawdown["day_start"], drawdown["peak"])
    )
    return {
        "trading_day": drawdown["trading_day"],
        "equity": told["equity"],
        "day_start": drawdown["day_start"],
        "peak": drawdown["peak"],
        "day_pnl": _text(_difference(equity, start)),
        "day_pnl_pct": _text(_share(_difference(equity, start), start)),
        "drawdown": _text(_difference(peak, equity)),
        "drawdown_pct": _text(_share(_difference(peak, equity), peak)),
        "drawdown_state": drawdown["state"],
    }


def _positions(sight: Sight) -> Document:
    """Who holds what, and what protects it."""
    lines, taken_over = sight.exits.get("lines") or {}, sight.told["taken_over"] or {}
    rows = [
        {
            "bot": bot["id"],
            "symbol": symbol,
            "quantity": quantity,
            "protected_by": lines.get(f"{bot['id']} {symbol}"),
            "taken_over": taken_over.get(f"{bot['id']} {symbol}"),
        }
        for bot in sight.told["bots"]
        for symbol, quantity in (bot["positions"] or {}).items()
    ]
    is_known = all(bot["positions"] is not None for bot in sight.told["bots"])
    return {"known": is_known, "positions": rows, "dust": sight.told["dust"]}


def _positions_ledger(sight: Sight) -> Document:
    """What is held at which price, and what that comes to now."""
    summary = sight.summary
    if summary is None:
        return {"known": False, "lots": []}
    lots = [
        {
            "bot": lot.bot,
            "symbol": lot.symbol,
            "quantity": _text(lot.quantity),
            "average_price": _text(lot.average_price),
            "last_price": _text(lot.last_price),
            "unrealised": _text(lot.unrealised),
        }
        for lot in summary.held
    ]
    return {"known": True, "lots": lots}


def _kpis(sight: Sight) -> Document:
    """What was traded since the engine started, by bot and together."""
    summary = sight.summary
    if summary is None:
        return {"known": False}
    bots = sorted({trade.bot for trade in summary.trades} | {fee.bot for fee in summary.fees})
    return {
        "known": True,
        "orders": summary.orders,
        "bars": summary.bars,
        "denials": dict(summary.denials),
        "total": _result(summary, lambda _: True),
        "bots": {bot: _result(summary, bot.__eq__) for bot in bots},
    }


def _result(summary: SessionSummary, counts: Callable[[str], bool]) -> Document:
    realised = [trade.realised for trade in summary.trades if counts(trade.bot)]
    fees = [fee.usd for fee in summary.fees if counts(fee.bot)]
    return {
        "trades": len(realised),
        "won": sum(each > 0 for each in realised),
        "realised": _text(total(realised)),
        "fees": _text(total(fees)),
        "net": _text(subtract(total(realised), total(fees))),
    }


_ANOMALIES: Mapping[str, causes.CauseKind] = {
    "nav_jump": causes.NAV_JUMP,
    "dd_flap": causes.DRAWDOWN_FLAPPING,
    "router_degraded": causes.ROUTER_DEGRADED,
    "router_idle": causes.ROUTER_IDLE,
    "monitor_missing": causes.MONITOR_MISSING,
    "coverage_drop": causes.UNPROTECTED,
    "equity_missing": causes.EQUITY_MISSING,
    "repeated_execution": causes.THROTTLE,
}
"""The anomalies of SCOPE C8, by the kind of cause or alarm that each is."""


def _risk_snapshot(sight: Sight) -> Document:
    """What may still be traded, what stands against it, and what looks wrong."""
    told = sight.told
    codes = [*(cause["code"] for cause in told["causes"]), *(told["alarms"] or {})]
    kinds = Counter(kind.code for code in codes if (kind := causes.kind_of(code)) is not None)
    return {
        "trading_state": told["trading_state"],
        "causes": told["causes"],
        "earliest_clearing": told["earliest_clearing"],
        "anomalies": {name: kinds[kind.code] > 0 for name, kind in _ANOMALIES.items()},
        "drawdown_state": told["drawdown"]["state"],
        "risk_mode": told["risk_mode"],
        "regimes": told["regimes"],
        "exposure": told["exposure"],
        "open_risk": told["heat"],
        "budgets": {bot["id"]: bot["budget"] for bot in told["bots"] if bot["budget"] is not None},
        "orders": told["orders"],
        "flatten": told["flatten"],
    }


def _router_health(sight: Sight) -> Document:
    """How well orders get done, in all and by symbol (`execution_quality`)."""
    execution = sight.told["execution"] or {}
    return {
        "global": {"status": execution.get("router"), "score": execution.get("score")},
        "since": execution.get("since"),
        "symbols": execution.get("symbols"),
    }


def _diagnostics(sight: Sight) -> Document:
    """Whether the machinery turns."""
    told = sight.told
    health = told["health"]
    exits = {
        "coverage_pct": told["coverage_pct"],
        "is_known": sight.exits.get("is_known"),
        "mismatches": told["mismatches"],
        "taken_over": told["taken_over"],
        "waits": sight.exits.get("waits"),
    }
    return {
        "exit_pipeline": exits,
        "loops": told["loops"],
        "loop_age_s": health["loop_age_s"],
        "loop_passed": health["loop_passed"],
        "loop_overruns": health["loop_overruns"],
        "components": health["components"],
        "comparison": health["comparison"],
        "comparison_agrees": health["agrees"],
        "comparison_age_s": health["compared_age_s"],
        "lease_ms": told["lease_ms"],
        "feed_age_s": told["feed_age_s"],
        "bots": {bot["id"]: bot["status"] for bot in told["bots"]},
        "notes": told["notes"],
    }


def _trading_time(sight: Sight) -> Document:
    """For how long the session could be traded, by configuration; of the last one, after it."""
    time = sight.trading_time
    if time is None:
        return {"date": None, "session_s": None, "open_s": None}
    return {"date": time.date, "session_s": time.session_s, "open_s": time.open_s}


def _engine_metadata(sight: Sight) -> Document:
    """Which engine this is; written once in a run."""
    told = sight.told
    return {
        "version": told["versions"]["hydra"],
        "versions": told["versions"],
        "mode": told["mode"],
        "dry_run": told["dry_run"],
        "started_at": sight.started_at,
        "incarnation": told["incarnation"],
    }


SURFACES: Mapping[str, Callable[[Sight], Document]] = {
    "nav": _nav,
    "positions": _positions,
    "positions_ledger": _positions_ledger,
    "kpis": _kpis,
    "risk_snapshot": _risk_snapshot,
    "router_health": _router_health,
    "diagnostics": _diagnostics,
    TRADING_TIME: _trading_time,
    "engine_metadata": _engine_metadata,
}
PER_RUN_SURFACES = frozenset({"engine_metadata"})


def _amount(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _difference(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else subtract(one, other)


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """In percent, to the hundredth of a basis point."""
    if part is None or not whole:
        return None
    return (100 * part / whole).quantize(Decimal("0.0001"))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{plain(amount):f}"
