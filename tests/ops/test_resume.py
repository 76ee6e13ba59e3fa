"""`hydra-trader resume` as an operator meets it, with an engine that runs and without one."""

from pathlib import Path

import msgspec
import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarker
from hydra.store.journal import read_journal
from hydra.store.lives import GoesOn
from hydra.store.record import EngineRecord, Owner
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT, RECONCILIATION
from hydra.trading.trading_state import TradingState
from messages.control import Resume
from tests.ops.control.command_line import ME, asks, says
from tests.ops.control.engines import controlled
from tests.ops.control.lives import AT, VENUE, begun, lived, on_record
from tests.ops.sessions import typed

REASON = ("--reason", "it was a drill")
OWNER = Owner(venue=VENUE, account="PA-TEST", version="0.1.0", configuration="digest", at=AT)
HALTED = OPERATOR_HALT.cause(since=AT, detail="a drill")
DIFFERENT = RECONCILIATION.cause(since=AT, detail="AAPL: found 10, wanted 0")


def test_what_is_cleared_at_the_next_clean_pass_is_said_i04(tmp_path: Path) -> None:
    with controlled(tmp_path) as engine:
        engine.gate.arm((HALTED,), "a test", engine.gate.epoch)

        result = says(tmp_path, "resume", *REASON)

        assert engine.gate.state is TradingState.ACTIVE
        assert [resume.codes for resume in engine.told.resumes] == [()]
    assert (result.exit_code, result.stdout, result.stderr) == (
        ExitCode.CLEAN,
        "cleared: operator-halt\ntrading is ACTIVE\n",
        "",
    )


def test_one_cause_can_be_let_go_and_what_is_left_is_said_with_its_way_out_i05(
    tmp_path: Path,
) -> None:
    with controlled(tmp_path) as engine:
        engine.gate.arm((HALTED, DIFFERENT), "a test", engine.gate.epoch)

        result = says(tmp_path, "resume", *REASON, "--code", "operator-halt")

        assert engine.gate.standing() == (DIFFERENT,)
    assert (result.exit_code, result.stdout.splitlines()) == (
        ExitCode.CLEAN,
        [
            "cleared: operator-halt",
            "trading is HALTED",
            f"  reconciliation: AAPL: found 10, wanted 0; {RECONCILIATION.remedy}",
        ],
    )


