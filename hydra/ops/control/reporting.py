"""How a running engine is, told in one go. What is not known is null, never made up."""

import platform
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import apsw
from msgspec import structs

from hydra.actor import MILLISECOND, SECOND, Ref
from hydra.ops.control.asking import answered
from hydra.ops.control.causes import causes_told, earliest_clearing
from hydra.ops.control.configuring import Reloading, configuration_told, no_reload
from hydra.ops.control.facts import EngineFacts
from hydra.ops.debug.asking import Caller, NotInTime, ask
from hydra.ops.debug.describing import Refused, Row, in_ms, utc_text
from hydra.ops.debug.looking import NoArguments
from hydra.runtime.gate import UNLIMITED_LEASE
from hydra.runtime.runtime import Runtime
from hydra.runtime.system import Inspect
from hydra.store.schema import MIGRATIONS
from hydra.terms import clearing_policy
from hydra.trading.trading_state import Cause
from messages.control import ReportTradingState, TradingStateReported
from supervisors import paths

ANSWER_WITHIN = 500 * MILLISECOND
"""Of each of the few that are asked: what does not answer is told as not known."""

ALL_WITHIN = 700 * MILLISECOND
"""Of all of them, one after the other: whoever asks `health` waits no longer than two seconds."""

LEFT_AT_LEAST = 30 * MILLISECOND
"""For each however late it is: one that hangs must not hide those that do answer."""

GUARDIAN_WITHIN = 3 * SECOND
"""Where nothing but its answer is wanted."""

View = Mapping[str, Any]


