"""`hydra-trader halt` as an operator meets it: on an engine that runs, hangs, or does not run."""

import os
import shutil
import socket
import subprocess
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import hydra.ops.halt
from hydra.actor import SECOND
from hydra.cli import app
from hydra.ops.debug.client import EngineClient
from hydra.ops.debug.halting import NO_REASON
from hydra.ops.debug.session import Limits
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_lock import last_holder
from hydra.store.halt_marker import Halted, HaltMarker, read_halt_marker
from hydra.store.journal import read_journal
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT, RECONCILIATION
from hydra.trading.trading_state import TradingState
from tests.ops.control.command_line import HOME, ME, asks, says
from tests.ops.control.engines import controlled, files_in
from tests.ops.control.lives import AT, begun, lived, lose_the_journal_of, on_record
from tests.ops.sessions import typed

REASON = ("--reason", "a drill")
DIFFERS = RECONCILIATION.cause(since=AT, detail="1 share more than on record")
ONE_CLIENT = Limits(clients=1, cpu_share=1.0)


def test_a_running_engine_is_halted_and_the_times_are_said_i02(tmp_path: Path) -> None:
    with controlled(tmp_path) as engine:
        engine.open_gate()

        result = says(tmp_path, "halt", *REASON)

        assert engine.gate.state is TradingState.HALTED
    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    first, drained, recorded, last = result.stdout.splitlines()
    assert first == "HALTED: no order passes, by the control socket"
    assert drained.startswith("after ") and drained.endswith(" nothing was on its way any more")
    assert recorded.endswith("it was on record in the ledger")
    assert last == typed(tmp_path, "it ends by `hydra-trader resume --reason …`, not by itself")


def test_close_only_lets_what_reduces_pass(tmp_path: Path) -> None:
    with controlled(tmp_path) as engine:
        engine.open_gate()

        told = asks(tmp_path, "halt", *REASON, "--close-only")

        assert engine.gate.state is TradingState.CLOSE_ONLY
    assert (told["state"], told["code"], told["through"]) == (
        "CLOSE_ONLY",
        "operator-close-only",
        "control socket",
    )


