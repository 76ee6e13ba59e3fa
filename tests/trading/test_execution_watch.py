"""What the guardian makes of the execution monitor's word, and of its silence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.causes import DRAWDOWN, MONITOR_MISSING, ROUTER_DEGRADED, ROUTER_IDLE, CauseKind
from hydra.trading.execution_quality import RouterState
from hydra.trading.execution_watch import (
    LOOPS_MISSING_MAX,
    LOOPS_SILENT_MAX,
    ExecutionWatch,
    router_cause,
)
from hydra.trading.regimes import Regime, RegimeShares
from hydra.trading.trading_state import Cause, TradingState

D = Decimal
NOTHING: frozenset[str] = frozenset()
SHARES = RegimeShares(D("0.9"), D("0.8"), D("0.5"), D("0.25"), D("0.7"))
WILD = {"AAPL": Regime.HIGH, "SPY": Regime.ELEVATED, "BRK.B": Regime.LOW, "BTC/USD": Regime.NORMAL}


def watch(loops: int = 0, router: RouterState = RouterState.GOOD) -> ExecutionWatch:
    """One that has heard of these regimes, and then nothing for so many loops."""
    made = ExecutionWatch(SHARES)
    made.told(WILD, router, 5)
    for _ in range(loops):
        made.loop_ran()
    return made


def cause(kind: CauseKind) -> Cause:
    return kind.cause(since=1, detail="a test")


@pytest.mark.parametrize(
    ("symbol", "share"),
    [
        ("AAPL", "0.25"),
        ("BTC/USD", "0.8"),
        ("SPY260116C00500000", "0.5"),  # an option is as wild as what it is on
        ("BRKB260116P00400000", "0.9"),
        ("TSLA", "0.7"),  # heard of, and not known yet
        ("TSLA260116C00500000", "0.7"),
    ],
)
def test_an_entry_may_risk_the_share_of_its_markets_regime(symbol: str, share: str) -> None:
    assert watch().share_of(symbol, 10) == D(share)


def test_a_word_that_is_not_a_whole_one_changes_what_it_names_and_no_more() -> None:
    made = watch()

    made.told({"AAPL": Regime.ELEVATED, "SPY": None}, RouterState.GOOD, 5, is_whole=False)
    changed = [made.share_of(symbol, 10) for symbol in ("AAPL", "SPY", "BTC/USD")]
    made.told({"SPY": Regime.LOW}, RouterState.GOOD, 5)

    assert changed == [D("0.5"), D("0.7"), D("0.8")]
    assert made.share_of("AAPL", 10) == D("0.7")


def test_a_regime_counts_for_what_is_decided_after_it_and_not_at_that_very_moment() -> None:
    made = watch()
    made.told({"AAPL": Regime.ELEVATED}, RouterState.GOOD, 20, is_whole=False)

    assert [made.share_of("AAPL", at) for at in (20, 21)] == [D("0.25"), D("0.5")]


def test_a_whole_word_that_is_said_again_undoes_what_was_said_in_between() -> None:
    made = ExecutionWatch(SHARES)
    made.told(WILD, RouterState.GOOD, 5)
    made.told({"AAPL": Regime.LOW}, RouterState.GOOD, 5, is_whole=False)
    made.told(WILD, RouterState.GOOD, 5)

    assert made.share_of("AAPL", 10) == D("0.25")


@pytest.mark.parametrize("loops", range(LOOPS_SILENT_MAX + 2))
def test_a_word_counts_for_some_loops_and_after_them_the_least_share(loops: int) -> None:
    made = watch(loops)

    assert made.is_heard is (loops <= LOOPS_SILENT_MAX)
    assert made.share_of("BRK.B", 10) == (D("0.9") if made.is_heard else D("0.25"))


def test_before_the_first_word_the_least_share_counts() -> None:
    assert ExecutionWatch(SHARES).share_of("AAPL", 10) == D("0.25")


@given(
    regimes=st.dictionaries(st.sampled_from(["AAPL", "SPY"]), st.sampled_from(Regime)),
    loops=st.integers(0, 20),
)
def test_nothing_ever_raises_what_may_be_risked_i41(regimes: dict[str, Regime], loops: int) -> None:
    made = watch(loops)
    made.told(regimes, RouterState.GOOD, 5)
    for _ in range(loops):
        made.loop_ran()

    assert all(0 <= made.share_of(symbol, 10) <= 1 for symbol in ("AAPL", "SPY", "TSLA"))


def test_with_other_shares_the_next_entry_is_judged_by_them() -> None:
    made = watch()

    made.take(RegimeShares(high=D("0.1")))

    assert made.share_of("AAPL", 10) == D("0.1")


@pytest.mark.parametrize("loops", [0, LOOPS_SILENT_MAX, LOOPS_MISSING_MAX, LOOPS_MISSING_MAX + 1])
def test_a_long_silence_is_an_anomaly_until_the_next_word(loops: int) -> None:
    made, is_missing = watch(loops), loops > LOOPS_MISSING_MAX
    detail = f"the execution monitor has said nothing for {loops} loops"
    found = (MONITOR_MISSING.cause(since=5, detail=detail),)

    assert made.alarms(5) == (found if is_missing else ())
    assert made.still(()) == ({"monitor_missing"} if is_missing else set())
    made.told(WILD, RouterState.GOOD, 5)
    assert (made.alarms(6), made.still(found)) == ((), NOTHING)


def test_where_nobody_is_to_speak_nobody_is_missed_and_nothing_is_scaled() -> None:
    made = ExecutionWatch(None)
    for _ in range(LOOPS_MISSING_MAX + 5):
        made.loop_ran()

    assert (made.alarms(1), made.still(())) == ((), NOTHING)
    assert made.share_of("AAPL", 10) == 1


@pytest.mark.parametrize(
    ("router", "codes"),
    [
        (RouterState.GOOD, set()),
        (RouterState.UNTRIED, set()),
        (RouterState.DEGRADED, {"router_degraded"}),
        (RouterState.IDLE, {"router_idle"}),
    ],
)
def test_an_anomaly_holds_as_long_as_the_monitor_says_so(
    router: RouterState, codes: set[str]
) -> None:
    standing = tuple(cause(kind) for kind in (DRAWDOWN, ROUTER_DEGRADED, ROUTER_IDLE))

    assert watch(router=router).still(standing) == codes


def test_while_nobody_says_otherwise_it_is_still_so_and_nothing_else_is_i05() -> None:
    made = watch(LOOPS_SILENT_MAX + 1)

    assert made.still((cause(DRAWDOWN), cause(ROUTER_IDLE))) == {"router_idle"}


def test_a_bad_router_is_a_cause_that_lets_exits_pass() -> None:
    made = {router: router_cause(router, 7, "why") for router in RouterState}

    assert {router: each and each.code for router, each in made.items()} == {
        RouterState.GOOD: None,
        RouterState.UNTRIED: None,
        RouterState.DEGRADED: "router_degraded",
        RouterState.IDLE: "router_idle",
    }
    assert {each.state for each in made.values() if each} == {TradingState.CLOSE_ONLY}
