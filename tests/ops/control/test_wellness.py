"""What of an engine is as it should be: a table over one that is, and the real tree's own words."""

from collections.abc import Mapping
from typing import Any

import pytest

from hydra import __version__
from hydra.actor import MINUTE
from hydra.ops.control.reporting import StatusReport
from hydra.ops.control.wellness import checks_of
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.looking import NoArguments
from hydra.trading.findings import Finding
from tests.engine.harness import OPEN_AT, Life, World, quiet
from tests.ops.control.engines import FACTS

HALT = {"code": "operator-halt", "detail": "a drill", "ends": "resume when its reason is gone"}
COOLDOWN = {"code": "cooldown:mom_AAPL", "detail": "a streak", "ends": "wait until it is over"}
MOVED = {"code": "ledger_replaced", "detail": "gone", "ends": "put it back"}

WELL = tuple(
    {"component": name, "is_well": True, "detail": "fine"}
    for name in ("ledger", "journal", "guardian", "gateway", "feed")
)
HEALTH = {
    "loop_age_s": 4.0,
    "loop_interval_s": 5.0,
    "loop_passed": True,
    "loop_overruns": 0,
    "components": WELL,
    "trading_stream": "",
    "comparison": "0 differences",
    "agrees": True,
    "compared_age_s": 29.0,
    "reconcile_every_s": 30.0,
}
FINE: Mapping[str, Any] = {
    "trading_state": "ACTIVE",
    "causes": [],
    "venue": "paper",
    "loops": 7,
    "bots": [{"id": "mom_AAPL", "status": "running"}],
    "orders": {"open": 2, "unknown": 0, "today": 3},
    "cancels_overdue": [],
    "lease_ms": 1600.0,
    "feed_age_s": 61.2,
    "budgets": {"granted": True, "wanted": False},
    "coverage_pct": "100",
    "failed_closed": None,
    "versions": {"hydra": "1.2.3"},
    "health": HEALTH,
}
CHECKS = (
    "engine", "trading", "lease", "loops", "budgets", "coverage", "guardian", "feed", "stream",
    "comparison", "orders",
    "record", "bots", "version",
)  # fmt: skip


def failures(told: Mapping[str, Any], version: str = "1.2.3") -> dict[str, str]:
    """The line of each check that did not pass."""
    checks = checks_of(told, version)
    assert tuple(check.name for check in checks) == CHECKS
    return {check.name: check.line for check in checks if not check.passed}


def health(**other: Any) -> dict[str, Any]:
    return {"health": {**HEALTH, **other}}


def budgets(*, granted: bool | None = False, wanted: bool = False) -> dict[str, Any]:
    return {"budgets": {"granted": granted, "wanted": wanted}}


def said(name: str, detail: str) -> dict[str, Any]:
    """One component that is not well; the others are."""
    return health(
        components=[
            {"component": name, "is_well": False, "detail": detail}
            if each["component"] == name
            else each
            for each in WELL
        ]
    )


def test_of_an_engine_that_is_well_every_check_passes_and_says_what_was_found() -> None:
    assert checks_of(FINE, "1.2.3") == (
        Finding("engine", True, "it runs and answers; venue paper"),
        Finding("trading", True, "it is ACTIVE"),
        Finding("lease", True, "the safety chain makes progress: good for 1.6 s more"),
        Finding("loops", True, "loop 7, the last one ended 4.0 s ago, at most 12 s"),
        Finding("budgets", True, "granted for the day"),
        Finding("coverage", True, "all that is held is protected"),
        Finding("guardian", True, "fine"),
        Finding("feed", True, "fine; the newest bar is 61 s old (market time)"),
        Finding("stream", True, "what the venue says of orders is heard"),
        Finding("comparison", True, "0 differences, 29 s ago, at most 90 s"),
        Finding("orders", True, "2 open, none of unknown outcome"),
        Finding("record", True, "ledger: fine; journal: fine"),
        Finding("bots", True, "1 run"),
        Finding("version", True, "Hydra 1.2.3"),
    )


