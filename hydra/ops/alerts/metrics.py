"""How an engine is, as numbers for Prometheus: pure, from one look and its mailboxes.

What is not known has no sample, never a made-up zero: `hydra_up` says whether anybody answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hydra.ops.alerts.conditions import Seen, Severity, is_working
from hydra.ops.alerts.kept import Kept
from hydra.trading.trading_state import TradingState

Row = Mapping[str, Any]


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """All that the numbers are made of. `looked_at`: UTC seconds; None: nobody has looked yet.

    `mailboxes` are the rows of `debug mailboxes`; None: no engine answered.
    """

    seen: Seen | None
    looked_at: float | None
    kept: Kept
    mailboxes: tuple[Row, ...] | None


def families(numbers: Numbers) -> Iterator[Metric]:
    """Every family, each once; the names and what they mean stand here."""
    yield from _of_the_watch(numbers)
    seen = numbers.seen
    told = None if seen is None else seen.told
    up = GaugeMetricFamily("hydra_up", "1 if the engine answered the last look.")
    up.add_metric((), told is not None)
    yield up
    working = GaugeMetricFamily(
        "hydra_working", "1 if the safety chain makes progress and loops come to their end."
    )
    working.add_metric((), is_working(told))
    yield working
    if seen is not None and told is not None:
        yield from _of_the_engine(seen, told)
    if numbers.mailboxes is not None:
        yield from _of_mailboxes(numbers.mailboxes)


def _of_the_watch(numbers: Numbers) -> Iterator[Metric]:
    yield from _gauge("hydra_watch_looked_at_seconds", "Last look, UTC.", numbers.looked_at)
    standing = Counter(
        incident.severity
        for incident in numbers.kept.incidents.values()
        if incident.told_at is not None
    )
    incidents = GaugeMetricFamily(
        "hydra_incidents", "Incidents that were told and are not over.", labels=["severity"]
    )
    for severity in Severity:
        incidents.add_metric((severity.word,), standing[severity])
    yield incidents
    waiting = GaugeMetricFamily(
        "hydra_alerts_waiting", "Alerts that a channel has not taken yet.", labels=["channel"]
    )
    for name, each in sorted(numbers.kept.waiting.items()):
        waiting.add_metric((name,), len(each.messages))
    yield waiting


def _of_the_engine(seen: Seen, told: Row) -> Iterator[Metric]:
    checks = GaugeMetricFamily("hydra_check", "1 if this check passes.", labels=["check"])
    for finding in seen.findings:
        checks.add_metric((finding.name,), finding.passed)
    yield checks
    state = GaugeMetricFamily("hydra_trading_state", "1 for the one it is.", labels=["state"])
    for each in TradingState:
        state.add_metric((each.name,), told["trading_state"] == each.name)
    yield state
    causes = GaugeMetricFamily(
        "hydra_cause", "1 for each that stands against trading.", labels=["code", "state"]
    )
    for cause in told["causes"]:
        causes.add_metric((cause["code"], cause["state"]), 1)
    yield causes
    yield from _counter("hydra_loops", "Loops of the health monitor.", told["loops"])
    health = told.get("health") or {}
    lease = told["lease_ms"]
    yield from _gauge("hydra_loop_age_seconds", "Since the last loop.", health.get("loop_age_s"))
    yield from _gauge(
        "hydra_lease_seconds", "How long orders may pass.", None if lease is None else lease / 1e3
    )
    yield from _gauge("hydra_feed_age_seconds", "Of the newest bar.", told["feed_age_s"])
    yield from _gauge(
        "hydra_comparison_age_seconds",
        "Since record and venue agreed.",
        health.get("compared_age_s"),
    )
    yield from _gauge("hydra_coverage_percent", "Of what is held.", told.get("coverage_pct"))
    yield from _gauge("hydra_equity_usd", "What the account is worth.", told["equity"])
    yield from _gauge("hydra_exposure_usd", "Gross, at its worst.", told["exposure"])
    yield from _gauge("hydra_open_risk_usd", "Lost if every stop is hit.", told["heat"])
    orders = GaugeMetricFamily(
        "hydra_orders", "Open, of unknown outcome, and of the session.", labels=["which"]
    )
    for which, count in told["orders"].items():
        if count is not None:
            orders.add_metric((which,), count)
    yield orders
    yield from _of_bots(told["bots"])


def _of_bots(bots: Iterable[Row]) -> Iterator[Metric]:
    running = GaugeMetricFamily("hydra_bot_running", "1 if it runs.", labels=["bot"])
    positions = GaugeMetricFamily("hydra_position", "Quantity held.", labels=["bot", "symbol"])
    budgets = GaugeMetricFamily("hydra_budget_usd", "What it may lose today.", labels=["bot"])
    for bot in bots:
        running.add_metric((bot["id"],), bot["status"] == "running")
        for symbol, quantity in (bot["positions"] or {}).items():
            positions.add_metric((bot["id"], symbol), float(quantity))
        if bot["budget"] is not None:
            budgets.add_metric((bot["id"],), float(bot["budget"]))
    yield from (running, positions, budgets)


_MAILBOXES: tuple[tuple[str, str, str, float], ...] = (
    ("depth", "hydra_mailbox_depth", "Messages that wait.", 1),
    ("control_depth", "hydra_mailbox_control_depth", "Control messages that wait.", 1),
    ("oldest_ms", "hydra_mailbox_oldest_seconds", "Age of the oldest that waits.", 1e-3),
    ("high_water", "hydra_mailbox_high_water", "The most that ever waited.", 1),
    ("bound", "hydra_mailbox_bound", "How many may wait.", 1),
)
_ACTORS: tuple[tuple[str, str, str, float], ...] = (
    ("processed", "hydra_actor_messages", "Messages handled.", 1),
    ("failures", "hydra_actor_failures", "Handlers that failed.", 1),
    ("restarts", "hydra_actor_restarts", "Times it was started anew.", 1),
    ("rejected", "hydra_mailbox_rejected", "Messages refused by a full mailbox.", 1),
    ("handled_ms", "hydra_actor_handling_seconds", "Time spent in handlers.", 1e-3),
)


def _of_mailboxes(rows: Iterable[Row]) -> Iterator[Metric]:
    rows = tuple(rows)
    for key, name, meaning, factor in _MAILBOXES:
        gauge = GaugeMetricFamily(name, meaning, labels=["path"])
        for row in rows:
            gauge.add_metric((row["path"],), row[key] * factor)
        yield gauge
    for key, name, meaning, factor in _ACTORS:
        counter = CounterMetricFamily(name, meaning, labels=["path"])
        for row in rows:
            counter.add_metric((row["path"],), row[key] * factor)
        yield counter


def _gauge(name: str, meaning: str, value: object) -> Iterator[Metric]:
    number = _number(value)
    if number is not None:
        yield GaugeMetricFamily(name, meaning, value=number)


def _counter(name: str, meaning: str, value: object) -> Iterator[Metric]:
    number = _number(value)
    if number is not None:
        yield CounterMetricFamily(name, meaning, value=number)


def _number(value: object) -> float | None:
    try:
        return None if value is None else float(Decimal(str(value)))
    except InvalidOperation:
        return None