def test_a_halt_that_is_not_on_record_is_said_so_with_exit_code_13_i02(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.halting.ON_RECORD_WITHIN", SECOND // 20)
    with controlled(tmp_path) as engine:
        engine.told.records_halts = False

        result = says(tmp_path, "halt", *REASON)

    assert result.exit_code == ExitCode.DURABILITY_REFUSED
    kill_switch = files_in(tmp_path).kill_switch
    assert (
        "NOT ON RECORD, so a restart may not find it: to keep it halted, echo halt_all >"
        f" {kill_switch}\nbecause the risk_guardian has not seen it made durable\n"
    ) in result.stdout


def test_without_a_control_socket_the_debug_socket_halts_i12(tmp_path: Path) -> None:
    with controlled(tmp_path, control=False) as engine:
        engine.open_gate()

        result = says(tmp_path, "halt", *REASON)

        assert engine.gate.state is TradingState.HALTED
    assert result.exit_code == ExitCode.DURABILITY_REFUSED
    assert result.stdout.startswith("HALTED: no order passes, by the debug socket\nafter ")
    assert "NOT ON RECORD" in result.stdout


def test_the_debug_socket_can_close_only_too_i12(tmp_path: Path) -> None:
    with controlled(tmp_path, control=False) as engine:
        engine.open_gate()

        told = asks(tmp_path, "halt", *REASON, "--close-only")

        assert engine.gate.state is TradingState.CLOSE_ONLY
    assert (told["state"], told["through"]) == ("CLOSE_ONLY", "debug socket")


def test_where_the_control_socket_has_no_room_the_debug_socket_halts_i12(tmp_path: Path) -> None:
    with (
        controlled(tmp_path, limits=ONE_CLIENT) as engine,
        EngineClient(engine.files.control_socket),
    ):
        engine.open_gate()

        result = says(tmp_path, "halt", *REASON)

        assert engine.gate.state is TradingState.HALTED
    assert (result.exit_code, result.stderr) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stdout.startswith("HALTED: no order passes, by the debug socket\nafter ")
    full = "because the control socket does not answer (refused: 1 clients are here already)\n"
    assert full in result.stdout


def test_an_engine_that_has_room_on_no_socket_is_named_with_what_to_do_i12(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    record = begun(files)
    try:
        with (
            controlled(tmp_path, limits=ONE_CLIENT) as engine,
            EngineClient(engine.files.control_socket),
            EngineClient(engine.files.debug_socket),
        ):
            result = says(tmp_path, "halt", *REASON)
    finally:
        record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    assert "(refused: 1 clients are here already)" in result.stderr
    assert f"echo halt_all > {files.kill_switch}, or kill -TERM " in result.stderr


def test_an_engine_that_answers_on_no_socket_is_named_with_what_to_do_i73(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    record = begun(files)
    try:
        result = says(tmp_path, "halt", *REASON)
    finally:
        record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    assert result.stderr.count("\n") == 1
    assert "has this record and does not answer" in result.stderr
    assert f"echo halt_all > {files.kill_switch}, or kill -TERM " in result.stderr


def test_a_command_at_work_on_the_record_is_not_called_an_engine_that_is_to_be_killed_i73(
    tmp_path: Path,
) -> None:
    files = files_in(tmp_path)
    record = begun(files, command="flatten")
    holder = last_holder(files.lock)
    try:
        result = says(tmp_path, "halt", *REASON)
    finally:
        record.close()

    assert holder is not None
    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    assert result.stderr == (
        f"{files.lock.parent}: the command `flatten` ({holder}) works on this record, and no"
        " engine runs; nothing was done: wait until it is done, and say it again; to keep the next"
        f" start halted meanwhile: echo halt_all > {files.kill_switch}; if it hangs, kill -TERM"
        f" {holder.pid}\n"
    )


def test_what_is_to_be_typed_can_be_typed_whatever_the_folders_name_i73(tmp_path: Path) -> None:
    """Unquoted, the word would have gone into another file, and nothing would have halted."""
    odd = tmp_path / "my engine; é"
    odd.mkdir()
    files = files_in(odd)
    record = begun(files)
    try:
        result = says(odd, "halt", *REASON)
    finally:
        record.close()
    command = result.stderr.partition("without it: ")[2].partition(", or kill")[0]

    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)

    assert files.kill_switch.read_text("utf-8") == "halt_all\n"


def test_while_an_engine_does_not_answer_it_says_early_what_to_do_without_it_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hydra.ops.halt, "EARLY_WORD_AFTER_S", 0.01)
    monkeypatch.setattr(hydra.ops.halt, "ANSWER_WITHIN_S", 0.3)
    files = files_in(tmp_path)
    record = begun(files)
    with closing(socket.socket(socket.AF_UNIX)) as mute:
        mute.bind(str(files.control_socket))
        mute.listen()
        result = says(tmp_path, "halt", *REASON)
    record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    early, last = result.stderr.splitlines()
    assert early == (
        f"no answer from the engine at {files.control_socket} yet; it is waited for; to stop its"
        f" orders without it: echo halt_all > {files.kill_switch}"
    )
    assert "has this record and does not answer (no answer from " in last


def test_an_engine_that_only_writes_its_journal_there_is_not_said_to_have_the_record_i73(
    tmp_path: Path,
) -> None:
    """Its kill switch is elsewhere too: who is told to use the one here stops nothing."""
    files = files_in(tmp_path)
    record = begun(files)
    elsewhere = tmp_path / "elsewhere"
    try:
        result = says(tmp_path, "halt", *REASON, "--state-dir", str(elsewhere))
    finally:
        record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    found = f"{files.journal_lock.parent}: an engine (process {os.getpid()} on "
    assert result.stderr.startswith(found)
    assert result.stderr.endswith(
        f" writes its journal there, and has its record elsewhere than in {elsewhere}; nothing was"
        " done: say where its state is with --state-dir\n"
    )


def test_a_halt_of_an_engine_that_does_not_run_is_on_record_for_the_next_start_i02(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path)

    result = says(tmp_path, "halt", *REASON)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert result.stdout.splitlines() == [
        f"no engine runs on {files.lock.parent}; the next one that starts there will be HALTED",
        f"on record in {files.ledger}",
        typed(tmp_path, "it ends by `hydra-trader resume --reason …`, not by itself"),
    ]
    (cause,) = on_record(files).halts
    assert cause == OPERATOR_HALT.cause(
        since=cause.since, detail=f"a drill (while no engine ran, {ME})"
    )
    (line,) = [line for line in read_journal(files.journal) if line["event"] == "control_halt"]
    told = {name: line[name] for name in ("source", "reason", "by", "state")}
    assert told == {"source": "control", "reason": "a drill", "by": ME, "state": "HALTED"}
    assert says(tmp_path, "verify").exit_code == ExitCode.CLEAN


def test_the_next_start_finds_the_halt_standing_i02(tmp_path: Path) -> None:
    files = lived(tmp_path, venue="paper")  # the embedded venue sets its last record aside

    says(tmp_path, "halt", *REASON, "--venue", "paper")

    record = begun(files, "paper")
    (cause,) = record.standing
    record.close()
    assert cause == OPERATOR_HALT.cause(since=cause.since, detail=cause.detail)


def test_a_close_only_of_an_engine_that_does_not_run_stands_beside_what_stood_i05(
    tmp_path: Path,
) -> None:
    before = OPERATOR_HALT.cause(since=AT, detail="before")
    files = lived(tmp_path, before)

    told = asks(tmp_path, "halt", *REASON, "--close-only")

    assert (told["state"], told["on_record"], told["through"]) == (
        "CLOSE_ONLY",
        "ledger",
        "the record",
    )
    halt, close_only = on_record(files).halts
    assert (halt, close_only.code) == (before, OPERATOR_CLOSE_ONLY.code)


def test_a_halt_leaves_it_known_how_the_last_engine_ended_i03(tmp_path: Path) -> None:
    files = lived(tmp_path, in_order=False)

    assert says(tmp_path, "halt", *REASON).exit_code == ExitCode.CLEAN

    assert on_record(files).unclean_end


def test_the_first_engine_of_a_folder_can_be_halted_before_it_starts_i02(tmp_path: Path) -> None:
    result = says(tmp_path, "halt", *REASON)

    assert result.exit_code == ExitCode.CLEAN
    assert "NO ENGINE EVER RAN THERE: if you mean another one" in result.stdout
    assert [cause.code for cause in on_record(files_in(tmp_path)).halts] == ["operator-halt"]


def test_where_the_ledger_cannot_be_opened_the_marker_halts_i03(tmp_path: Path) -> None:
    files = lived(tmp_path)
    files.ledger.write_bytes(b"no ledger at all, but long enough to be looked at" * 100)
    files.ledger.chmod(0o600)

    result = says(tmp_path, "halt", *REASON)

    assert result.exit_code == ExitCode.CLEAN
    assert f"on record in {files.halt_marker}\nand not in the ledger: " in result.stdout
    reading = read_halt_marker(files.halt_marker)
    assert isinstance(reading, Halted)
    assert reading.cause.detail == f"a drill (while no engine ran, {ME})"


def test_a_halt_is_kept_in_a_marker_in_which_another_one_stands_i03(tmp_path: Path) -> None:
    files = lived(tmp_path)
    marker = HaltMarker.open(files.halt_marker, at=AT, first_start=False)
    marker.halt(DIFFERS)
    marker.close()
    ledger = files.ledger.read_bytes()
    files.ledger.write_bytes(b"no ledger at all, but long enough to be looked at" * 100)
    says(tmp_path, "halt", *REASON)
    files.ledger.write_bytes(ledger)  # as it was got back

    let_go = asks(tmp_path, "resume", "--code", DIFFERS.code, "--reason", "assigned it")
    told = asks(tmp_path, "status")["causes"]
    begun(files).close()

    found = on_record(files)
    assert let_go["noted"] == [DIFFERS.code]
    assert [cause["code"] for cause in told] == [DIFFERS.code, "operator-halt"]
    assert [cause.code for cause in found.halts] == [DIFFERS.code, "operator-halt"]
    assert found.resume.codes == (DIFFERS.code,)


def test_a_ledger_that_its_journal_does_not_go_with_is_left_as_it_is_i54(tmp_path: Path) -> None:
    files = lived(tmp_path)
    lose_the_journal_of(files)
    before = files.ledger.read_bytes()

    result = says(tmp_path, "halt", *REASON)

    assert result.exit_code == ExitCode.CLEAN
    assert "and not in the ledger: the journal ends at line 0, and the ledger saw" in result.stdout
    assert isinstance(read_halt_marker(files.halt_marker), Halted)
    assert files.ledger.read_bytes() == before


def test_where_not_even_the_marker_can_be_written_it_says_not_halted_i03(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = lived(tmp_path)
    files.ledger.write_bytes(b"no ledger at all")
    files.halt_marker.unlink()
    files.halt_marker.mkdir(mode=0o700)

    result = says(tmp_path, "halt", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr.startswith(f"NOT HALTED: {files.halt_marker} is not an ordinary file; ")
    assert "set HYDRA_KILL_SWITCH=halt_all" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("it_runs", [False, True])
def test_an_engine_of_another_user_is_not_reached_and_that_is_said_i12(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, it_runs: bool
) -> None:
    files, owner = lived(tmp_path), os.geteuid()
    with controlled(tmp_path) if it_runs else nullcontext() as engine:
        if engine is not None:
            engine.open_gate()
        monkeypatch.setattr("os.geteuid", lambda: owner + 1)

        result = says(tmp_path, "halt", *REASON)

        assert engine is None or engine.gate.state is TradingState.ACTIVE
        monkeypatch.undo()
    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr == (
        f"NOT HALTED: {files.lock.parent} belongs to user {owner}, wanted {owner + 1}, who runs"
        f" this; say it as user {owner}, whose engine it is: sudo -u '#{owner}' …\n"
    )
    assert on_record(files).halts == ()


def test_the_record_of_another_venue_is_not_halted_by_mistake(tmp_path: Path) -> None:
    files = lived(tmp_path)

    result = says(tmp_path, "halt", *REASON, "--venue", "paper")

    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr.startswith("NOT HALTED: ")
    assert result.stderr.endswith("; use the state folder of paper\n")
    assert on_record(files).halts == ()


def test_a_running_engine_is_halted_however_unfit_its_settings_are_by_now_i12(
    tmp_path: Path,
) -> None:
    unfit = tmp_path / "config"
    unfit.mkdir()
    with controlled(tmp_path) as engine:
        engine.open_gate()

        result = says(tmp_path, "halt", *REASON, "--config", str(unfit))

        assert (result.exit_code, engine.gate.state) == (ExitCode.CLEAN, TradingState.HALTED)


def config_here(folder: Path, *edits: tuple[str, str]) -> Path:
    """The shipped configuration, of the engine that has its files in this folder, and spoilt."""
    config = Path(shutil.copytree(HOME / "config", folder / "config"))
    settings = config / "settings.yaml"
    text = settings.read_text()
    for old, new in (
        ("./state/", f"{folder}/state/"),
        ("./logs/", f"{folder}/logs/"),
        ("venue: embedded", "venue: paper"),
        *edits,
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    settings.write_text(text)
    return config


def without_a_folder(config: Path, verb: str, *words: str) -> Result:
    line = [verb, "--config", str(config), *words]
    return CliRunner().invoke(app, line, env={"COLUMNS": "200"}, catch_exceptions=False)


TYPO = ("max_orders_per_minute: 10", "max_orders_per_minute: ten")


@pytest.mark.parametrize(
    "edit",
    [TYPO, ("health:", "healht:"), ("runner:", "runner:\n  loop_intervall: 5")],
)
def test_a_typo_elsewhere_in_the_settings_hides_no_engine_that_runs_i12(
    tmp_path: Path, edit: tuple[str, str]
) -> None:
    config = config_here(tmp_path, edit)
    with controlled(tmp_path) as engine:
        engine.open_gate()

        result = without_a_folder(config, "halt", *REASON)

        assert (result.exit_code, engine.gate.state) == (ExitCode.CLEAN, TradingState.HALTED)
        assert "HALTED" in result.stdout


@pytest.mark.parametrize(
    "edit",
    [
        ("venue: paper", "venue: papper"),
        ("broker:", "borker:"),
        ("/state/trading_state.db", "/state/"),
        ("  max_orders", "\tmax_orders"),
    ],
)
def test_where_the_settings_do_not_say_which_engine_is_meant_none_is_guessed(
    tmp_path: Path, edit: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_here(tmp_path, edit)
    monkeypatch.chdir(tmp_path)
    with controlled(tmp_path) as engine:
        engine.open_gate()

        result = without_a_folder(config, "halt", *REASON)

        assert (result.exit_code, engine.gate.state) == (
            ExitCode.CONFIGURATION_REFUSED,
            TradingState.ACTIVE,
        )
        assert result.stderr.endswith("say where with --state-dir, such as --state-dir state\n")


def test_with_a_typo_in_the_settings_a_halt_goes_to_the_marker_and_the_ledger_is_left_alone_i02(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path, venue="paper")
    before = files.ledger.read_bytes(), files.journal.read_bytes()

    result = without_a_folder(config_here(tmp_path, TYPO), "halt", *REASON)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert f"on record in {files.halt_marker}\nand not in the ledger: " in result.stdout
    assert "found 'ten'" in result.stdout
    assert f"elsewhere than in {files.ledger.parent}" in result.stdout
    assert (files.ledger.read_bytes(), files.journal.read_bytes()) == before
    record = begun(files, "paper")
    (cause,) = record.standing
    record.close()
    assert cause == OPERATOR_HALT.cause(
        since=cause.since, detail=f"a drill (while no engine ran, {ME})"
    )


@pytest.mark.parametrize("is_missing", [True, False])
def test_with_settings_that_say_nothing_at_all_the_folder_that_was_named_is_halted_i02(
    tmp_path: Path, is_missing: bool
) -> None:
    unfit = tmp_path / "config"
    unfit.mkdir()
    if not is_missing:
        (unfit / "settings.yaml").write_text("broker: [\n")
    files = lived(tmp_path, venue="paper")

    result = says(tmp_path, "halt", *REASON, "--config", str(unfit))

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    heading, where, fault, *_ = result.stdout.splitlines()
    assert heading.startswith(f"no engine runs on {files.lock.parent}; the next one that starts")
    assert where == f"on record in {files.halt_marker}"
    assert fault.startswith(f"and not in the ledger: {unfit}/settings.yaml")
    assert isinstance(read_halt_marker(files.halt_marker), Halted)


def test_a_resume_that_was_said_before_lets_go_of_no_halt_that_only_the_marker_has_i04(
    tmp_path: Path,
) -> None:
    unfit = tmp_path / "config"
    unfit.mkdir()
    files = lived(tmp_path)
    says(tmp_path, "halt", *REASON)
    says(tmp_path, "resume", *REASON)

    says(tmp_path, "halt", "--reason", "another", "--config", str(unfit))
    begun(files).close()

    found = on_record(files)
    assert [cause.detail.partition(" (")[0] for cause in found.halts] == ["another"]
    assert not found.word


def test_without_settings_a_folder_that_never_had_an_engine_is_left_as_it_is_i02(
    tmp_path: Path,
) -> None:
    """A marker there would speak of a ledger that is gone, and no engine would start."""
    unfit, state = tmp_path / "config", tmp_path / "state"
    unfit.mkdir()

    result = says(tmp_path, "halt", *REASON, "--config", str(unfit))

    assert (result.exit_code, result.stdout) == (ExitCode.CONFIGURATION_REFUSED, "")
    assert result.stderr.splitlines()[-1] == (
        f"NOT HALTED: {state}: found nothing that says that an engine ever ran there, and without"
        " settings there can be no first record; say another --state-dir, or mend the settings"
    )
    assert not state.exists()


@pytest.mark.parametrize(
    "words",
    [("--reason",), (*REASON, "--now"), ("now",)],
)
def test_a_wrong_usage_has_exit_code_2_and_halts_nothing(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert says(tmp_path, "halt", *words).exit_code == ExitCode.USAGE
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), NO_REASON),
        (("--reason", ""), NO_REASON),
        (("--reason", "no"), "no"),
        (("--reason", "x" * 100_000), "x" * 500),
    ],
)
def test_whatever_the_reason_it_halts_i12(
    tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    with controlled(tmp_path) as engine:
        engine.open_gate()
        result = says(tmp_path, "halt", *words)
        (cause,) = engine.gate.standing()
    files = lived(tmp_path / "at_rest")
    assert says(tmp_path / "at_rest", "halt", *words).exit_code == ExitCode.CLEAN

    assert result.exit_code == ExitCode.CLEAN
    assert cause.detail.startswith(f"{told} (control socket, ")
    assert [each.detail.partition(" (")[0] for each in on_record(files).halts] == [told]
