"""`hydra-trader status` as a person and as a program meet it, with an engine and without one."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import SECOND
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarker
from hydra.trading.causes import DAILY_LOSS, OPERATOR_HALT, RECONCILIATION, STALE_FEED
from hydra.trading.kill_switch import Source, Written, kill_cause
from hydra.trading.orders import Role, Side
from messages.orders import OrderUnknown
from tests.ops.control.command_line import asks, says
from tests.ops.control.engines import controlled, files_in
from tests.ops.control.lives import AT, begun, lived, lose_the_journal_of
from tests.ops.sessions import files_in as contents_of
from tests.ops.sessions import typed
from tests.store.orders import approved, decision, filled

CONTRACT = {
    "trading_state", "causes", "mode", "venue", "account", "session", "incarnation", "loops",
    "bots", "orders", "exposure", "coverage_pct", "lease_ms", "feed_age_s", "versions",
}  # fmt: skip
SINCE = "2023-11-14T22:13:20.000Z"
HALTED = OPERATOR_HALT.cause(since=AT, detail="a drill")
LOST = DAILY_LOSS.cause(since=AT, detail="more was lost than the day may lose")
STALE = STALE_FEED.cause(since=AT, detail="the newest price is 20 s old")


def test_it_has_all_that_the_contract_names_with_an_engine_and_without(tmp_path: Path) -> None:
    with controlled(tmp_path / "running", bots=("mom_AAPL",)):
        running = asks(tmp_path / "running", "status")
    lived(tmp_path / "stopped", HALTED)
    stopped = asks(tmp_path / "stopped", "status")

    for told in (running, stopped):
        assert told.keys() >= CONTRACT
        assert told["orders"].keys() == {"open", "unknown", "today"}
        assert all({"code", "class", "since", "detail"} <= each.keys() for each in told["causes"])
    assert running["bots"][0].keys() == {"id", "status", "restarts", "positions", "budget"}


def test_the_page_says_first_whether_it_may_trade_and_why_not_i10(tmp_path: Path) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        engine.told.shown = {
            "risk_guardian": {
                "positions": {"mom_AAPL AAPL": "10"},
                "budgets": {"mom_AAPL": "250.00"},
                "open_orders": 1,
                "unknown_orders": 0,
                "exposure": "1873.00",
                "cancels_overdue": ["x-1", "x-2"],
                "taken_over": {"opt_core SPY": "its bot does not run"},
                "dust": {"crypto_core BTC/USD": "0.00001"},
            },
            "health_monitor": {"loop": 7},
            "execution_monitor": {
                "since": 1_700_000_000 * SECOND,
                "router": "untried",
                "regimes": {"AAPL": "high", "MSFT": "low", "SPY": "low"},
            },
            "action_watch": {
                "near": ["forward split 4 for 1 of AAPL, ex-date 2023-11-15"],
                "unknown": ["MSFT", "SPY"],
                "fault": "no answer within 30 s",
            },
        }
        engine.gate.arm((HALTED, STALE), "a test", engine.gate.epoch)

        result = says(tmp_path, "status")

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    at = next(line for line in lines if line.startswith("market time")).split()[2].rstrip(",")
    version = next(line for line in lines if line.startswith("version"))
    assert lines == [
        "EMBEDDED VENUE: not real money, not real prices",
        "running; trading is HALTED: no order may pass",
        "",
        "WHY NOT STATE SINCE DETAIL HOW IT ENDS NOT BEFORE",
        f"operator-halt HALTED {SINCE} a drill {OPERATOR_HALT.remedy} –",
        f"stale_feed HALTED {SINCE} {STALE.detail} {STALE_FEED.remedy} 2023-11-14T22:23:20.000Z",
        "",
        "BOT STATUS RESTARTS HOLDS BUDGET",
        "mom_AAPL running 0 10 AAPL 250.00",
        "",
        "venue embedded, account PA-TEST",
        f"market time {at}, session –",
        "orders 1 open, 0 unknown, – today",
        "exposure 1873.00",
        "exit coverage –",
        "execution untried, too few orders for a score (since 2023-11-14T22:13:20.000Z)",
        "volatility high AAPL, low MSFT, SPY; risk mode –",
        "corporate action forward split 4 for 1 of AAPL, ex-date 2023-11-15",
        "corporate action not known of MSFT, SPY: no entries there (no answer within 30 s)",
        "lease none: no order passes",
        "newest price –",
        "loops 7",
        version,
        "NOT CANCELED YET, though it was asked for: x-1, x-2",
        "TAKEN OVER by the exit bot: opt_core SPY: its bot does not run",
        "dust, too little of it for an order: 0.00001 of crypto_core BTC/USD",
    ]


def test_what_is_not_known_is_a_dash_and_never_nothing_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.reporting.ANSWER_WITHIN", SECOND // 50)
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        engine.make_everybody_hang()

        lines = says(tmp_path, "status").stdout.splitlines()

    assert [" ".join(line.split()) for line in lines if line.startswith(("mom_", "orders"))] == [
        "mom_AAPL running 0 – –",
        "orders – open, – unknown, – today",
    ]
    assert [line.partition(" did ")[0] for line in lines if line.startswith("note: ")] == [
        "note: the risk_guardian",
        "note: the health_monitor",
        "note: the data_feed",
        "note: the flattener",
        "note: the broker_gateway",
        "note: the execution_monitor",
        "note: the action_watch",
    ]


def test_the_earliest_clearing_is_that_of_what_has_a_cool_off_i04(tmp_path: Path) -> None:
    with controlled(tmp_path) as engine:
        engine.gate.arm((HALTED, STALE), "a test", engine.gate.epoch)

        told = asks(tmp_path, "status")

    assert told["earliest_clearing"] == "2023-11-14T22:23:20.000Z"  # ten minutes, as the facts say


def test_where_no_engine_runs_it_tells_how_the_last_one_ended_and_what_stands_i02(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path, HALTED, RECONCILIATION.cause(since=AT + SECOND, detail="AAPL: 10"))
    before = contents_of(tmp_path)

    told = asks(tmp_path, "status")

    causes = [(cause["code"], cause["since"]) for cause in told["causes"]]
    assert causes == [
        ("operator-halt", "2023-11-14T22:13:20.000Z"),
        ("reconciliation", "2023-11-14T22:13:21.000Z"),
    ]
    assert (told["state"], told["trading_state"]) == ("stopped", "HALTED")
    assert (told["ended"], told["ended_in_order"]) == ("stopped in order: done", True)
    assert (told["account"], told["orders"]["open"]) == ("PA-TEST", 0)
    assert told["journal"]["path"] == str(files.journal)
    assert told["journal"]["last_event"] == "engine_stopped"
    assert told["journal"]["last_at"].startswith("2023-11-14T22:13:20")
    assert contents_of(tmp_path) == before


def test_where_no_engine_runs_it_tells_what_each_bot_holds_and_which_orders_work(
    tmp_path: Path,
) -> None:
    files = files_in(tmp_path)
    record = begun(files)
    held = approved(decision(signal=1))
    bought = approved(decision(signal=2, symbol="MSFT"))
    sold = approved(decision(signal=3, symbol="MSFT", role=Role.EXIT), side=Side.SELL)
    lost, works = approved(decision(signal=4)), approved(decision(signal=5))
    for each in (held, bought, sold, lost, works):
        record.ledger.record_intent(each, AT)
    for each in (held, bought, sold):
        record.ledger.record_report(filled(each.order, "10", each.order.client_order_id), AT)
    unknown = OrderUnknown(client_order_id=lost.order.client_order_id, reason="no answer", at=AT)
    record.ledger.record_report(unknown, AT)
    record.ledger.adjust_cash(Decimal(5), reason="a deposit", operator="me", at=AT)  # no bot's
    record.ledger.commit()
    record.close()

    told = asks(tmp_path, "status")

    assert told["bots"] == [
        {
            "id": "momentum",
            "status": "stopped",
            "restarts": None,
            "positions": {"AAPL": "10"},
            "budget": None,
        }
    ]
    assert told["orders"] == {"open": 2, "unknown": 1, "today": None}


def test_a_process_that_was_killed_is_told_as_such(tmp_path: Path) -> None:
    lived(tmp_path, in_order=False)

    result = says(tmp_path, "status")

    assert result.exit_code == ExitCode.CLEAN
    assert (
        "stopped: no engine runs, so no order passes; it did not say that it stopped: killed, or a"
        " power cut\n\nno halt is on record\n"
    ) in result.stdout


def test_what_the_next_start_would_find_besides_is_told_too_i07(tmp_path: Path) -> None:
    files = lived(tmp_path)
    marker = HaltMarker.open(files.halt_marker, at=AT, first_start=False)
    marker.halt(HALTED)
    marker.close()
    files.kill_switch.write_text("close_only\n")

    told = asks(tmp_path, "status")

    assert [(cause["code"], cause["since"] is None) for cause in told["causes"]] == [
        ("kill_switch:state_file", True),
        ("operator-halt", False),
    ]


def test_a_kill_switch_that_a_start_has_put_on_record_is_told_once(tmp_path: Path) -> None:
    seen = kill_cause(Source.STATE_FILE, "kill_switch", Written(b"halt_all\n"), AT)
    assert seen is not None
    files = lived(tmp_path, seen)
    files.kill_switch.write_text("halt_all\n")

    (once,) = asks(tmp_path, "status")["causes"]
    files.kill_switch.write_text("close_only\n")
    still_halted, now_milder = asks(tmp_path, "status")["causes"]

    assert (once["code"], once["since"]) == (seen.code, SINCE)
    assert still_halted == once
    assert (now_milder["code"], now_milder["state"]) == (seen.code, "CLOSE_ONLY")


def test_a_marker_that_is_gone_counts_as_a_halt_i03(tmp_path: Path) -> None:
    lived(tmp_path).halt_marker.unlink()

    assert [cause["code"] for cause in asks(tmp_path, "status")["causes"]] == [
        "halt_marker_unreadable"
    ]


def lose_its_folder(files: EngineFiles) -> None:
    shutil.rmtree(files.journal.parent)


@pytest.mark.parametrize("lose_it", [lose_the_journal_of, lose_its_folder])
def test_without_the_journal_it_tells_the_rest_and_that_no_engine_starts_so_i54(
    tmp_path: Path, lose_it: Callable[[EngineFiles], None]
) -> None:
    files = lived(tmp_path, HALTED)
    before = asks(tmp_path, "status")
    lose_it(files)

    told = asks(tmp_path, "status")

    (note,) = told["notes"]
    assert note.startswith("no engine starts on this record: the journal ends at line 0, and the ")
    assert note.endswith("lines of the journal were lost; `hydra-trader verify` says more")
    assert told == {**before, "journal": None, "notes": [note]}
    assert typed(tmp_path, note) in says(tmp_path, "status").stdout


def test_a_word_that_waits_for_the_next_start_is_told(tmp_path: Path) -> None:
    lived(tmp_path, HALTED)
    says(tmp_path, "resume", "--reason", "it was a drill")

    assert "an operator's `resume` waits for the next start\n" in says(tmp_path, "status").stdout
    (cause,) = asks(tmp_path, "status")["causes"]
    assert cause["ends"] == "at the next clean pass: an operator has let it go"


def test_preflight_holds_no_halt_against_the_next_start_that_an_operator_has_let_go(
    tmp_path: Path,
) -> None:
    lived(tmp_path, HALTED, LOST)
    before = says(tmp_path, "preflight")
    says(tmp_path, "resume", "--reason", "it was a drill", "--code", HALTED.code)
    after = says(tmp_path, "preflight")
    says(tmp_path, "resume", "--reason", "both of them")
    both = says(tmp_path, "preflight")

    assert _halts_in(before.stdout) == {HALTED.code: "FAIL", LOST.code: "FAIL"}
    assert _halts_in(after.stdout) == {HALTED.code: "pass", LOST.code: "FAIL"}
    assert _halts_in(both.stdout) == {HALTED.code: "pass", LOST.code: "FAIL"}  # it has its cool-off
    assert both.exit_code == ExitCode.PREFLIGHT_FAILED


def test_preflight_passes_once_all_that_stands_has_been_let_go(tmp_path: Path) -> None:
    lived(tmp_path, HALTED)
    assert says(tmp_path, "preflight").exit_code == ExitCode.PREFLIGHT_FAILED

    says(tmp_path, "resume", "--reason", "it was a drill")

    assert says(tmp_path, "preflight").exit_code == ExitCode.CLEAN


def _halts_in(page: str) -> dict[str, str]:
    lines = [line.split() for line in page.splitlines()]
    return {code.rstrip(":"): word for word, name, code, *_ in lines if name == "halt:"}


def test_a_halt_before_the_first_engine_is_the_only_one_that_is_told_i02(tmp_path: Path) -> None:
    says(tmp_path, "halt", "--reason", "a drill")

    told = asks(tmp_path, "status")

    assert [cause["code"] for cause in told["causes"]] == ["operator-halt"]
    assert told["ended"] == "no engine ever had it"


def test_where_there_never_was_an_engine_it_says_so(tmp_path: Path) -> None:
    result = says(tmp_path, "status")

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr.startswith(f"{files_in(tmp_path).ledger}: found no ledger")


def test_an_engine_that_does_not_answer_is_not_told_as_stopped_i73(tmp_path: Path) -> None:
    record = begun(lived(tmp_path))
    held = approved(decision())
    record.ledger.record_intent(held, AT)
    record.ledger.record_report(filled(held.order, "10", "1"), AT)
    record.ledger.commit()
    try:
        result = says(tmp_path, "status")
        told = asks(tmp_path, "status")
    finally:
        record.close()

    assert result.exit_code == ExitCode.HELD_BY_ANOTHER
    assert "NOT ANSWERING: whether orders pass is not known; this is what is on record" in (
        result.stdout
    )
    assert (told["state"], told["trading_state"]) == ("not answering", None)
    assert [(bot["id"], bot["status"]) for bot in told["bots"]] == [("momentum", None)]
    assert told["notes"][0].startswith("an engine (process ")


def test_a_command_at_work_on_the_record_is_named_and_is_no_engine_i73(tmp_path: Path) -> None:
    record = begun(lived(tmp_path), command="flatten")
    try:
        told = asks(tmp_path, "status")
    finally:
        record.close()

    (note,) = told["notes"]
    assert note.startswith("the command `flatten` (process ")
    assert note.endswith(") works on this record, and no engine runs; wait until it is done")


def test_without_settings_the_record_of_the_folder_that_was_named_is_shown_i78(
    tmp_path: Path,
) -> None:
    lived(tmp_path, HALTED, venue="paper")

    told = asks(tmp_path, "status", "--config", str(tmp_path / "none"))
    nowhere = says(tmp_path / "else", "status", "--config", str(tmp_path / "none"))

    assert (told["venue"], [cause["code"] for cause in told["causes"]]) == ("paper", [HALTED.code])
    assert told["notes"][0].startswith("the settings are not fit: ")
    assert nowhere.exit_code == ExitCode.CONFIGURATION_REFUSED


def test_a_ledger_that_is_damaged_is_one_line(tmp_path: Path) -> None:
    lived(tmp_path).ledger.write_bytes(b"no ledger at all")

    result = says(tmp_path, "status")

    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr.count("\n") == 1
