"""The answer of `status` as a page for people: what matters first, and nothing that is as it should
be at length.
"""

from collections.abc import Mapping
from typing import Any

from hydra.ops.debug import render
from hydra.ops.debug.render import number, text
from hydra.trading.regimes import Regime

REGIMES_NAMED_MAX = 6
"""Of more symbols in one regime only their number stands on the page."""
PASSES = {
    "ACTIVE": "orders may pass",
    "CLOSE_ONLY": "only orders that reduce a position may pass",
    "HALTED": "no order may pass",
    None: "whether orders pass is not known",
}


def show(told: Mapping[str, Any]) -> None:
    """Write the page."""
    for line in _heading(told):
        render.write(render.clean(line))
    render.write()
    columns = [text("WHY NOT", "code"), text("STATE", "state"), text("SINCE", "since", may_go=True)]
    columns += [text("DETAIL", "detail", folds=True), text("HOW IT ENDS", "ends", folds=True)]
    columns += [text("NOT BEFORE", "not_before", may_go=True)]
    is_running = told["state"] == "running"
    nothing = "nothing stands against trading" if is_running else "no halt is on record"
    render.show_table(columns, told["causes"], nothing=nothing)
    render.write()
    columns = [text("BOT", "id"), text("STATUS", "status"), number("RESTARTS", "restarts")]
    columns += [text("HOLDS", "holds"), text("BUDGET", "budget")]
    bots = [{**bot, "holds": _holds(bot["positions"])} for bot in told["bots"]]
    render.show_table(columns, bots, nothing="no bots")
    render.write()
    render.show_facts(_facts(told))
    for line in configuration_lines(told.get("configuration")):
        render.write(render.clean(line))
    overdue = told.get("cancels_overdue")
    if overdue:
        render.write(
            render.clean(f"NOT CANCELED YET, though it was asked for: {', '.join(overdue)}")
        )
    for mismatch in told.get("mismatches") or ():
        render.write(render.clean(f"PROTECTION: {mismatch}"))
    for name, why in (told.get("taken_over") or {}).items():
        render.write(render.clean(f"TAKEN OVER by the exit bot: {name}: {why}"))
    for name, quantity in (told.get("dust") or {}).items():
        render.write(render.clean(f"dust, too little of it for an order: {quantity} of {name}"))
    for code, detail in (told.get("alarms") or {}).items():
        render.write(render.clean(f"ALARM, its kill condition is switched off: {code}: {detail}"))
    for note in told["notes"]:
        render.write(render.clean(f"note: {note}"))


def _heading(told: Mapping[str, Any]) -> list[str]:
    state, venue = told["state"], told["venue"]
    lines = []
    if venue == "embedded":
        lines.append("EMBEDDED VENUE: not real money, not real prices")
    if told.get("dry_run"):
        lines.append("DRY RUN: no order is sent")
    trading = told["trading_state"]
    if state == "running":
        lines.append(f"running; trading is {trading}: {PASSES[trading]}")
    elif state == "stopped":
        lines.append(f"stopped: no engine runs, so no order passes; {told['ended']}")
        if told["resume_noted"]:
            lines.append("an operator's `resume` waits for the next start")
    else:
        lines.append(f"NOT ANSWERING: {PASSES[None]}; this is what is on record")
    return lines


def _facts(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values; a dash for what is not known."""
    orders = told["orders"]
    counts = ", ".join(f"{_word(orders[name])} {name}" for name in ("open", "unknown", "today"))
    facts = [("venue", f"{told['venue']}, account {_word(told['account'])}")]
    live = told.get("live")
    if live is not None:
        facts.append(("live", live["line"]))
    if told["state"] == "running":
        facts += [
            ("market time", f"{told['at']}, session {_word(told['session'])}"),
            ("orders", counts),
            ("exposure", _word(told["exposure"])),
            ("exit coverage", _word(told["coverage_pct"], " %")),
            ("execution", _execution(told["execution"])),
            ("volatility", f"{_regimes(told['regimes'])}; risk mode {_word(told['risk_mode'])}"),
            *_actions(told["corporate_actions"]),
            ("lease", _lease(told["lease_ms"])),
            ("newest price", _word(told["feed_age_s"], " s old")),
            ("loops", _word(told["loops"])),
        ]
    else:
        journal = told["journal"]
        facts += [("orders", counts)]
        if journal is not None:
            last = f"{journal['last_event']}, at {_word(journal['last_at'])} (market time)"
            facts.append(("last in the journal", last))
    plugins = [("plug-in", each) for each in told["versions"].get("plugins", ())]
    return [*facts, ("version", f"Hydra {told['versions']['hydra']}"), *plugins]


def configuration_lines(told: Mapping[str, Any] | None) -> list[str]:
    """What differs from files that are in force without a strategy mode; nothing, if they are."""
    if told is None:
        return []
    lines = []
    if told["mode"] != "none" or told["mode_wanted"] != "none":
        wanted = told["mode_wanted"]
        waits = "" if wanted == told["mode"] else f"; {wanted} waits for a restart"
        lines.append(f"strategy mode {told['mode']}{waits} ({told['mode_why']})")
    if told["refused"] is not None:
        lines.append(f"CONFIGURATION REFUSED since {told['refused_since']}: {told['refused']}")
    if told["pending"] is not None:
        count, since = len(told["pending"]), told["pending_since"]
        changes = f"{count} change{'' if count == 1 else 's'} of the configuration"
        waits = f"{changes} not in force, since {since}; a restart" if count else "A restart"
        lines.append(f"{waits} is needed:")
        lines += [f"  {why}" for why in told["pending_why"]]
    return lines


def _lease(left_ms: float | None) -> str:
    if left_ms is None:
        return "–"
    return f"{render.duration(left_ms)} left" if left_ms > 0 else "none: no order passes"


def _execution(measured: Mapping[str, Any] | None) -> str:
    if measured is None:
        return "–"
    score = "too few orders for a score" if measured["score"] is None else measured["score"]
    return f"{measured['router']}, {score} (since {measured['since']})"


def _regimes(regimes: Mapping[str, str] | None) -> str:
    """How many markets are how restless, the wildest by name."""
    if regimes is None:
        return "–"
    if not regimes:
        return "no regime known yet"
    parts = []
    for regime in reversed(Regime):
        of_it = [symbol for symbol, each in regimes.items() if each == regime.value]
        if of_it:
            is_few = len(of_it) <= REGIMES_NAMED_MAX
            parts.append(f"{regime.value} {', '.join(of_it) if is_few else len(of_it)}")
    return ", ".join(parts)


def _actions(told: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Splits and the like: nothing, where there are none and all is known."""
    if told is None:
        return []
    lines = list(told["near"])
    if told["unknown"]:
        why = told["fault"] or "not read yet"
        lines.append(f"not known of {', '.join(told['unknown'])}: no entries there ({why})")
    return [("corporate action", each) for each in lines]


def _holds(positions: Mapping[str, str] | None) -> str:
    if positions is None:
        return "–"
    return ", ".join(f"{quantity} {symbol}" for symbol, quantity in positions.items()) or "nothing"


def _word(value: object, unit: str = "") -> str:
    return "–" if value is None else f"{value}{unit}"
