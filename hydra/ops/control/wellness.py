"""What of a running engine is as it should be, from what `status` tells: one finding a check.

Whatever `status` does not know fails its check: silence is not good news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from hydra import __version__
from hydra.ops.debug.render import duration
from hydra.runtime.life import in_words
from hydra.trading.causes import HALT_MARKER_UNREADABLE, RECORD_FAULTS
from hydra.trading.findings import Finding
from hydra.trading.trading_state import TradingState

LOOPS_MISSED_MAX = 2
ANSWER_S = 2.0
"""What a component may take to answer the health monitor, which a loop may last besides."""

COMPARISONS_MISSED_MAX = 3

PORTFOLIO_BOT = "portfolio_bot"

RECORD_CODES = frozenset(kind.code for kind in (HALT_MARKER_UNREADABLE, *RECORD_FAULTS))

Told: TypeAlias = Mapping[str, Any]
"""The answer of `status`, of an engine that runs."""


NOT_UNDERSTOOD = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What comes of an answer in which something is missing, or is another thing than it is here."""


def not_understood(error: Exception) -> Finding:
    """Of an engine whose answer cannot be made anything of."""
    line = (
        f"its answer to `status` is not understood ({in_words(error)}): it may be of another"
        f" version than what is installed ({__version__}); restart the engine"
    )
    return Finding("engine", False, line)


def checks_of(told: Told, own_version: str) -> tuple[Finding, ...]:
    """Every check, in the order in which an operator would ask. `own_version`: of who asks."""
    return (
        _engine(told),
        _trading(told),
        *_live(told),
        _lease(told),
        _loops(told),
        _budgets(told),
        _coverage(told),
        _component(told, "guardian"),
        _feed(told),
        _trading_stream(told),
        _comparison(told),
        _orders(told),
        _record(told),
        _bots(told),
        _version(told, own_version),
    )


def _health(told: Told) -> Told:
    """Empty of an engine of an older version, which says nothing of it."""
    health: Told = told.get("health") or {}
    return health


def _engine(told: Told) -> Finding:
    failed = told["failed_closed"]
    if failed is None:
        return Finding("engine", True, f"it runs and answers; venue {told['venue']}")
    return Finding("engine", False, f"it failed closed and is ending: {failed}")


def _trading(told: Told) -> Finding:
    state = told["trading_state"]
    if state == TradingState.ACTIVE.name:
        scoped = ", ".join(cause["code"] for cause in told["causes"])
        return Finding("trading", True, f"it is ACTIVE{scoped and f'; not for all: {scoped}'}")
    causes = _listed(told["causes"])
    return Finding("trading", False, f"it is {state}: {causes}")


def _live(told: Told) -> Iterable[Finding]:
    """Real money alone: on what ground it is traded, or why nothing is entered."""
    live = told.get("live")
    if live is not None:
        yield Finding("live", live["open"] is True, live["line"])


def _lease(told: Told) -> Finding:
    left = told["lease_ms"]  # null: it never runs out
    if left is None or left > 0:
        for_how_long = "for ever" if left is None else f"for {duration(left)} more"
        return Finding("lease", True, f"the safety chain makes progress: good {for_how_long}")
    line = "it ran out: an actor of the safety chain makes no progress; see `debug tree`"
    return Finding("lease", False, line)


def _loops(told: Told) -> Finding:
    health = _health(told)
    age, interval = health.get("loop_age_s"), health.get("loop_interval_s")
    if age is None or interval is None:
        return Finding("loops", False, "no loop of the health monitor has come to its end yet")
    age_max = LOOPS_MISSED_MAX * interval + ANSWER_S
    line = f"loop {told['loops']}, the last one ended {age:.1f} s ago, at most {age_max:g} s"
    overruns = health.get("loop_overruns")
    if overruns:
        line += f"; {overruns} were left out, because the one before had not ended"
    if health.get("loop_passed") is not True:
        line += "; preflight did not pass in it, so nothing is entered"
    elif age <= age_max:
        return Finding("loops", True, line)
    return Finding("loops", False, f"{line}; see `debug state /hydra/core/health_monitor`")


def _budgets(told: Told) -> Finding:
    """Whether bots may lose anything today: without a budget nobody enters."""
    budgets = told.get("budgets") or {}
    granted, wanted = budgets.get("granted"), budgets.get("wanted")
    proposer = any(bot["id"] == PORTFOLIO_BOT for bot in told["bots"])
    if granted is None or wanted is None:
        return Finding("budgets", False, "the guardian did not say; see `debug tree`")
    if granted:
        return Finding("budgets", True, "granted for the day")
    if not proposer:
        line = "nobody proposes any: set portfoliobot.enabled to true and restart"
        return Finding("budgets", False, line)
    if wanted:
        line = "none is granted for the day, so nothing is entered; see `debug state"
        return Finding("budgets", False, f"{line} /hydra/bots/{PORTFOLIO_BOT}`")
    return Finding("budgets", True, "none yet: no trading day has begun since the start")


