"""`hydra-trader mode` where no engine runs, and how a status tells the configuration."""

from pathlib import Path

import pytest

from hydra.ops.control import page
from hydra.ops.control.mode_at_rest import choose_at_rest, mode_on_record
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger_facts import NoLedger
from hydra.trading.strategy_modes import StrategyMode
from tests.ops.sessions import command, json_of, played

NONE, PRIMARY, FALLBACK, CONSERVATIVE, FLAT = StrategyMode


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a session in virtual time has left."""
    return played(tmp_path_factory.mktemp("mode"))


def test_a_choice_at_rest_is_on_record_with_its_reason_and_the_next_start_follows_it(
    folder: Path,
) -> None:
    run = command(folder)

    before = json_of(run("mode", "--json"))
    code, _, _ = run("mode", "flat", "--reason", "vacation", "--json")
    after = json_of(run("mode", "--json"))

    assert before["mode_wanted"] == "none"
    assert code == ExitCode.CLEAN
    assert (after["engine"], after["mode_wanted"], after["mode_why"]) == (
        "stopped",
        "flat",
        "vacation",
    )
    assert "no engine runs; the next start follows flat" in run("mode")[1]


def test_without_a_reason_nothing_is_chosen(folder: Path) -> None:
    code, _, err = command(folder)("mode", "flat")

    assert code == ExitCode.USAGE
    assert "found no --reason" in err


@pytest.mark.parametrize("text", ["x", "   ", "x" * 501])
def test_a_reason_that_an_engine_would_not_take_is_none_at_rest_either(
    folder: Path, text: str
) -> None:
    run = command(folder)
    before = json_of(run("mode", "--json"))

    code, _, err = run("mode", "flat", "--reason", text)

    assert code == ExitCode.USAGE
    assert "wanted" in err and "reason" in err
    assert json_of(run("mode", "--json")) == before


def test_the_environment_is_the_best_that_is_followed(folder: Path) -> None:
    environment = {"HYDRA_STRATEGY_MODE": "conservative"}
    run = command(folder)

    code, _, err = run("mode", "primary", "--reason", "bold", env=environment)
    assert code == ExitCode.USAGE
    assert "the configuration says conservative at best" in err

    code, _, err = run("mode", env={"HYDRA_STRATEGY_MODE": "bold"})
    assert code == ExitCode.CONFIGURATION_REFUSED
    assert "no such mode" in err


def test_where_no_engine_ever_was_there_is_nothing_on_record(tmp_path: Path) -> None:
    files = EngineFiles.under(tmp_path, tmp_path, "ledger.db", "app.jsonl")

    assert mode_on_record(files).mode is NONE
    with pytest.raises(NoLedger, match=r"set modes\.selected"):
        choose_at_rest(files, "embedded", NONE, FLAT, reason="a test", by="ada", at=1)


CONFIGURATION = {
    "mode": "primary",
    "mode_wanted": "conservative",
    "mode_why": "step down after daily_loss",
    "refused": None,
    "refused_since": None,
    "pending": ["a: 1 -> 2 (looser)"],
    "pending_since": "13:30",
    "pending_why": ["a: 1 -> 2 (looser): a looser setting needs a restart"],
}


def test_the_page_of_a_status_says_mode_refusal_and_what_is_pending() -> None:
    told = {**CONFIGURATION, "refused": "no such setting", "refused_since": "13:31"}

    assert page.configuration_lines(told) == [
        "strategy mode primary; conservative waits for a restart (step down after daily_loss)",
        "CONFIGURATION REFUSED since 13:31: no such setting",
        "1 change of the configuration not in force, since 13:30; a restart is needed:",
        "  a: 1 -> 2 (looser): a looser setting needs a restart",
    ]


def test_the_page_says_nothing_of_a_configuration_that_is_as_it_should_be() -> None:
    told = {**CONFIGURATION, "mode": "none", "mode_wanted": "none", "pending": None}

    assert page.configuration_lines(told) == []
    assert page.configuration_lines(None) == []
