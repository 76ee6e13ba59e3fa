"""The controls between a bot and the market: what each rules, and what in the code enforces it.

The list is closed (`unlisted`): every check of an order, every kind of halt and every setting that
has a safer direction belongs to a control here, or the pack is not complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from hydra.settings import Settings
from hydra.settings.entries import Entry, entries_of
from hydra.settings.safer import Safer
from hydra.trading.causes import KINDS
from hydra.trading.risk_checks import CHECKS

_BOT_ID = re.compile(r"\[[^\]]*\]")


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One control. `rule` says what it holds to, in a sentence.

    `checks` are asked about every order (`risk_checks`), `causes` halt or close (their codes),
    `settings` are patterns of keys, without the ids of bots. It is shown by the tests that serve
    `invariants` and those in `tests` (files), by `drills`, and by `prove` where that judges it.
    """

    name: str
    rule: str
    checks: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    invariants: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    drills: tuple[str, ...] = ()

    def rules(self, entry: Entry) -> bool:
        """Whether the setting is one of its own."""
        key = _BOT_ID.sub("", entry.key)
        return any(fnmatchcase(key, pattern) for pattern in self.settings)


CONTROLS: tuple[Control, ...] = (
    Control(
        name="order gate",
        rule="No order passes without a permit of the gate, an unexpired lease and the guardian's"
        " approval; a halt shuts it before anything else is done, and outlives the process.",
        checks=("trading_is_open",),
        causes=("operator-halt", "operator-close-only", "halt_marker_unreadable"),
        settings=("safety.fail_closed", "safety.resume", "safety.global_cooldown_minutes"),
        invariants=("I01", "I02", "I03", "I04", "I05", "I08", "I09"),
        drills=("kill_switch",),
    ),
    Control(
        name="kill switch",
        rule="A file or the environment stops all trading within a second, whatever hangs; working"
        " entries are taken out.",
        causes=("kill_switch:",),
        invariants=("I07", "I10", "I12"),
        drills=("kill_switch",),
    ),
    Control(
        name="emergency flatten",
        rule="An operator closes all by orders that only reduce; entries stay shut after it.",
        causes=("flatten",),
        tests=("tests/engine/test_flattening.py", "tests/ops/test_flatten.py"),
    ),
    Control(
        name="start",
        rule="A process starts halted, and trades once preflight and a comparison with the broker"
        " have passed; after an unclean end, too many restarts or a failed look a person is asked.",
        causes=(
            *("start", "recovering", "stopping", "unclean_end", "unclean_end_when_stopped"),
            *("restart_storm", "preflight"),
        ),
        invariants=("I06", "I60", "I75", "I76"),
        drills=("kill_9",),
    ),
    Control(
        name="every loop passes",
        rule="An entry needs the pass of the newest loop over all components.",
        checks=("loop_has_passed",),
        tests=("tests/engine/test_loops.py",),
    ),
    Control(
        name="failures",
        rule="A failure in the safety chain halts; any other stops its actor; nothing that hangs is"
        " waited for.",
        causes=("failed:", "fail-closed", "bot_down:", "unmanaged:"),
        invariants=("I68", "I69", "I70", "I72", "I74"),
    ),
    Control(
        name="order size",
        rule="One order is not larger than a person would ever mean, in quantity and in value.",
        checks=("order_quantity_is_within_limit", "order_value_is_within_limit"),
        settings=("risk.max_order_notional_usd", "guards.order.max_quantity"),
        invariants=("I35", "I40"),
    ),
    Control(
        name="price collar",
        rule="A limit or stop price lies near the market, on the exchange's steps, and a protective"
        " stop on the losing side.",
        checks=(
            *("prices_are_within_collar", "prices_are_on_step", "prices_fit_order_type"),
            "protective_stop_is_behind_price",
        ),
        settings=("guards.order.price_collar_pct",),
        invariants=("I35",),
    ),
    Control(
        name="sane numbers",
        rule="What is not finite, in range and exact is refused before it is compared.",
        checks=("numbers_are_sane",),
        invariants=("I34",),
    ),
    Control(
        name="duplicate orders",
        rule="One decision is at most one order, is sent once, and a second order like the last one"
        " is taken for a mistake.",
        checks=("order_is_not_repeated", "decision_is_fresh"),
        settings=("guards.order.similar_order_seconds",),
        invariants=("I14", "I15", "I16", "I17", "I18", "I20"),
        drills=("lost_answer",),
    ),
    Control(
        name="allowed symbols",
        rule="A bot that is switched on enters what the configuration names for it, and nothing"
        " else.",
        checks=("symbol_is_allowed",),
        settings=(
            *("*.enabled", "optionsbot.tickers", "cryptobot.pairs", "signalbot.symbols"),
            "plugin_bots.symbols",
            "plugins.require_certificate",
        ),
        causes=("bot_closed:", "bot_uncertified:", "signals_closed:"),
        invariants=("I42",),
        tests=("tests/trading/test_risk_checks.py",),
    ),
    Control(
        name="session hours",
        rule="Nothing is sent outside of the exchange's session, and no entry outside of the bot's"
        " own hours, while the exchange halts the symbol, or on a day that the venue's calendar is"
        " not known to keep as ours does.",
        checks=("session_is_open", "window_is_open"),
        causes=("symbol_halted:", "calendar_parted"),
        settings=("*.session.*",),
        invariants=("I43", "I50"),
    ),
    Control(
        name="reduce only",
        rule="Only an entry opens or enlarges; an exit never passes through zero, of the bot's"
        " position and of the account's: nothing is sold short.",
        checks=("exit_reduces_position", "entry_does_not_oppose_position"),
        invariants=("I09",),
        tests=("tests/trading/test_risk_checks.py",),
    ),
    Control(
        name="no trade with ourselves",
        rule="No order could execute against another one of this account.",
        checks=("no_order_opposes",),
        causes=("cancel_pending:",),
        invariants=("I42", "I25", "I26"),
    ),
    Control(
        name="exposure of a symbol",
        rule="All bots together, with every working and unknown order at its worst.",
        checks=("symbol_exposure_is_within_limit",),
        settings=("guards.exposure.max_symbol_usd",),
        invariants=("I31",),
    ),
    Control(
        name="exposure of a bot",
        rule="One bot in all its symbols, and what one entry of it is worth.",
        checks=("bot_exposure_is_within_limit",),
        settings=(
            *("guards.exposure.max_bot_usd", "*.execution.default_notional_usd"),
            "optionsbot.execution.default_premium_usd",
        ),
        invariants=("I31",),
    ),
    Control(
        name="exposure of the account",
        rule="All bots in all symbols in percent of equity, what would be lost if all were stopped"
        " out with a gap, and the cash that stays.",
        checks=(
            *("gross_exposure_is_within_limit", "heat_is_within_limit", "cash_reserve_is_kept"),
            "equity_is_known",
        ),
        settings=(
            *("guards.exposure.max_gross_pct", "guards.exposure.max_open_risk_pct"),
            *("guards.exposure.gap_factor", "portfoliobot.cash_reserve_pct"),
        ),
        invariants=("I31",),
    ),
    Control(
        name="budgets",
        rule="An entry's loss is covered by what its bot, its bucket and the day may still lose;"
        " without a budget there is no entry.",
        checks=(
            *("bot_budget_covers_loss", "bucket_budget_covers_loss", "day_budget_covers_loss"),
        ),
        settings=(
            *("safety.allow_budget_fallback", "portfoliobot.buckets.*"),
            *("portfoliobot.guardrails.*", "monitoring.regimes.risk_pct.*"),
        ),
        invariants=("I32", "I33"),
        tests=("tests/engine/test_budgets.py",),
    ),
    Control(
        name="daily loss",
        rule="A loss beyond the day's limit closes entries at once, has everything closed, and"
        " halts until the next session.",
        checks=("daily_loss_is_within_limit",),
        causes=("daily_loss",),
        settings=(
            *("risk.global_max_daily_loss_pct", "exitbot.cooloff_minutes"),
            "exitbot.kill_conditions.max_daily_loss_halt",
        ),
        invariants=("I37", "I38"),
        drills=("drawdown",),
    ),
    Control(
        name="drawdown",
        rule="Below the session's peak by more than its limit there are no entries.",
        checks=("drawdown_is_within_limit",),
        causes=("drawdown",),
        settings=("guards.equity.max_session_drawdown_pct", "guards.equity.*begins_pct"),
        invariants=("I37",),
        drills=("drawdown",),
    ),
    Control(
        name="anomalies of equity",
        rule="An equity that jumps, flaps or is missing halts or closes.",
        causes=("nav_jump", "drawdown_flapping", "equity_missing"),
        settings=(
            *("guards.equity.max_nav_jump_pct", "guards.equity.drawdown_flap_*"),
            *("guards.equity.recovery_ends_pct", "monitoring.anomaly_halt.nav_jump"),
            *(
                "monitoring.anomaly_halt.drawdown_flapping",
                "monitoring.anomaly_halt.equity_missing",
            ),
            "exitbot.kill_conditions.anomaly_halt",
        ),
        invariants=("I37",),
        tests=("tests/engine/test_kill_conditions.py",),
    ),
    Control(
        name="rate of orders",
        rule="Entries, exits and cancels have their rates, counted as they are tried; entries use"
        " up nobody else's.",
        checks=(
            *("entry_gap_is_kept", "symbol_entry_rate_is_within_limit"),
            *("entry_rate_is_within_limit", "exit_rate_is_within_limit"),
        ),
        settings=(
            *("risk.max_orders_per_minute", "guards.pace.max_entries_per_minute_per_symbol"),
            *("guards.pace.min_entry_gap_seconds", "guards.pace.max_exits_per_minute"),
            "guards.pace.max_cancels_per_minute",
        ),
        invariants=("I36",),
    ),
    Control(
        name="entries of a day",
        rule="The number and the value of entries have their limits, in a window and in a day, of"
        " all bots and of each.",
        checks=(
            *("window_notional_is_within_limit", "entries_today_are_within_limit"),
            "notional_today_is_within_limit",
        ),
        settings=(
            *("guards.pace.notional_window_minutes", "guards.pace.max_notional_per_window_usd"),
            *("guards.pace.max_entries_per_day", "guards.pace.max_notional_per_day_usd"),
            *("*.risk.max_trades_per_day", "*.risk.max_concurrent_positions"),
            *("signalbot.limits.*", "optionsbot.execution.cancel_unfilled_seconds"),
        ),
        invariants=("I38",),
        tests=("tests/engine/test_limits.py",),
    ),
    Control(
        name="repeated execution",
        rule="A bot that trades in circles, and a symbol whose orders are refused again and again,"
        " are closed until a person has looked; a streak of losses pauses the bot.",
        checks=("round_trips_are_within_limit", "rejections_are_within_limit"),
        causes=("throttle:", "rejections:", "cooldown:"),
        settings=(
            *("guards.pace.max_round_trips_per_bot_per_day", "guards.pace.max_consecutive_rejects"),
        ),
        invariants=("I39",),
        drills=("rejects",),
    ),
    Control(
        name="stale data",
        rule="A price is of now or is none; a feed without prices halts, a symbol without is"
        " closed.",
        checks=("price_is_known", "price_is_fresh"),
        causes=("stale_feed", "stale_feed:", "symbol_unready:"),
        settings=(
            *("health.max_price_staleness_seconds", "exitbot.kill_conditions.data_stale_halt"),
            "optionsbot.chain_rules.*",
        ),
        invariants=("I45", "I46", "I47"),
        drills=("stale_feed",),
    ),
    Control(
        name="clocks",
        rule="Clocks that disagree halt.",
        causes=("clock_fault",),
        invariants=("I48", "I49"),
    ),
    Control(
        name="memory",
        rule="Little memory left is an alarm; next to none halts, before the system ends the"
        " process.",
        causes=("memory_short",),
        tests=("tests/ops/test_memory_watch.py",),
    ),
    Control(
        name="unknown outcomes",
        rule="An order whose outcome is unknown keeps its budget, closes its symbol, is looked up"
        " and never sent again; past its time it halts.",
        checks=("no_outcome_is_unknown",),
        causes=("unknown_outcome", "absent_order_lives"),
        settings=("guards.deadlines.unknown_outcome_seconds",),
        invariants=("I17", "I19"),
        drills=("lost_answer",),
    ),
    Control(
        name="reconciliation",
        rule="Account and record are compared at the start, after each gap and again and again;"
        " what differs, what is not ours and what cannot be halts until a person settles it.",
        causes=("reconciliation", "impossible_order", "echo_mismatch"),
        settings=("guards.deadlines.reconcile_every_seconds",),
        invariants=("I22", "I23", "I27", "I29", "I60", "I61", "I62"),
        drills=("kill_9", "silent_stream"),
    ),
    Control(
        name="account and credentials",
        rule="Venue, keys, address, account and record agree, or nothing is traded; live needs a"
        " word of its own; what the broker says of the account is obeyed.",
        causes=("account_blocked",),
        invariants=("I44", "I57", "I82", "I83"),
    ),
    Control(
        name="the broker can be reached",
        rule="Failing calls and a lost stream of orders halt; every call has a deadline.",
        causes=("api_failures", "trading_stream_lost"),
        settings=(
            *("health.max_api_failures_in_window", "health.api_failure_window_seconds"),
            "exitbot.kill_conditions.api_failure_halt",
        ),
        invariants=("I21", "I47"),
        drills=("dead_stream",),
    ),
    Control(
        name="protection",
        rule="Everything that is held is covered by a resting order or by a guard that looks; else"
        " there are no entries. A halt takes no protection away.",
        checks=("positions_are_protected",),
        causes=("unprotected:",),
        settings=(
            *("guards.deadlines.protection_confirm_seconds", "*.exits.*"),
            *("*.execution.protective_order", "monitoring.anomaly_halt.unprotected"),
        ),
        invariants=("I11", "I30"),
    ),
    Control(
        name="corporate actions",
        rule="Nothing is entered near a split, a merger or the like, nor where that is not known,"
        " and nothing is held over one.",
        checks=("no_corporate_action_is_near",),
        settings=("broker.corporate_actions",),
        tests=(
            "tests/trading/test_corporate_actions.py",
            "tests/engine/test_corporate_actions.py",
        ),
    ),
    Control(
        name="execution quality",
        rule="Orders that get done badly, or of which nobody tells, close entries, and so does the"
        " silence of who measures it.",
        causes=("router_degraded", "router_idle", "monitor_missing"),
        settings=(
            *("monitoring.anomaly_halt.router_*", "monitoring.anomaly_halt.monitor_missing"),
        ),
        tests=("tests/engine/test_execution_quality.py",),
    ),
    Control(
        name="the record",
        rule="Intent and attempt are on the disk before an order is sent; a record that cannot be"
        " kept, or is not what was written, halts.",
        causes=(
            *("ledger_replaced", "engine_lock_replaced", "halt_marker_replaced"),
            *("journal_replaced", "journal_failed", "record_watch_stuck", "record_watch_died"),
            *("disk_unreadable", "disk_hard"),
        ),
        invariants=("I13", "I51", "I52", "I54", "I56", "I58", "I63", "I64", "I65"),
        drills=("full_disk",),
    ),
    Control(
        name="configuration",
        rule="What is not fit is not started with; limits are tightened while it runs, and loosened"
        " at a restart with a reason; modes only take away.",
        causes=("bad_reload",),
        settings=("modes.*",),
        invariants=("I40", "I41", "I78", "I79", "I80", "I81"),
    ),
    Control(
        name="going live",
        rule="Real money is traded within the limits of micro, with a configuration that paper has"
        " shown for 14 clean sessions, or on an operator's recorded word; else nothing is entered.",
        causes=("live_closed:",),
        settings=("live.*",),
        tests=(
            "tests/ops/going_live/test_evidence.py",
            "tests/ops/going_live/test_live_start.py",
            "tests/settings/test_live_profile.py",
        ),
    ),
)
"""All of them."""


def unlisted(settings: Settings, controls: Iterable[Control] = CONTROLS) -> tuple[str, ...]:
    """What enforces something, and belongs to no control: the list is not closed then."""
    return tuple(_unlisted(settings, tuple(controls)))


def limits_in(settings: Settings) -> Iterator[Entry]:
    """Every setting that has a safer direction: by it something is limited."""
    return (entry for entry in entries_of(settings) if entry.safer is not Safer.NEITHER)


def _unlisted(settings: Settings, controls: tuple[Control, ...]) -> Iterator[str]:
    checks = {check for control in controls for check in control.checks}
    causes = {code for control in controls for code in control.causes}
    yield from (f"check {c.__name__}" for c in dict.fromkeys(CHECKS) if c.__name__ not in checks)
    yield from (f"cause {kind.code}" for kind in KINDS if kind.code not in causes)
    for entry in limits_in(settings):
        if not any(control.rules(entry) for control in controls):
            yield f"setting {entry.key}"
