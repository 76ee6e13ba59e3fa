"""`hydra-trader flatten` as an operator meets it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from hydra.ops.debug.client import EngineClient, NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import read_journal
from hydra.store.ledger import Ledger
from hydra.trading.flatten import FlattenState, Phase
from hydra.trading.trading_state import TradingState
from messages.control import FLATTEN_STATE, Flatten, FlattenReported, WithdrawFlatten
from tests.ops.at_rest.left_behind import holding
from tests.ops.control.command_line import ME, asks, says
from tests.ops.control.engines import ControlledEngine, controlled
from tests.ops.control.lives import AT, VENUE, begun, lived
from tests.ops.sessions import typed

REASON = ("--reason", "enough")
CLOSING = FlattenReported(
    phase="closing", detail="", open_orders=("x-1",), positions=(("AAPL", "10"), ("MSFT", "-2"))
)
WAITING = FlattenReported(
    phase="waiting",
    detail="the exchange is closed",
    positions=(("AAPL", "3"),),
    opens_at=1_460_986_200_000_000_000,
)
FLAT = FlattenReported(phase="flat", detail="seen empty twice")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlledEngine]:
    monkeypatch.setattr("hydra.ops.flatten.LOOK_EVERY_S", 0.005)
    with controlled(tmp_path) as engine:
        engine.told.steps = [CLOSING, FLAT]
        yield engine


def test_without_yes_it_says_what_it_would_do_and_does_nothing(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    result = says(tmp_path, "flatten", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr == typed(
        tmp_path,
        "found no --yes, so nothing was done. With it, on venue embedded: trading is paused"
        " (CLOSE_ONLY, until `hydra-trader resume`), every order that works is canceled, every"
        " position is closed at the market's price, and it is looked until none is left;"
        " `hydra-trader status` shows what there is to close\n",
    )
    assert engine.told.flattens == []


def test_it_is_followed_until_all_is_flat(engine: ControlledEngine, tmp_path: Path) -> None:
    result = says(tmp_path, "flatten", *REASON, "--yes")

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert result.stdout.splitlines() == [
        "closing: every position is being closed",
        "flat: seen empty twice",
    ]
    assert engine.told.flattens == [
        Flatten(reason="enough", operator=ME, pause=TradingState.CLOSE_ONLY)
    ]


def test_halt_all_is_what_stays_latched_if_it_is_said(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    says(tmp_path, "flatten", *REASON, "--yes", "--halt-all")

    assert [each.pause for each in engine.told.flattens] == [TradingState.HALTED]


def test_each_step_is_a_line_of_json_for_programs(engine: ControlledEngine, tmp_path: Path) -> None:
    result = says(tmp_path, "flatten", *REASON, "--yes", "--json")

    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {
            "phase": "closing",
            "detail": "",
            "open_orders": ["x-1"],
            "positions": {"AAPL": "10", "MSFT": "-2"},
            "opens_at": None,
            "recorded": True,
        },
        {
            "phase": "flat",
            "detail": "seen empty twice",
            "open_orders": [],
            "positions": {},
            "opens_at": None,
            "recorded": True,
        },
    ]


def test_what_is_left_after_a_failure_is_listed_with_exit_code_1_i10(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    left = FlattenReported(
        phase="failed", detail="the venue refuses", open_orders=("x-1",), positions=(("AAPL", "3"),)
    )
    engine.told.steps = [CLOSING, left]

    result = says(tmp_path, "flatten", *REASON, "--yes")

    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "failed: the venue refuses")
    assert result.stderr == typed(
        tmp_path,
        "NOT FLAT: it failed; left: 3 AAPL, x-1; look at `hydra-trader status`\n",
    )


def test_what_takes_too_long_is_not_waited_for_and_not_called_flat_i73(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    engine.told.steps = [CLOSING]

    result = says(tmp_path, "flatten", *REASON, "--yes", "--within", "0.1")

    assert result.exit_code == 1
    assert result.stderr == typed(
        tmp_path,
        "NOT FLAT: not flat within 0.1 s; left: 10 AAPL, -2 MSFT, x-1; the engine goes on with it,"
        " until `hydra-trader flatten --withdraw` is said\n",
    )


def test_of_a_step_that_takes_long_a_word_is_said_again_but_not_to_programs_i73(
    engine: ControlledEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.flatten.WORD_EVERY_S", 0.0)
    engine.told.steps = [CLOSING]

    people = says(tmp_path, "flatten", *REASON, "--yes", "--within", "0.6")
    programs = says(tmp_path, "flatten", *REASON, "--yes", "--within", "0.6", "--json")

    first, *again = people.stdout.splitlines()
    assert first.startswith("closing: ")
    assert again
    assert set(again) <= {
        typed(
            tmp_path,
            f"still closing after {seconds} s; left: 10 AAPL, -2 MSFT, x-1; it goes on, and"
            " `hydra-trader status` says whether the venue answers",
        )
        for seconds in (0, 1)
    }
    assert "still" not in programs.stdout


def test_what_waits_for_an_opening_says_when_that_is(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    engine.told.steps = [CLOSING, WAITING]

    result = says(tmp_path, "flatten", *REASON, "--yes", "--within", "0.1")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == (
        "waiting: until 2016-04-18T13:30:00.000Z (market time): the exchange is closed"
    )
    assert result.stderr == typed(
        tmp_path,
        "NOT FLAT: not flat within 0.1 s, and waiting for a market to open; left: 3 AAPL; the"
        " engine goes on with it, until `hydra-trader flatten --withdraw` is said\n",
    )


def test_it_can_be_withdrawn_while_it_is_under_way_i04(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    engine.told.steps = [WAITING, FlattenReported(phase="failed", detail="withdrawn by ada: why")]

    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stdout, result.stderr) == (
        ExitCode.CLEAN,
        "failed: withdrawn by ada: why\n",
        "",
    )
    assert engine.told.withdrawals == [WithdrawFlatten(reason="enough", operator=ME)]
    assert engine.told.flattens == []


WITHDRAWN = FlattenReported(phase="failed", detail="withdrawn by ada: why")


def test_that_it_is_withdrawn_is_said_once_a_restart_would_find_it_so_i59(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    unrecorded = structs.replace(WITHDRAWN, is_recorded=False)
    engine.told.steps = [WAITING, unrecorded, unrecorded, WITHDRAWN]

    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert engine.told.steps == [WITHDRAWN]


def test_a_withdrawal_that_does_not_come_on_record_is_not_called_one_i59(
    engine: ControlledEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.flatten.RECORDED_WITHIN_S", 0.1)
    engine.told.steps = [WAITING, structs.replace(WITHDRAWN, is_recorded=False)]

    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr.startswith("NOT CERTAIN: withdrawn, but not on record within 0.1 s: ")


def test_a_withdrawal_that_was_lost_with_an_actor_is_told_to_be_i59(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    engine.told.steps = [WAITING, structs.replace(WITHDRAWN, is_recorded=False), WAITING]

    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "NOT WITHDRAWN: it goes on (waiting); say it again\n",
    )


@pytest.mark.parametrize("phase", ["none", "flat", "failed"])
def test_what_is_not_under_way_cannot_be_withdrawn(
    engine: ControlledEngine, tmp_path: Path, phase: str
) -> None:
    engine.told.steps = [FlattenReported(phase=phase, detail="")]

    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr == typed(
        tmp_path,
        "found that no flatten is under way, wanted one to withdraw; look at `hydra-trader"
        " status`\n",
    )
    assert engine.told.withdrawals == []


def flatten_on_record(tmp_path: Path, state: FlattenState | str) -> EngineFiles:
    """An engine ended in the middle of it."""
    files = lived(tmp_path, in_order=False)
    record = begun(files)
    text = state if isinstance(state, str) else msgspec.json.encode(state).decode()
    record.ledger.put(FLATTEN_STATE, text, AT)
    record.ledger.commit()
    record.end("a test", AT)
    record.close()
    return files


def test_where_no_engine_runs_the_next_start_does_not_go_on_with_what_is_withdrawn_i04_i59(
    tmp_path: Path,
) -> None:
    asked = FlattenState(phase=Phase.CLOSING, reason="smoke", operator="ada", reading=2)
    files = flatten_on_record(tmp_path, asked)

    result = says(tmp_path, "flatten", "--withdraw", *REASON)
    again = says(tmp_path, "flatten", "--withdraw", *REASON)

    withdrawn = f"withdrawn by {ME}: enough"
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"failed: {withdrawn}\n", "")
    assert (again.exit_code, again.stdout) == (ExitCode.USAGE, "")
    ledger = Ledger.open(files.ledger, venue=VENUE, at=AT)
    try:
        kept = ledger.get(FLATTEN_STATE)
    finally:
        ledger.close()
    assert kept is not None
    assert msgspec.json.decode(kept, type=FlattenState) == structs.replace(
        asked, phase=Phase.FAILED, failure=withdrawn
    )
    *_, line = read_journal(files.journal)
    assert (line["event"], line["reason"], line["by"]) == (
        "control_flatten_withdrawn",
        "enough",
        ME,
    )


def test_what_is_withdrawn_at_rest_is_told_to_programs_as_by_an_engine(tmp_path: Path) -> None:
    left = (("AAPL", Decimal(3)),)
    flatten_on_record(
        tmp_path, FlattenState(phase=Phase.WAITING, waits_for=("AAPL",), left=left, reading=2)
    )

    assert asks(tmp_path, "flatten", "--withdraw", *REASON) == {
        "phase": "failed",
        "detail": f"withdrawn by {ME}: enough; positions: 3 AAPL",
        "open_orders": [],
        "positions": {"AAPL": "3"},
        "opens_at": None,
        "recorded": True,
    }


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ("", "found that no flatten is under way on record"),
        ("{", "found that the flatten on record cannot be read: "),
    ],
)
def test_where_no_engine_runs_and_none_is_under_way_it_says_so(
    tmp_path: Path, record: str, found: str
) -> None:
    flatten_on_record(tmp_path, record)

    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr.startswith(found)
    assert result.stderr.count("\n") == 1


def test_where_nothing_ever_ran_nothing_can_be_withdrawn(tmp_path: Path) -> None:
    result = says(tmp_path, "flatten", "--withdraw", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert "found no ledger, so no flatten that could be withdrawn" in result.stderr


def test_a_flatten_that_nobody_has_begun_is_not_flat(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    engine.told.steps = [FlattenReported(phase="none", detail="")]

    assert says(tmp_path, "flatten", *REASON, "--yes", "--within", "0.1").exit_code == 1


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--venue", "live", "--paper"), "found --venue live and --paper, wanted one of them"),
        (("--paper", "--live"), "found --paper and --live with --state-dir; each has a folder"),
        (("--close-only", "--halt-all"), "found --close-only and --halt-all, wanted one of them"),
        (("--withdraw", "--halt-all"), "found --halt-all and --withdraw, wanted one of them"),
        (("--within", "0"), "Invalid value for '--within'"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(
    engine: ControlledEngine, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    result = says(tmp_path, "flatten", *REASON, "--yes", *words)

    assert result.exit_code == ExitCode.USAGE
    assert complaint in result.stderr
    assert engine.told.flattens == []


@pytest.mark.parametrize("venue", ["paper", "live"])
def test_the_venue_can_be_said_by_its_own_word(
    engine: ControlledEngine, tmp_path: Path, venue: str
) -> None:
    result = says(tmp_path, "flatten", *REASON, "--yes", f"--{venue}")

    assert (result.exit_code, len(engine.told.flattens)) == (0, 1)


def test_where_no_engine_runs_and_none_ever_traded_it_says_so(tmp_path: Path) -> None:
    files = lived(tmp_path)

    result = says(tmp_path, "flatten", *REASON, "--yes")

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr == (
        f"{files.venue_account}: found none, so no engine has traded here; wanted the state of one;"
        " say where it is with --state-dir or --venue\n"
    )


def test_an_engine_that_does_not_answer_is_named_with_what_to_do_i73(tmp_path: Path) -> None:
    record = begun(lived(tmp_path))
    try:
        result = says(tmp_path, "flatten", *REASON, "--yes")
    finally:
        record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")


def test_what_the_guardian_cannot_do_is_said_in_one_line(
    engine: ControlledEngine, tmp_path: Path
) -> None:
    engine.told.steps = []

    result = says(tmp_path, "flatten", *REASON, "--yes")

    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "IndexError: list index out of range\n",
    )


@pytest.mark.slow
def test_what_an_engine_that_ended_in_the_middle_of_it_had_begun_is_gone_on_with_i59(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = holding(tmp_path)

    def hung_up(_client: EngineClient, _command: str, **_arguments: object) -> dict[str, Any]:
        raise NoEngine("the engine hung up without an answer")

    monkeypatch.setattr(EngineClient, "__init__", lambda *_: None)
    monkeypatch.setattr(EngineClient, "close", lambda _: None)
    monkeypatch.setattr(EngineClient, "call", hung_up)
    result = says(tmp_path, "flatten", *REASON, "--yes")

    assert (result.exit_code, left.positions) == (ExitCode.CLEAN, {})