def _coverage(told: Told) -> Finding:
    """Whether all that is held is protected, by orders at the venue or by guards here."""
    pct = told.get("coverage_pct")
    if pct is None:
        line = "not known what protects the positions, so nothing is entered; see `debug tree`"
        return Finding("coverage", False, line)
    if Decimal(str(pct)) >= 100:
        return Finding("coverage", True, "all that is held is protected")
    return Finding("coverage", False, f"{pct} % of what is held is protected; see `status`")


def _component(told: Told, name: str) -> Finding:
    """What it said of itself in the last loop."""
    for said in _health(told).get("components") or ():
        if said["component"] == name:
            return Finding(name, said["is_well"] is True, said["detail"])
    return Finding(name, False, _silent(told))


def _silent(told: Told) -> str:
    """Why there is no word of a component: who does not answer is told by its actor's name."""
    failed = [said for said in _health(told).get("components") or () if not said["is_well"]]
    words = "; ".join(f"{said['component']}: {said['detail']}" for said in failed)
    return f"it said nothing in the last loop{words and f' ({words})'}; see `debug tree`"


def _feed(told: Told) -> Finding:
    check, age = _component(told, "feed"), told["feed_age_s"]
    newest = "no bar yet" if age is None else f"the newest bar is {age:.0f} s old (market time)"
    return Finding("feed", check.passed, f"{check.line}; {newest}")


def _trading_stream(told: Told) -> Finding:
    blind = _health(told).get("trading_stream")
    if blind == "":
        return Finding("stream", True, "what the venue says of orders is heard")
    why = "the gateway did not say" if blind is None else blind
    line = f"entries are held back: {why}; it connects again by itself, see `status` for halts"
    return Finding("stream", False, line)


def _comparison(told: Told) -> Finding:
    health = _health(told)
    age, every, found = (
        health.get("compared_age_s"),
        health.get("reconcile_every_s"),
        health.get("comparison"),
    )
    if age is None or every is None:
        return Finding("comparison", False, "record and venue have not been compared yet")
    age_max = COMPARISONS_MISSED_MAX * every
    line = f"{found}, {age:.0f} s ago, at most {age_max:g} s"
    if not age <= age_max:
        return Finding("comparison", False, f"{line}; see `debug state /hydra/core/broker_gateway`")
    if health.get("agrees") is not True:
        return Finding("comparison", False, f"{line}; see `reconcile`")
    return Finding("comparison", True, line)


def _orders(told: Told) -> Finding:
    unknown, overdue = told["orders"]["unknown"], told["cancels_overdue"]
    if unknown is None or overdue is None:
        return Finding("orders", False, "the guardian did not say what works; see `debug tree`")
    faults = []
    if unknown:
        faults.append(f"{unknown} of unknown outcome, looked up until the venue has told")
    if overdue:
        faults.append(f"not canceled yet, though it was asked for: {', '.join(overdue)}")
    line = "; ".join(faults) or f"{told['orders']['open']} open, none of unknown outcome"
    return Finding("orders", not faults, line)


def _record(told: Told) -> Finding:
    """Ledger and journal take what is written, and the watch over their files found no fault."""
    faults = [cause for cause in told["causes"] if cause["code"] in RECORD_CODES]
    if faults:
        return Finding("record", False, _listed(faults))
    parts = [_component(told, name) for name in ("ledger", "journal")]
    bad = [part for part in parts if not part.passed]
    line = "; ".join(f"{part.name}: {part.line}" for part in bad or parts)
    return Finding("record", not bad, line)


def _bots(told: Told) -> Finding:
    bots = told["bots"]
    resting = [f"{bot['id']} is {bot['status']}" for bot in bots if bot["status"] != "running"]
    if not bots:
        return Finding("bots", False, "there are none; see `debug tree`")
    if resting:
        return Finding("bots", False, f"{', '.join(resting)}; see `debug history`")
    return Finding("bots", True, f"{len(bots)} run")


def _version(told: Told, own: str) -> Finding:
    running = told["versions"]["hydra"]
    if running == own:
        return Finding("version", True, f"Hydra {running}")
    line = f"the engine is {running}, what is installed is {own}; restart the engine"
    return Finding("version", False, line)


def _listed(causes: Iterable[Mapping[str, Any]]) -> str:
    words = [f"{cause['code']}: {cause['detail']} ({cause['ends']})" for cause in causes]
    return "; ".join(words) or "no cause is told; see `status`"