class StatusReport:
    """The commands `status` and `trading-state`."""

    def __init__(self, facts: EngineFacts, reload: Reloading = no_reload) -> None:
        self._at_start = facts
        self._reload = reload

    @property
    def _facts(self) -> EngineFacts:
        """With the configuration as it is in force by now."""
        reload = self._reload()
        if reload is None:
            return self._at_start
        settings = reload.in_force
        return structs.replace(
            self._at_start,
            configuration=settings.digest,
            traded_as=settings.traded_as,
            clearing=clearing_policy(settings),
        )

    def trading_state(
        self, runtime: Runtime, _arguments: NoArguments, caller: Caller
    ) -> dict[str, Any]:
        """What stands against trading, what of it is on record, and what is to be cleared."""
        report = _asked_trading_state(runtime, GUARDIAN_WITHIN, caller)
        causes = _standing(runtime, report)
        return {
            "trading_state": runtime.gate.state.name,
            "causes": causes_told(causes, self._facts.not_before, report.noted),
            "earliest_clearing": earliest_clearing(causes, self._facts.not_before),
            "durable": list(report.durable),
            "noted": list(report.noted),
            "epoch": report.epoch,
        }

    def status(self, runtime: Runtime, _arguments: NoArguments, caller: Caller) -> dict[str, Any]:
        """How the engine is: whether it may trade, why not, its bots, orders and exposure."""
        facts, gate = self._facts, runtime.gate
        now = runtime.market_time_at(runtime.now())
        asked = _Asked(runtime, caller)
        report = asked.trading_state()
        guardian = asked.view_of(paths.RISK_GUARDIAN) if report is not None else {}
        monitor, feed = asked.view_of(paths.HEALTH_MONITOR), asked.view_of(paths.DATA_FEED)
        flattener = asked.view_of(paths.FLATTENER)
        comparing = asked.view_of(paths.BROKER_GATEWAY)
        measured = asked.view_of(paths.EXECUTION_MONITOR)
        has_actions = paths.ACTION_WATCH.path in runtime.cells
        actions = asked.view_of(paths.ACTION_WATCH) if has_actions else {}
        causes = _standing(runtime, report)
        noted = () if report is None else report.noted
        session = facts.sessions.at(now)
        gateway = runtime.cells.get(paths.BROKER_GATEWAY.path)
        return {
            "state": "running",
            "trading_state": gate.state.name,
            "causes": causes_told(causes, facts.not_before, noted),
            "earliest_clearing": earliest_clearing(causes, facts.not_before),
            "mode": facts.mode,
            "venue": facts.venue,
            "dry_run": facts.dry_run,
            "live": None if facts.live is None else facts.live.told(),
            "account": facts.account,
            "at": utc_text(now),
            "session": None if session is None else session.date,
            "incarnation": None if gateway is None else gateway.incarnation,
            "loops": monitor.get("loop"),
            "bots": _bots(runtime, guardian),
            "orders": {
                "open": _count(guardian.get("open_orders")),
                "unknown": _count(guardian.get("unknown_orders")),
                "today": _count(guardian.get("orders_today")),
            },
            "exposure": _plain(guardian.get("exposure")),
            "heat": _plain(guardian.get("heat")),
            "equity": _plain(guardian.get("equity")),
            "drawdown": {
                "state": _plain(guardian.get("drawdown_state")),
                "trading_day": _plain(guardian.get("trading_day")),
                "day_start": _plain(guardian.get("day_start")),
                "peak": _plain(guardian.get("peak")),
            },
            "flatten": _plain(flattener.get("phase")),
            "cancels_overdue": _plain(guardian.get("cancels_overdue")),
            "budgets": {
                "granted": _plain(guardian.get("budgets_granted")),
                "wanted": _plain(guardian.get("budgets_wanted")),
            },
            "coverage_pct": _plain(guardian.get("coverage_pct")),
            "mismatches": _plain(guardian.get("mismatches")),
            "taken_over": _plain(guardian.get("taken_over")),
            "dust": _plain(guardian.get("dust")),
            "alarms": _plain(guardian.get("alarms")),
            "risk_mode": _plain(guardian.get("risk_mode")),
            "execution": _execution(measured),
            "regimes": _plain(measured.get("regimes")),
            "corporate_actions": _plain(actions) if actions else None,
            "lease_ms": _lease_ms(runtime),
            "feed_age_s": _age_s(now, feed.get("newest_at")),
            "health": _health(runtime.now(), monitor, comparing),
            "failed_closed": runtime.failed_closed,
            "configuration": configuration_told(self._reload()),
            "versions": {
                "hydra": facts.version,
                "python": platform.python_version(),
                "sqlite": apsw.sqlite_lib_version(),
                "ledger": len(MIGRATIONS),
                "configuration": facts.configuration,
                "traded_as": facts.traded_as,
                "plugins": list(facts.plugins),
            },
            "notes": [*asked.notes, *_suspended(runtime)],
        }


class _Asked:
    """Asks actors, and keeps what is to be said of those that did not answer."""

    def __init__(self, runtime: Runtime, caller: Caller) -> None:
        self._runtime = runtime
        self._caller = caller
        self._until = runtime.now() + ALL_WITHIN
        self.notes: list[str] = []

    def trading_state(self) -> TradingStateReported | None:
        """What the guardian says; None, and a note: nothing."""
        try:
            return _asked_trading_state(self._runtime, self._within(), self._caller)
        except Refused as refused:
            self.notes.append(str(refused))
            return None

    def view_of(self, ref: Ref[Any]) -> View:
        """What the actor shows of itself; nothing, and a note, if it does not."""
        cell = self._runtime.cells.get(ref.path)
        if cell is None:
            self.notes.append(f"there is no {ref.name}")
            return {}
        try:
            view = ask(self._runtime, cell, Inspect(), self._within(), self._caller)
        except NotInTime as late:
            self.notes.append(f"the {ref.name} did not show its state: {late}")
            return {}
        except Refused as refused:
            self.notes.append(f"the {ref.name} did not show its state: {refused}")
            return {}
        return view if isinstance(view, Mapping) else {}

    def _within(self) -> int:
        return max(LEFT_AT_LEAST, min(ANSWER_WITHIN, self._until - self._runtime.now()))


