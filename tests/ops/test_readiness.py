"""`hydra-trader preflight` where no engine runs: what the next start would make of the record."""

import shutil
import time
from pathlib import Path

import pytest
from msgspec import structs

from hydra.ops.exit_codes import ExitCode
from hydra.store.record import EngineRecord
from hydra.trading.causes import OPERATOR_HALT, remedy_of
from tests.ops.control.command_line import HOME, says
from tests.ops.control.engines import files_in
from tests.ops.control.lives import AT, OWNER, lived, lose_the_journal_of

OPEN_THEN = "the process before did not end in order; trading was open"
STORM = "4 starts after unclean ends within 10 minutes, at most 3 allowed"
REMEDY = "find out what ends the process, then resume"
WAIT = remedy_of("unclean_end")
HALTED = OPERATOR_HALT.cause(since=AT, detail="a drill")


def record_lines(folder: Path, *words: str) -> tuple[int, list[str]]:
    """What it says but of engine, configuration and orders."""
    result = says(folder, "preflight", *words)
    lines = result.stdout.splitlines()
    other = ("engine:", "configuration:", "orders:", "keys:")
    assert result.stderr == ""
    return result.exit_code, [line for line in lines if line.split()[1] not in other]


def test_where_no_engine_ever_was_none_is_said_to_have_ended(tmp_path: Path) -> None:
    says(tmp_path, "halt", "--reason", "a drill")

    assert record_lines(tmp_path)[1][0] == "pass  record: no engine ever had it"


def test_after_a_kill_while_trading_was_open_the_next_start_clears_it_by_itself_i03(
    tmp_path: Path,
) -> None:
    lived(tmp_path, in_order=False)

    assert record_lines(tmp_path) == (
        ExitCode.CLEAN,
        [
            "pass  record: it did not say that it stopped: killed, or a power cut",
            f"pass  halt: unclean_end, with the next start: {OPEN_THEN} ({WAIT})",
        ],
    )


def test_on_live_a_person_has_to_look_after_a_kill_i03(tmp_path: Path) -> None:
    lived(tmp_path, in_order=False, venue="live")
    config = shutil.copytree(HOME / "config", tmp_path / "config")
    settings = (config / "settings.yaml").read_text("utf-8")
    (config / "settings.yaml").write_text(
        settings.replace("resume: preflight", "resume: operator").replace(
            "profile: off", "profile: micro"
        ),
        "utf-8",
    )

    code, (live, _, halt) = record_lines(tmp_path, "--venue", "live", "--config", str(config))

    assert code == ExitCode.PREFLIGHT_FAILED
    assert live.startswith("pass  live: micro: ")
    assert halt.startswith("FAIL  halt: unclean_end, with the next start: ")


def test_after_a_kill_while_trading_was_halted_a_resume_of_before_does_not_do_i03(
    tmp_path: Path,
) -> None:
    lived(tmp_path, HALTED, in_order=False)
    says(tmp_path, "resume", "--reason", "it was a drill")

    code, lines = record_lines(tmp_path)

    assert code == ExitCode.PREFLIGHT_FAILED
    assert lines[1].startswith("pass  halt: operator-halt: a drill (at the next clean pass")
    assert lines[2].startswith(
        "FAIL  halt: unclean_end_when_stopped, with the next start: the process before did not end"
        " in order, and trading was halted (operator-halt)"
    )


@pytest.mark.parametrize(("kills", "verdict"), [(3, "pass"), (4, "FAIL")])
def test_one_more_start_that_makes_a_storm_is_said_before_it_i75(
    tmp_path: Path, kills: int, verdict: str
) -> None:
    """The first of so many lives was after no kill, and the next start is after one."""
    files = files_in(tmp_path)
    owner = structs.replace(OWNER, wall_at=time.time_ns())
    for _ in range(kills):
        EngineRecord.open(files, owner).close()

    code, lines = record_lines(tmp_path)

    assert code == (ExitCode.CLEAN if verdict == "pass" else ExitCode.PREFLIGHT_FAILED)
    assert [line for line in lines if "restart_storm" in line] == (
        []
        if verdict == "pass"
        else [f"FAIL  halt: restart_storm, with the next start: {STORM} ({REMEDY})"]
    )


def test_a_record_on_which_no_engine_starts_does_not_pass_i57(tmp_path: Path) -> None:
    lose_the_journal_of(lived(tmp_path))

    code, (first, lost) = record_lines(tmp_path)

    assert (code, first) == (ExitCode.PREFLIGHT_FAILED, "pass  record: stopped in order: done")
    assert lost.startswith("FAIL  record: marks: the journal ends at line 0, and the ledger saw ")


def test_files_that_others_can_read_do_not_pass_i84(tmp_path: Path) -> None:
    ledger = lived(tmp_path).ledger
    ledger.chmod(0o644)

    code, lines = record_lines(tmp_path)

    assert code == ExitCode.PREFLIGHT_FAILED
    assert lines[1:] == [
        f"FAIL  record: rights: {ledger} has rights 0644, wanted 0600: chmod 600 {ledger}"
    ]


def test_a_record_of_another_venue_does_not_pass(tmp_path: Path) -> None:
    lived(tmp_path, venue="paper")

    code, lines = record_lines(tmp_path)

    assert code == ExitCode.PREFLIGHT_FAILED
    assert lines[-1].startswith("FAIL  record: owner: ")