@pytest.mark.parametrize(
    ("change", "check", "words"),
    [
        ({"failed_closed": "root gave up"}, "engine", "it failed closed and is ending: root gave"),
        (
            {"trading_state": "HALTED", "causes": [HALT]},
            "trading",
            "it is HALTED: operator-halt: a drill (resume when its reason is gone)",
        ),
        ({"trading_state": "CLOSE_ONLY", "causes": []}, "trading", "it is CLOSE_ONLY: no cause"),
        ({"lease_ms": 0.0}, "lease", "it ran out: an actor of the safety chain makes no progress"),
        (health(loop_age_s=12.001), "loops", "loop 7, the last one ended 12.0 s ago, at most 12 s"),
        (health(loop_age_s=None), "loops", "no loop of the health monitor has come to its end yet"),
        (health(loop_interval_s=None), "loops", "no loop of the health monitor has come to its"),
        (
            health(loop_passed=False, loop_overruns=2),
            "loops",
            "loop 7, the last one ended 4.0 s ago, at most 12 s; 2 were left out, because the one ",
        ),
        (health(loop_passed=None), "loops", "loop 7, the last one ended 4.0 s ago, at most 12 s"),
        (budgets(granted=None), "budgets", "the guardian did not say"),
        (budgets(), "budgets", "nobody proposes any: set portfoliobot.enabled to true"),
        (
            {**budgets(wanted=True), "bots": [{"id": "portfolio_bot", "status": "running"}]},
            "budgets",
            "none is granted for the day, so nothing is entered; see `debug state",
        ),
        ({"coverage_pct": None}, "coverage", "not known what protects the positions"),
        ({"coverage_pct": "99.99"}, "coverage", "99.99 % of what is held is protected; see"),
        (said("guardian", "still recovering"), "guardian", "still recovering"),
        (said("feed", "AAPL: 99 s old"), "feed", "AAPL: 99 s old; the newest bar is 61 s old"),
        (health(trading_stream="lost"), "stream", "entries are held back: lost; "),
        (health(trading_stream=None), "stream", "entries are held back: the gateway did not say"),
        (health(compared_age_s=90.1), "comparison", "0 differences, 90 s ago, at most 90 s; see"),
        (health(compared_age_s=None), "comparison", "record and venue have not been compared yet"),
        (
            health(comparison="2 differences", agrees=False),
            "comparison",
            "2 differences, 29 s ago, at most 90 s; see `reconcile`",
        ),
        (health(agrees=None), "comparison", "0 differences, 29 s ago, at most 90 s; see `recon"),
        (
            {"orders": {"open": 2, "unknown": 1, "today": 3}},
            "orders",
            "1 of unknown outcome, looked up until the venue has told",
        ),
        (
            {"orders": {"open": 2, "unknown": None, "today": None}},
            "orders",
            "the guardian did not say what works",
        ),
        ({"cancels_overdue": None}, "orders", "the guardian did not say what works"),
        (
            {"cancels_overdue": ["x-1", "x-2"]},
            "orders",
            "not canceled yet, though it was asked for: x-1, x-2",
        ),
        ({"causes": [COOLDOWN, MOVED]}, "record", "ledger_replaced: gone (put it back)"),
        (said("journal", "cannot write"), "record", "journal: cannot write"),
        ({"bots": []}, "bots", "there are none"),
        (
            {"bots": [{"id": "a", "status": "running"}, {"id": "b", "status": "quarantined"}]},
            "bots",
            "b is quarantined; see",
        ),
        ({"versions": {"hydra": "1.2.2"}}, "version", "the engine is 1.2.2, what is installed is"),
    ],
)
def test_each_check_fails_by_itself_and_says_what_was_found_i73(
    change: Mapping[str, Any], check: str, words: str
) -> None:
    failed = failures({**FINE, **change})

    assert failed.keys() == {check}
    assert failed[check].startswith(words)


def test_an_actor_that_says_nothing_fails_every_check_that_rests_on_it_i73() -> None:
    mute = {"component": "state_persister", "is_well": False, "detail": "no answer within 2 s"}
    components = [mute, *(each for each in WELL if each["component"] != "ledger")]

    failed = failures({**FINE, **health(components=components)})

    assert failed == {
        "record": "ledger: it said nothing in the last loop (state_persister: no answer within"
        " 2 s); see `debug tree`"
    }


def test_what_is_held_against_one_bot_alone_is_told_and_is_no_failure() -> None:
    (line,) = (
        c.line for c in checks_of({**FINE, "causes": [COOLDOWN]}, "1.2.3") if c.name == "trading"
    )

    assert line == "it is ACTIVE; not for all: cooldown:mom_AAPL"


def test_an_engine_of_an_older_version_that_tells_less_is_not_well_and_no_riddle_i73() -> None:
    told = {key: FINE[key] for key in FINE.keys() - {"health", "budgets", "coverage_pct"}}

    failed = failures({**told, "versions": {"hydra": "1.0.0"}})

    assert failed.keys() == {
        "loops", "guardian", "feed", "stream", "comparison", "record", "version", "budgets",
        "coverage",
    }  # fmt: skip


def test_before_the_first_trading_day_has_begun_it_is_well_that_there_are_no_budgets() -> None:
    bots = {"bots": [{"id": "portfolio_bot", "status": "running"}]}

    assert failures({**FINE, **budgets(), **bots}) == {}


def test_a_lease_that_never_runs_out_is_well() -> None:
    assert failures({**FINE, "lease_ms": None}) == {}


def status_of(life: Life) -> dict[str, Any]:
    report = StatusReport(FACTS)
    return report.status(life.runtime, NoArguments(), Caller(runs_simulation=True))


def lived_for_a_while() -> Life:
    """All the actors of the shipped configuration, in a market in which nothing happens; and with
    every loop of theirs, as on a machine's own time.
    """
    life = World(quiet()).begin(explore=1)
    life.run_to(OPEN_AT + 5 * MINUTE)
    return life


def test_the_real_tree_is_well_by_its_own_words() -> None:
    life = lived_for_a_while()

    assert failures(status_of(life), __version__) == {}


def test_of_the_real_tree_that_is_halted_only_the_halt_is_told_i10() -> None:
    life = lived_for_a_while()
    life.halt_by_operator()

    assert failures(status_of(life), __version__).keys() == {"trading"}