def _standing(runtime: Runtime, report: TradingStateReported | None) -> tuple[Cause, ...]:
    """What the gate holds, which stops orders whatever the guardian knows; and what only the
    guardian holds against the orders of a bot, or in a symbol.
    """
    latched = runtime.gate.standing()
    codes = {cause.code for cause in latched}
    told = () if report is None else report.causes
    return (*latched, *(cause for cause in told if cause.code not in codes))


def _asked_trading_state(runtime: Runtime, within: int, caller: Caller) -> TradingStateReported:
    question = ReportTradingState()
    return answered(runtime, paths.RISK_GUARDIAN, question, TradingStateReported, within, caller)


def _health(now: int, monitor: View, gateway: View) -> Row:
    """What the health monitor last heard, and what the gateway knows of the venue; machine time."""
    return {
        "loop_age_s": _age_s(now, monitor.get("heard_at")),
        "loop_passed": _plain(monitor.get("passed")),
        "loop_overruns": _count(monitor.get("overruns")),
        "loop_interval_s": _seconds(monitor.get("loop_interval")),
        "components": _plain(monitor.get("heard")),
        "trading_stream": _plain(gateway.get("blind")),
        "comparison": _plain(gateway.get("last_comparison")),
        "agrees": _plain(gateway.get("agrees")),
        "compared_age_s": _age_s(now, gateway.get("compared_at")),
        "reconcile_every_s": _seconds(gateway.get("reconcile_every")),
    }


def _suspended(runtime: Runtime) -> list[str]:
    """Who is held back by the debugger: no cause says so, and whoever did it may have gone."""
    notes = []
    for cell in list(runtime.cells.values()):
        if cell.suspended:
            so = ": no order moves" if cell.spec.critical else ""
            way_out = f"`hydra-trader debug resume {cell.name}`"
            notes.append(f"{cell.path} is suspended and handles nothing{so}; {way_out}")
    return notes


def _execution(measured: View) -> Row | None:
    """How well orders get done, and since when that is measured; null: not known."""
    since = measured.get("since")
    if not isinstance(since, int):
        return None
    told = {key: _plain(measured.get(key)) for key in ("router", "score", "symbols")}
    return {**told, "since": utc_text(since)}


def _bots(runtime: Runtime, guardian: View) -> list[Row]:
    """In start order, with what the guardian says that they hold and may risk."""
    supervisor = runtime.cells.get(paths.BOTS.path)
    cells = [] if supervisor is None else list(supervisor.children.values())
    positions = _positions_by_bot(guardian.get("positions"))
    budgets = guardian.get("budgets")
    return [
        {
            "id": cell.name,
            "status": cell.shown_status,
            "restarts": cell.restarts,
            "positions": None if positions is None else positions.get(cell.name, {}),
            "budget": _plain(budgets.get(cell.name)) if isinstance(budgets, Mapping) else None,
        }
        for cell in cells
    ]


def _positions_by_bot(positions: object) -> dict[str, dict[str, str]] | None:
    """The guardian shows them as "bot symbol": quantity."""
    if not isinstance(positions, Mapping):
        return None
    told: dict[str, dict[str, str]] = {}
    for name, quantity in positions.items():
        bot, _, symbol = str(name).rpartition(" ")
        told.setdefault(bot, {})[symbol] = str(quantity)
    return told


def _plain(value: object) -> object:
    """As JSON knows it, numbers exact; null for what is not known."""
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _count(value: object) -> int | None:
    """Of a number the number, of a list its length."""
    match value:
        case int():
            return value
        case list() | tuple() | Mapping():
            return len(value)
        case _:
            return None


def _lease_ms(runtime: Runtime) -> float | None:
    """How long orders may still pass without the safety chain's word; null: for ever."""
    left = runtime.gate.lease_left()
    return None if left > UNLIMITED_LEASE // 2 else in_ms(max(0, left))


def _age_s(now: int, at: object) -> float | None:
    return _seconds(now - at) if isinstance(at, int) else None


def _seconds(duration: object) -> float | None:
    return round(duration / SECOND, 3) if isinstance(duration, int) else None
