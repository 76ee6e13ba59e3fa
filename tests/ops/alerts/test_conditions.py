"""What of an engine somebody is told: all that is wrong, and nothing that every night brings."""

from __future__ import annotations

from typing import Any

import pytest

from hydra.ops.alerts.conditions import Condition, Severity, conditions_of, is_working
from hydra.trading.causes import KINDS
from hydra.trading.trading_state import CauseClass, TradingState
from tests.ops.alerts.looks import PROCESS, cause, gone, seen, told

NOTICE, WARNING, CRITICAL = Severity
CLOSE_ONLY = TradingState.CLOSE_ONLY


def told_of(*causes: Any) -> list[tuple[str, Severity, float]]:
    found = conditions_of(seen(causes=list(causes)), PROCESS)
    return [
        (each.key, each.severity, each.patience_s) for each in found if not each.is_said_by_a_cause
    ]


def the_one(found: tuple[Condition, ...]) -> Condition:
    (condition,) = found
    return condition


def test_of_an_engine_that_is_well_nothing_is_told() -> None:
    assert conditions_of(seen(), PROCESS) == ()


def test_an_engine_that_is_gone_is_critical_unless_it_ended_in_order() -> None:
    killed = the_one(conditions_of(gone(), PROCESS))
    stopped = the_one(conditions_of(gone(in_order=True), PROCESS))
    unknown = the_one(conditions_of(gone(in_order=None), PROCESS))

    assert (killed.key, killed.severity, killed.title) == ("engine", CRITICAL, "no engine runs")
    assert killed.text == "none runs: no socket. It did not end in order."
    assert (stopped.severity, stopped.text) == (
        WARNING,
        "none runs: no socket. It ended in order.",
    )
    assert (unknown.severity, unknown.text) == (CRITICAL, "none runs: no socket.")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (cause("reconciliation"), (CRITICAL, 0.0)),
        (cause("failed:risk_guardian"), (CRITICAL, 0.0)),
        (cause("operator-halt"), (WARNING, 0.0)),
        (cause("kill_switch:state_file"), (WARNING, 0.0)),
        (cause("daily_loss", CLOSE_ONLY, of="limit"), (CRITICAL, 0.0)),
        (cause("drawdown", CLOSE_ONLY, of="limit"), (WARNING, 0.0)),
        (cause("stale_feed", of="limit"), (CRITICAL, 0.0)),
        (cause("unprotected:AAPL", CLOSE_ONLY, of="limit"), (CRITICAL, 0.0)),
        (cause("stale_feed:AAPL", CLOSE_ONLY, of="limit", symbol="AAPL"), (WARNING, 0.0)),
        (cause("throttle:mom", CLOSE_ONLY, bot="mom"), (WARNING, 0.0)),
        (cause("cooldown:mom", CLOSE_ONLY, of="cooldown", bot="mom"), (NOTICE, 0.0)),
        (cause("start", of="start"), (WARNING, 60.0)),
        (cause("unclean_end", of="start"), (CRITICAL, 0.0)),
        (cause("cancel_pending:AAPL", CLOSE_ONLY, of="limit", symbol="AAPL"), (NOTICE, 60.0)),
        (cause("of a later version", of="unheard of"), (CRITICAL, 0.0)),
    ],
    ids=lambda value: value["code"] if isinstance(value, dict) else "",
)
def test_each_cause_is_told_by_what_it_stops_and_who_can_clear_it_i89(
    row: dict[str, Any], expected: tuple[Severity, float]
) -> None:
    assert told_of(row) == [(f"cause {row['code']}", *expected)]


@pytest.mark.parametrize("code", ["symbol_unready:AAPL", "bot_closed:mom"])
def test_what_every_night_brings_or_the_settings_want_is_not_told(code: str) -> None:
    assert told_of(cause(code, CLOSE_ONLY, of="start", symbol="AAPL")) == []


@pytest.mark.parametrize(
    ("symbol", "session", "is_told"),
    [
        ("AAPL", "2026-11-23", True),
        ("AAPL", None, False),
        ("BTC/USD", None, True),
        ("AAPL261218C00250000", "2026-11-23", False),
    ],
)
def test_a_symbol_without_prices_is_told_where_its_market_is_open(
    symbol: str, session: str | None, is_told: bool
) -> None:
    """Nobody enters it then; contracts of which no quote comes are every day's."""
    row = cause(f"symbol_unready:{symbol}", CLOSE_ONLY, of="start", symbol=symbol)
    found = conditions_of(seen(causes=[row], session=session), PROCESS)

    expected = [(f"cause symbol_unready:{symbol}", WARNING, 300.0)] if is_told else []
    assert [(each.key, each.severity, each.patience_s) for each in found] == expected


