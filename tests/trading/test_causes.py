import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from hydra.trading.causes import (
    BOT_CLOSED,
    COOLDOWN,
    DAILY_LOSS,
    FLATTEN,
    KILL_SWITCH,
    KINDS,
    OPERATOR_HALT,
    STALE_FEED,
    STALE_SYMBOL,
    START,
    THROTTLE,
    UNMANAGED,
    UNPROTECTED,
    CauseKind,
    Scope,
    kind_of,
)
from hydra.trading.kill_switch import Source, Written, kill_cause
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state, state_for

ROOT = Path(__file__).resolve().parents[2]
AT = 1_704_205_800_000_000_000

ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED


def one_of(kind: CauseKind) -> Cause:
    return kind.cause(since=AT, detail="a test", subject="AAPL" if kind.has_subject else "")


def test_a_cause_has_class_state_and_scope_of_its_kind_i05() -> None:
    assert DAILY_LOSS.cause(since=AT, detail="lost 1,200 USD") == Cause(
        code="daily_loss",
        cause_class=CauseClass.LIMIT,
        state=CLOSE_ONLY,
        since=AT,
        detail="lost 1,200 USD",
    )
    assert STALE_SYMBOL.cause(since=AT, detail="20 s old", subject="AAPL") == Cause(
        code="stale_feed:AAPL",
        cause_class=CauseClass.LIMIT,
        state=CLOSE_ONLY,
        since=AT,
        detail="20 s old",
        symbol="AAPL",
    )
    assert THROTTLE.cause(since=AT, detail="20 round trips", subject="mom") == Cause(
        code="throttle:mom",
        cause_class=CauseClass.INTEGRITY,
        state=CLOSE_ONLY,
        since=AT,
        detail="20 round trips",
        bot="mom",
    )


def test_every_kind_is_found_again_by_the_code_of_its_causes_i05() -> None:
    assert [kind_of(one_of(kind).code) for kind in KINDS] == list(KINDS)


def test_every_code_is_of_one_kind_only_i05() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("code", ["", ":", "stale", "stale_feeds", "failed", "start:x", "bench:x"])
def test_a_code_that_is_none_of_ours_is_of_no_kind_i05(code: str) -> None:
    assert kind_of(code) is None


def test_a_subject_may_have_colons_of_its_own_i05() -> None:
    assert kind_of("unmanaged:bots:mom") is UNMANAGED
    assert kind_of("stale_feed:BTC:USD") is STALE_SYMBOL
    assert kind_of("stale_feed") is STALE_FEED


def test_a_cause_may_be_worse_than_its_kind_and_never_better_i07() -> None:
    worse = FLATTEN.cause(since=AT, detail="", at_least=HALTED)
    not_better = OPERATOR_HALT.cause(since=AT, detail="", at_least=CLOSE_ONLY)

    assert (worse.state, not_better.state) == (HALTED, HALTED)


@pytest.mark.parametrize(("kind", "subject"), [(START, "AAPL"), (UNPROTECTED, "")])
def test_a_code_has_a_subject_exactly_where_its_kind_has_one_i05(
    kind: CauseKind, subject: str
) -> None:
    with pytest.raises(ValueError, match=f"cause {kind.code}: found the subject '{subject}'"):
        kind.cause(since=AT, detail="", subject=subject)


HALTING = {
    *("start", "recovering", "stopping", "unclean_end", "unclean_end_when_stopped"),
    *("restart_storm", "failed:", "fail-closed", "operator-halt", "nav_jump", "preflight"),
    *(
        "api_failures",
        "trading_stream_lost",
        "stale_feed",
        "reconciliation",
        "account_blocked",
        "unknown_outcome",
    ),
    *("absent_order_lives", "impossible_order", "echo_mismatch", "clock_fault", "memory_short"),
    *("halt_marker_unreadable", "ledger_replaced", "engine_lock_replaced", "halt_marker_replaced"),
    *("journal_replaced", "journal_failed", "record_watch_stuck", "record_watch_died"),
    *("disk_unreadable", "disk_hard"),
}
CLOSING = {
    *("unmanaged:", "operator-close-only", "flatten", "kill_switch:", "daily_loss", "drawdown"),
    *("equity_missing", "drawdown_flapping", "unprotected:", "bot_down:", "bad_reload"),
    "calendar_parted",
    *("router_degraded", "router_idle", "monitor_missing"),
}
OF_ONE_BOT = {
    *("throttle:", "cooldown:", "bot_closed:", "bot_uncertified:", "live_closed:"),
    "signals_closed:",
}
OF_ONE_SYMBOL = {
    "cancel_pending:",
    "stale_feed:",
    "rejections:",
    "symbol_halted:",
    "symbol_unready:",
}