def test_what_no_clean_pass_has_cleared_yet_is_waited_for_and_told_as_noted_i04(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.resume.FOLLOW_S", 0.05)
    monkeypatch.setattr("hydra.ops.resume.LOOK_EVERY_S", 0.01)
    with controlled(tmp_path) as engine:
        engine.told.clears_what_is_noted = False
        engine.gate.arm((HALTED,), "a test", engine.gate.epoch)

        told = asks(tmp_path, "resume", *REASON)

        assert engine.gate.standing() == (HALTED,)
    assert (told["noted"], told["trading_state"]) == (["operator-halt"], "HALTED")
    assert [cause["ends"] for cause in told["causes"]] == [
        "at the next clean pass: an operator has let it go"
    ]


def test_what_the_guardian_refuses_is_said_with_exit_code_1(tmp_path: Path) -> None:
    with controlled(tmp_path) as engine:
        engine.told.refused = ("daily_loss: it is not cleared before noon; wait",)
        engine.gate.arm((), "a test", engine.gate.epoch)

        result = says(tmp_path, "resume", *REASON)

    assert (result.exit_code, result.stdout) == (
        1,
        "refused: daily_loss: it is not cleared before noon; wait\ntrading is ACTIVE\n",
    )


def test_a_guardian_that_hangs_is_said_in_one_line_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.commands.ANSWER_WITHIN", 10_000_000)
    with controlled(tmp_path) as engine:
        engine.make_everybody_hang()

        result = says(tmp_path, "resume", *REASON)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("the risk_guardian did not answer Resume within 0.01 s")
    assert result.stderr.count("\n") == 1


def test_the_word_is_kept_for_the_next_start_and_clears_nothing_itself_i04(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path, HALTED, DIFFERENT)

    result = says(tmp_path, "resume", *REASON)

    assert (result.exit_code, result.stderr) == (ExitCode.CLEAN, "")
    assert result.stdout.splitlines() == [
        "no engine runs: kept for the next start, to be cleared once all is clean: operator-halt",
        "no engine runs: kept for the next start, to be cleared once all is clean: reconciliation",
    ]
    found = on_record(files)
    assert found.halts == (HALTED, DIFFERENT)
    assert found.resume == Resume(
        reason="it was a drill", operator=ME, codes=("operator-halt", "reconciliation")
    )
    assert found.word is not None
    assert msgspec.json.decode(found.word)["at"] > AT
    (line,) = [line for line in read_journal(files.journal) if line["event"] == "control_resume"]
    assert {name: line[name] for name in ("source", "reason", "by", "codes")} == {
        "source": "control",
        "reason": "it was a drill",
        "by": ME,
        "codes": ["operator-halt", "reconciliation"],
    }


def test_only_the_named_causes_are_let_go_and_the_newest_word_counts_i05(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED, DIFFERENT)
    says(tmp_path, "resume", *REASON)

    told = asks(tmp_path, "resume", *REASON, "--code", "reconciliation")

    assert told == {
        "engine": "stopped",
        "noted": ["reconciliation"],
        "refused": [],
        "replaces": True,
        "comes": {},
    }
    assert on_record(files).resume.codes == ("reconciliation",)


def test_a_halt_that_does_not_stand_cannot_be_let_go(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED)

    result = says(tmp_path, "resume", *REASON, "--code", "operator-hat")

    assert (result.exit_code, result.stderr) == (
        ExitCode.USAGE,
        "no halt operator-hat stands; those that stand: operator-halt\n",
    )
    assert on_record(files).word is None


def test_a_word_without_a_halt_is_not_kept_so_that_it_clears_none_that_comes_later_i04(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path)

    result = says(tmp_path, "resume", *REASON)

    assert (result.exit_code, result.stdout) == (
        ExitCode.CLEAN,
        "no engine runs, and no halt is on record: there is nothing to resume\n",
    )
    assert on_record(files).word is None


def test_where_there_never_was_an_engine_nothing_is_made_for_it(tmp_path: Path) -> None:
    result = says(tmp_path, "resume", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert "found no ledger, so no halt that could be let go" in result.stderr
    assert not (tmp_path / "state").exists()


def test_a_halt_that_came_after_the_word_takes_it_back_i04(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED)
    says(tmp_path, "resume", *REASON)

    result = says(tmp_path, "halt", "--reason", "no, it was none")

    assert "the `resume` that waited for the next start is taken back" in result.stdout
    assert on_record(files).word == ""


def test_a_halt_in_the_marker_needs_the_word_too_i03(tmp_path: Path) -> None:
    files = lived(tmp_path)
    marker = HaltMarker.open(files.halt_marker, at=AT, first_start=False)
    marker.halt(OPERATOR_CLOSE_ONLY.cause(since=AT, detail="a drill"))
    marker.close()

    assert asks(tmp_path, "resume", *REASON)["noted"] == ["operator-close-only"]


def test_a_marker_that_is_gone_needs_the_word_too_i03(tmp_path: Path) -> None:
    files = lived(tmp_path)
    files.halt_marker.unlink()

    assert asks(tmp_path, "resume", *REASON)["noted"] == ["halt_marker_unreadable"]


def test_a_halt_in_marker_and_ledger_is_one_i03(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED)
    marker = HaltMarker.open(files.halt_marker, at=AT, first_start=False)
    for cause in (HALTED, OPERATOR_CLOSE_ONLY.cause(since=AT, detail="a drill")):
        marker.halt(cause)
    marker.close()

    shown = [cause["code"] for cause in asks(tmp_path, "status")["causes"]]
    noted = asks(tmp_path, "resume", *REASON)["noted"]

    assert shown == noted == ["operator-halt", "operator-close-only"]


@pytest.mark.parametrize("gone", [False, True])
def test_a_halt_that_is_in_the_marker_since_before_the_word_is_the_one_it_was_said_of_i04(
    tmp_path: Path, gone: bool
) -> None:
    files = lived(tmp_path)
    if gone:
        files.halt_marker.unlink()
    else:
        halted_in_the_marker(files, "a drill")
    codes = tuple(asks(tmp_path, "resume", *REASON)["noted"])

    begun(files).close()

    found = on_record(files)
    assert (found.resume.codes, tuple(cause.code for cause in found.halts)) == (codes, codes)


@pytest.mark.parametrize("goes_on", [None, lambda _: True])
def test_a_halt_that_came_into_the_marker_after_the_word_takes_it_back_at_the_start_i03_i04(
    tmp_path: Path, goes_on: GoesOn | None
) -> None:
    files = lived(tmp_path, HALTED)
    says(tmp_path, "resume", *REASON)
    halted_in_the_marker(files, "no, it was none")  # where the ledger cannot be written

    EngineRecord.open(files, OWNER, goes_on=goes_on).close()

    found = on_record(files)
    assert ([cause.detail for cause in found.halts], found.word or "") == (["no, it was none"], "")


def test_a_halt_that_follows_one_that_was_let_go_is_another_in_the_marker_too_i03_i04(
    tmp_path: Path,
) -> None:
    files = lived(tmp_path)
    halted_in_the_marker(files, "a drill")
    says(tmp_path, "resume", *REASON)
    halted_in_the_marker(files, "no, it was none")  # of the same code, and as bad

    begun(files).close()

    found = on_record(files)
    assert ([cause.detail for cause in found.halts], found.word or "") == (["no, it was none"], "")


def halted_in_the_marker(files: EngineFiles, detail: str) -> None:
    marker = HaltMarker.open(files.halt_marker, at=AT, first_start=False)
    marker.halt(OPERATOR_HALT.cause(since=AT, detail=detail))
    marker.close()


def test_a_marker_that_no_engine_has_made_yet_is_no_halt(tmp_path: Path) -> None:
    says(tmp_path, "halt", "--reason", "before the first start")

    assert asks(tmp_path, "resume", *REASON)["noted"] == ["operator-halt"]


def test_a_resume_leaves_it_known_how_the_last_engine_ended_i03(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED, in_order=False)

    assert says(tmp_path, "resume", *REASON).exit_code == ExitCode.CLEAN

    assert on_record(files).unclean_end


def test_an_engine_that_has_the_record_and_does_not_answer_is_left_alone_i73(
    tmp_path: Path,
) -> None:
    record = begun(lived(tmp_path, HALTED))
    try:
        result = says(tmp_path, "resume", *REASON)
    finally:
        record.close()

    assert (result.exit_code, result.stdout) == (ExitCode.HELD_BY_ANOTHER, "")
    assert "has this record and does not answer" in result.stderr


def test_a_record_that_is_damaged_is_not_resumed_on_i04(tmp_path: Path) -> None:
    files = lived(tmp_path, HALTED)
    files.ledger.write_bytes(b"no ledger at all")

    result = says(tmp_path, "resume", *REASON)

    assert (result.exit_code, result.stdout) == (ExitCode.DURABILITY_REFUSED, "")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [(), ("--reason", "no"), (*REASON, "--all")])
def test_a_wrong_usage_has_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert says(tmp_path, "resume", *words).exit_code == ExitCode.USAGE


def test_it_says_what_comes_with_the_next_start_and_is_not_let_go_by_it_i03(tmp_path: Path) -> None:
    """Whoever is not told starts it, is refused with 14, and wonders what became of his word."""
    lived(tmp_path, HALTED, in_order=False)

    lines = says(tmp_path, "resume", *REASON).stdout.splitlines()
    told = asks(tmp_path, "resume", *REASON)

    assert lines[-1] == typed(
        tmp_path,
        "NOT LET GO, as it comes with the next start: unclean_end_when_stopped: the process before"
        " did not end in order, and trading was halted (operator-halt); say `hydra-trader resume"
        " --reason …` once more after that start",
    )
    assert list(told["comes"]) == ["unclean_end_when_stopped"]


def test_after_an_end_in_order_nothing_more_comes_with_the_next_start(tmp_path: Path) -> None:
    lived(tmp_path, HALTED)

    assert asks(tmp_path, "resume", *REASON)["comes"] == {}
