"""`config accept-live`: a word for one configuration, with a reason, shown to whoever asks."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.config.loosening import acceptance
from hydra.ops.control.wellness import checks_of
from hydra.ops.exit_codes import ExitCode
from hydra.ops.going_live.allowance import (
    LIVE_ALLOWED,
    LiveWord,
    told_of,
    word_given,
    write_word,
    written,
)
from hydra.ops.going_live.looking import as_configured
from hydra.ops.track_record.report import page_of, track_report_of
from hydra.trading.findings import Finding
from hydra.trading.strategy_modes import StrategyMode
from tests.ops.alerts.looks import told
from tests.ops.control.command_line import says
from tests.ops.going_live.days import day
from tests.ops.going_live.test_live_start import Machine

ACCEPTED = "may trade real money in full, though paper has not shown it; each start says so"


def accepts(machine: Machine, *words: str) -> tuple[int, str]:
    line = ["config", "accept-live", "--config", str(machine.config)]
    line += ["--state-dir", str(machine.folder / "state"), *words]
    result = CliRunner().invoke(app, line, env={"COLUMNS": "200"}, catch_exceptions=False)
    return result.exit_code, result.stdout + result.stderr


def test_it_keeps_who_why_and_for_what(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    code, said = accepts(machine, "--reason", "a trial of ours")
    word = word_given(machine.files.configurations)
    named = as_configured(machine.settings, None).digest

    assert (code, said) == (ExitCode.CLEAN, f"{machine.config}: configuration {named} {ACCEPTED}\n")
    assert word is not None
    assert (word.configuration, word.reason) == (named, "a trial of ours")
    assert word.by.startswith("uid ")


def test_nobody_but_live_asks_for_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path)

    assert accepts(machine, "--reason", "a trial", "--venue", "paper")[0] == ExitCode.USAGE
    assert word_given(machine.files.configurations) is None


@pytest.mark.parametrize("reason", ["", "  ", "no"])
def test_without_a_reason_nothing_is_accepted(tmp_path: Path, reason: str) -> None:
    machine = Machine(tmp_path)

    assert accepts(machine, "--reason", reason)[0] == ExitCode.USAGE
    assert accepts(machine)[0] == ExitCode.USAGE
    assert word_given(machine.files.configurations) is None


@pytest.mark.parametrize("profile", ["micro", "off"])
def test_nothing_but_full_needs_a_word(tmp_path: Path, profile: str) -> None:
    machine = Machine(tmp_path, profile)
    code, said = accepts(machine, "--reason", "a trial")

    assert code == ExitCode.CONFIGURATION_REFUSED
    assert f"live.profile: found {profile}, wanted full" in said
    assert word_given(machine.files.configurations) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"reason": "a trial"}', b'{"reason": "\xff"}', b'{"x":' + b"[" * 100_000],
)
def test_a_word_that_nobody_can_read_is_none(tmp_path: Path, content: bytes) -> None:
    history = tmp_path / "configurations"
    write_word(history, LiveWord(configuration="c", reason="a trial", by="uid 7", at=1))
    assert word_given(history) is not None
    (history / "live_accepted.json").write_bytes(content)
    (history / "accepted.json").write_bytes(content)

    assert word_given(history) is None
    assert acceptance(history) is None


def test_another_mode_of_the_environment_is_another_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path)
    monkeypatch.setenv("HYDRA_STRATEGY_MODE", "conservative")
    accepts(machine, "--reason", "a trial")
    word = word_given(machine.files.configurations)

    assert word is not None
    safer = as_configured(machine.settings, StrategyMode.CONSERVATIVE)
    assert word.configuration == safer.digest != as_configured(machine.settings, None).digest


def test_preflight_says_it_before_any_start(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    words = ("preflight", "--venue", "live", "--config", str(machine.config))
    refused = says(tmp_path, *words)
    accepts(machine, "--reason", "a trial")
    accepted = says(tmp_path, *words)

    assert refused.exit_code == ExitCode.PREFLIGHT_FAILED
    assert "FAIL  live: found no track record of paper in " in refused.stdout
    assert "pass  live: full: accepted without what paper has to show: a trial (uid " in (
        accepted.stdout
    )


def test_a_day_that_was_traded_live_says_on_what_ground() -> None:
    days = [day("2026-11-20", "a"), day("2026-11-23", "a", live="accepted: a trial (uid 7)")]
    page = page_of(track_report_of(days))

    assert "\n| traded live as | accepted: a trial (uid 7) |\n" in page
    assert "traded live as" not in page_of(track_report_of(days[:1]))


def test_status_at_rest_says_how_the_last_start_was_allowed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "micro")
    machine.start()
    result = says(tmp_path, "status", "--venue", "live", "--config", str(machine.config), "--json")

    live = msgspec.json.decode(result.stdout)["live"]
    assert (live["open"], live["ground"], live["line"]) == (
        True,
        "micro",
        "the last start was allowed (micro)",
    )
    page = says(tmp_path, "status", "--venue", "live", "--config", str(machine.config)).stdout
    assert "the last start was allowed (micro)" in page
    assert told_of(None) is None
    assert (told_of(written(None)) or {})["line"] == "the last start was not allowed"
    assert LIVE_ALLOWED == "live_allowed"


@pytest.mark.parametrize("is_open", [True, False])
def test_a_running_engine_says_it_in_health_and_preflight(is_open: bool) -> None:
    live = {"open": is_open, "line": "full: accepted"}

    assert Finding("live", is_open, "full: accepted") in checks_of(told(live=live), "1")
    assert "live" not in [each.name for each in checks_of(told(), "1")]