def test_each_kind_leads_to_its_state_i07() -> None:
    states = {kind.code: effective_state([one_of(kind)]) for kind in KINDS}

    assert {code for code, state in states.items() if state is HALTED} == HALTING
    assert {code for code, state in states.items() if state is CLOSE_ONLY} == CLOSING
    assert {code for code, state in states.items() if state is ACTIVE} == (
        OF_ONE_BOT | OF_ONE_SYMBOL
    )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.scope is not Scope.ALL])
def test_what_concerns_one_bot_or_symbol_stops_entries_there_alone_i07(kind: CauseKind) -> None:
    cause = kind.cause(since=AT, detail="", subject="it")
    states = [state_for([cause], bot, symbol) for bot in ("it", "x") for symbol in ("it", "x")]

    by_bot = [CLOSE_ONLY, CLOSE_ONLY, ACTIVE, ACTIVE]
    by_symbol = [CLOSE_ONLY, ACTIVE, CLOSE_ONLY, ACTIVE]
    assert states == (by_bot if kind.scope is Scope.BOT else by_symbol)


def test_only_a_pause_of_one_bot_goes_by_its_clock_i04() -> None:
    assert [kind for kind in KINDS if kind.lasts_ns is not None] == [COOLDOWN]
    assert [kind for kind in KINDS if kind.cause_class is CauseClass.COOLDOWN] == [COOLDOWN]
    assert COOLDOWN.scope is Scope.BOT


def test_every_kind_says_what_to_do() -> None:
    assert [kind.code for kind in KINDS if not kind.remedy] == []


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("word", [b"close_only", b"halt_all"])
def test_what_the_kill_switch_latches_is_in_the_table_i07(source: Source, word: bytes) -> None:
    cause = kill_cause(source, "the place", Written(word), AT)

    assert cause is not None
    assert kind_of(cause.code) is KILL_SWITCH
    assert cause.cause_class is KILL_SWITCH.cause_class
    assert cause.state.severity >= KILL_SWITCH.state.severity


def test_what_the_engine_latches_elsewhere_is_in_the_table_i05() -> None:
    """A code that is written out where it is latched has to be of the class that the table says."""
    found = list(causes_written_out())

    strays = [
        (place, code, cause_class)
        for place, code, cause_class in found
        if (kind := kind_of(code)) is None or kind.cause_class.name != cause_class
    ]
    assert strays == []
    assert found


@pytest.mark.parametrize(
    "code",
    [
        *("ledger_replaced", "engine_lock_replaced", "halt_marker_replaced", "journal_replaced"),
        *("journal_failed", "record_watch_stuck", "record_watch_died"),
        *("disk_unreadable", "disk_hard"),
    ],
)
def test_what_the_watch_over_the_record_finds_is_in_the_table_i58_i65(code: str) -> None:
    watch = (ROOT / "hydra/store/watch.py").read_text(encoding="utf-8")

    assert f'"{code}"' in watch
    assert kind_of(code) is not None


def causes_written_out() -> Iterator[tuple[str, str, str]]:
    """Place, code and class of every `Cause(code="…")` of the product, benchmarks left out."""
    for folder in ("actors", "hydra", "supervisors"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            written = path.read_text(encoding="utf-8")
            if "bench" in path.parts or "Cause(" not in written:
                continue
            for node in ast.walk(ast.parse(written)):
                match node:
                    case ast.Call(func=ast.Name(id="Cause"), keywords=keywords):
                        named = {word.arg: word.value for word in keywords}
                        code = text_of(named["code"])
                        if code is not None:
                            cause_class = ast.unparse(named["cause_class"])
                            place = f"{path.relative_to(ROOT)}:{node.lineno}"
                            yield place, code, cause_class.removeprefix("CauseClass.")
                    case _:
                        pass


def text_of(code: ast.expr) -> str | None:
    """A text as it is written, with `x` for what is put into it; None for anything else."""
    match code:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), *_]):
            return f"{beginning}x"
        case _:
            return None


def test_a_cause_against_a_share_holds_for_the_contracts_on_it_i41() -> None:
    cause = BOT_CLOSED.cause(subject="opt_core", since=1, detail="SPY was taken from its tickers")
    closed = structs.replace(cause, code=f"{cause.code}:SPY", symbol="SPY")

    states = [
        state_for([closed], bot, symbol)
        for bot, symbol in (
            ("opt_core", "SPY"),
            ("opt_core", "SPY160513C00101000"),
            ("other", "SPY160513C00101000"),
            ("opt_core", "QQQ160513C00101000"),
            ("opt_core", "SPYX160513C00101000"),
        )
    ]

    assert states == [CLOSE_ONLY, CLOSE_ONLY, ACTIVE, ACTIVE, ACTIVE]