def test_symbols_without_prices_are_not_told_one_by_one_where_all_prices_stay_out() -> None:
    rows = [
        cause("stale_feed", of="limit"),
        cause("symbol_unready:AAPL", CLOSE_ONLY, of="start", symbol="AAPL"),
    ]
    found = conditions_of(seen(causes=rows, session="2026-11-23"), PROCESS)

    assert [(each.key, each.is_said_by_a_cause) for each in found] == [
        ("cause stale_feed", False),
        ("cause symbol_unready:AAPL", True),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_every_other_kind_of_cause_is_told_and_global_ones_at_once_i89(kind: Any) -> None:
    code = f"{kind.code}X" if kind.has_subject else kind.code
    if kind.code in ("symbol_unready:", "bot_closed:"):
        return
    (found,) = told_of(cause(code, kind.state, of=kind.cause_class.value))

    is_of_a_start = kind.cause_class is CauseClass.START and kind.code != "unclean_end"
    waits = is_of_a_start or kind.code == "cancel_pending:"
    assert found[2] == (60.0 if waits else 0.0)


def test_a_check_that_fails_is_told_and_a_bot_that_is_down_by_itself() -> None:
    bots: list[dict[str, Any]] = [
        {"id": "mom_AAPL", "status": "quarantined", "positions": {}, "budget": None},
        {"id": "mom_MSFT", "status": "running", "positions": {}, "budget": None},
    ]
    found = conditions_of(seen(coverage_pct="87.5", bots=bots), PROCESS)

    assert [(each.key, each.severity, each.text) for each in found] == [
        ("check coverage", CRITICAL, "coverage: 87.5 % of what is held is protected; see `status`"),
        ("bot mom_AAPL", WARNING, "mom_AAPL is quarantined; see `debug history`"),
    ]


def test_that_trading_is_not_open_is_told_even_where_no_cause_is() -> None:
    found = conditions_of(seen(trading_state="HALTED"), PROCESS)

    assert [each.key for each in found] == ["check trading"]


def test_what_a_cause_says_is_not_told_again_by_the_check_that_fails_for_it() -> None:
    health = {**told()["health"], "trading_stream": "lost"}
    lost = cause("trading_stream_lost", of="limit")

    alone = conditions_of(seen(health=health), PROCESS)
    both = conditions_of(seen(health=health, causes=[lost], trading_state="HALTED"), PROCESS)

    assert [(each.key, each.is_said_by_a_cause) for each in alone] == [("check stream", False)]
    assert [(each.key, each.is_said_by_a_cause) for each in both] == [
        ("cause trading_stream_lost", False),
        ("check trading", True),
        ("check stream", True),
    ]


def test_alarms_and_actors_that_do_not_answer_are_told() -> None:
    found = conditions_of(seen(alarms={"held_back": "AAPL"}, notes=["x is suspended"]), PROCESS)

    assert [(each.key, each.text) for each in found] == [
        ("alarm held_back", "held_back: AAPL"),
        ("notes", "x is suspended"),
    ]


def test_another_process_than_before_is_a_new_start_and_the_first_one_is_none() -> None:
    assert conditions_of(seen(), None) == ()
    again = the_one(conditions_of(seen(process="process 9"), PROCESS))

    assert (again.key, again.severity, again.is_moment) == ("restarted", NOTICE, True)


def test_a_halt_that_was_over_before_the_look_is_told_from_the_journal_i89() -> None:
    halt = {"code": "nav_jump", "cause_class": "limit", "state": "halted", "detail": "by 12 %"}
    found = the_one(conditions_of(seen({"event": "halt_latched", "seq": 1, "cause": halt}), None))

    assert (found.key, found.severity, found.is_moment) == ("cause nav_jump", CRITICAL, False)
    assert found.text.startswith("nav_jump (HALTED): by 12 %. What ends it: ")


def test_a_start_after_a_kill_is_told_though_preflight_passed_at_once() -> None:
    line = {"event": "trading_state", "seq": 1, "causes": ["start", "unclean_end"]}
    found = the_one(conditions_of(seen(line), None))

    assert (found.key, found.severity) == ("cause unclean_end", CRITICAL)


@pytest.mark.parametrize(
    "cause_there", [None, 7, {}, {"code": "start", "cause_class": "start", "state": "halted"}]
)
def test_a_line_that_tells_no_halt_or_that_of_a_start_is_passed_over(cause_there: object) -> None:
    line = {"event": "halt_latched", "seq": 1, "cause": cause_there}

    assert conditions_of(seen(line), None) == ()


def test_bad_news_of_the_journal_is_a_moment_and_other_lines_are_none() -> None:
    lines = (
        {"event": "order_filled", "seq": 1, "source": "/hydra"},
        {"event": "actor_failed", "seq": 2, "source": "/hydra/bots/mom", "detail": "boom"},
        {"event": "actor_failed", "seq": 3, "source": "/hydra/bots/mom", "detail": "boom"},
    )
    found = the_one(conditions_of(seen(*lines), None))

    assert (found.key, found.is_moment) == ("event actor_failed /hydra/bots/mom", True)
    assert found.text == "actor_failed: /hydra/bots/mom: detail: boom"


def test_what_is_there_twice_is_told_once_as_its_worst() -> None:
    halt = {"code": "drawdown", "cause_class": "limit", "state": "close_only", "detail": "d"}
    line = {"event": "halt_latched", "seq": 1, "cause": halt}
    worse = cause("drawdown", of="limit")

    assert [each.severity for each in conditions_of(seen(line, causes=[worse]), None)] == [CRITICAL]


@pytest.mark.parametrize(
    ("change", "works"),
    [
        ({}, True),
        ({"trading_state": "HALTED"}, True),
        ({"lease_ms": None}, True),
        ({"lease_ms": 0.0}, False),
        ({"failed_closed": "a defect"}, False),
        ({"health": {}}, False),
        ({"health": {"loop_age_s": 12.1, "loop_interval_s": 5.0}}, False),
        ({"health": {"loop_age_s": 11.9, "loop_interval_s": 5.0}}, True),
    ],
)
def test_an_engine_works_while_its_chain_and_its_loops_go_on(
    change: dict[str, Any], works: bool
) -> None:
    assert is_working(told(**change)) is works


def test_an_engine_that_does_not_answer_does_not_work() -> None:
    assert not is_working(None)
