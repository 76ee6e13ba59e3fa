"""`hydra-trader config` as an operator meets it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.config.looking import SHIPPED
from tests.settings.fine import BOTS, ENGINE, load, spoilt

HOME = Path(__file__).resolve().parents[2]
KEY = "PKCANARY0123456789AB"
SECRET = "canaryCanary/+0123456789canaryCanary"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """`run("check", ...)` in a folder with the shipped configuration: exit code, output, errors."""
    shutil.copytree(SHIPPED, tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("ALPACA_", "HYDRA_", "LIVE_DISABLE")):
            monkeypatch.delenv(name)

    def invoke(*words: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, ["config", *words], catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    yield invoke
    # Looking writes nothing.
    assert not (tmp_path / "state").exists()
    assert not (tmp_path / "logs").exists()


def edit(name: str, old: str, new: str) -> None:
    path = Path("config", name)
    path.write_text(spoilt(path.read_text(), old, new))


def write_env(**values: str) -> None:
    path = Path(".env")
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def test_what_is_shipped_is_in_the_package_too() -> None:
    for name in ("settings.yaml", "bots.yaml"):
        assert (SHIPPED / name).read_text() == (HOME / "config" / name).read_text()


def test_check_says_that_the_shipped_configuration_is_fit_and_warns(run: Run) -> None:
    code, out, err = run("check")

    warning, verdict = out.splitlines()
    assert (code, err) == (0, "")
    assert warning.startswith(
        "warning: portfoliobot.buckets.options_bucket_pct_of_daily_risk: 50 percent, but "
    )
    assert verdict.startswith("config: fit to start; venue embedded, digest ")
    assert verdict.endswith(", 1 warning")


def test_check_tells_all_errors_of_all_files_at_once_with_code_10_i78(run: Run) -> None:
    edit("settings.yaml", "fail_closed: true", "fail_closed: false")
    edit("bots.yaml", "cooloff_minutes: 390", "cooloff_minutes: 0")
    write_env(ALPACA_PAPER="yes")

    code, out, err = run("check")

    assert (code, out) == (10, "")
    assert [line.split(" ")[0:2] for line in err.splitlines()] == [
        ["config/settings.yaml:13:", "safety.fail_closed:"],
        ["config/bots.yaml:6:", "exitbot.cooloff_minutes:"],
        [".env:1:", "ALPACA_PAPER:"],
    ]


def test_check_refuses_a_strategy_that_there_is_not(run: Run) -> None:
    edit("bots.yaml", 'mode: "placeholder_crypto_momo_v1"', "mode: unheard_of")

    code, _, err = run("check")

    assert code == 10
    assert "cryptobot.signal: found unheard_of, no such strategy" in err


def test_check_for_a_venue_tells_what_that_venue_lacks_i82(run: Run) -> None:
    write_env(ALPACA_KEY=KEY, HYDRA_LIVE="yes-real-money")

    code, out, err = run("check", "--venue", "paper")

    assert (code, out) == (10, "")
    assert [line.split(": ")[2].split(" ")[0] for line in err.splitlines()] == [
        "ALPACA_SECRET",
        "LIVE_DISABLE_NETWORK",
        "ALPACA_PAPER",
    ]
    assert KEY not in err


def test_check_for_paper_with_all_it_needs_is_fit(run: Run) -> None:
    write_env(ALPACA_KEY=KEY, ALPACA_SECRET=SECRET, ALPACA_PAPER="true", LIVE_DISABLE_NETWORK="0")

    code, out, err = run("check", "--venue", "paper")

    assert (code, err) == (0, "")
    assert "venue paper" in out


def test_check_answers_programs_too(run: Run) -> None:
    fit = json.loads(run("check", "--json")[1])
    edit("bots.yaml", "cooloff_minutes: 390", "cooloff_minutes: 0")
    code, out, err = run("check", "--json")

    assert (fit["ok"], fit["venue"], fit["errors"], len(fit["warnings"])) == (
        True,
        "embedded",
        [],
        1,
    )
    assert (code, err) == (10, "")
    assert json.loads(out) == {
        "ok": False,
        "errors": [
            {
                "file": "config/bots.yaml",
                "line": 6,
                "key": "exitbot.cooloff_minutes",
                "message": (
                    "found '0', wanted a whole number from 1 to 10080 (minutes); "
                    "zero never means unlimited"
                ),
            }
        ],
        "warnings": [],
    }


def test_show_has_value_unit_safer_direction_and_what_was_shipped(run: Run) -> None:
    edit("bots.yaml", "cooloff_minutes: 390", "cooloff_minutes: 400")

    code, out, _ = run("show")

    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line}
    assert code == 0
    assert lines["exitbot.cooloff_minutes"] == "400 minutes higher 390"
    assert lines["optionsbot.exits.take_profit_pct"] == (
        "0.4 fraction of the premium, 0.40 is 40 % lower same"
    )
    assert lines["momentum_bots[mom_AAPL].exits.stop_loss_pct"] == (
        "0.5 percent of the entry price lower same"
    )
    assert lines["cryptobot.session.trade_end"] == (
        "23:59 time in America/Los_Angeles narrower same"
    )
    assert lines["safety.resume"] == "preflight operator same"
    assert lines["ALPACA_KEY"] == "not set"
    assert lines["LIVE_DISABLE_NETWORK"] == "1"


def test_show_of_a_bot_that_was_not_shipped_has_nothing_to_compare_with(run: Run) -> None:
    edit("bots.yaml", "bot_id: mom_TSLA", "bot_id: mine")

    rows = json.loads(run("show", "[mine].exits.stop", "--json")[1])["settings"]

    assert rows == [
        {
            "file": "bots.yaml",
            "key": "momentum_bots[mine].exits.stop_loss_pct",
            "value": "0.6",
            "unit": "percent of the entry price",
            "safer": "lower",
            "default": None,
            "is_default": False,
        }
    ]


@pytest.mark.parametrize("options", [[], ["--json"], ["--venue", "paper"], ["ALPACA"]])
def test_show_never_shows_a_key_i83(run: Run, options: list[str]) -> None:
    write_env(ALPACA_KEY=KEY, ALPACA_SECRET=SECRET, HYDRA_KILL_SWITCH=SECRET)

    code, out, err = run("show", *options)

    assert (code, err) == (0, "")
    assert KEY not in out
    assert SECRET not in out
    assert "********" in out


def test_show_refuses_what_others_could_read_i84(run: Run) -> None:
    write_env(ALPACA_KEY=KEY)
    Path(".env").chmod(0o644)

    code, out, err = run("show")

    assert (code, out) == (10, "")
    assert err.startswith(".env: has rights 0644, wanted 0600")


def test_diff_compares_what_was_shipped_with_what_is_there(run: Run) -> None:
    assert run("diff") == (0, "no difference\n", "")
    edit("settings.yaml", "max_orders_per_minute: 10 ", "max_orders_per_minute: 5 ")

    code, out, _ = run("diff")

    assert code == 0
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "KEY OLD NEW EFFECT",
        "risk.max_orders_per_minute 10 5 tighter",
        "all of it is tighter: a running engine may take it",
    ]


def test_diff_of_two_folders_says_which_changes_need_a_restart_i41(
    run: Run, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    load(tmp_path / "a")
    bots = spoilt(BOTS, "bot_id: mom_TSLA", "bot_id: mine")
    load(
        tmp_path / "b",
        engine=spoilt(ENGINE, "max_orders_per_minute: 10", "max_orders_per_minute: 20"),
        bots=spoilt(bots, "cooloff_minutes: 380", "cooloff_minutes: 390"),
    )
    for folder in ("a", "b"):  # parameters that the strategies know
        path = tmp_path / folder / "bots.yaml"
        text = path.read_text().replace("threshold_pct: 0.5", "slow_bars: 30")
        path.write_text(text.replace('{lookback: "10"}', "{}"))

    told = json.loads(run("diff", "a", "b", "--json")[1])
    text = run("diff", "a", "b")[1]

    assert told["changes"] == [
        {"key": "risk.max_orders_per_minute", "old": "10", "new": "20", "effect": "looser"},
        {"key": "exitbot.cooloff_minutes", "old": "380", "new": "390", "effect": "tighter"},
        {
            "key": "momentum_bots[mom_TSLA]",
            "old": "a disabled bot on TSLA",
            "new": None,
            "effect": "other",
        },
        {
            "key": "momentum_bots[mine]",
            "old": None,
            "new": "a disabled bot on TSLA",
            "effect": "other",
        },
    ]
    assert told["reload"]["taken"] is False
    assert len(told["reload"]["reasons"]) == 3
    assert text.splitlines()[-1] == "3 of 4 not tighter: only a restart brings any of it"


def test_diff_with_one_folder_compares_it_with_the_one_in_use(run: Run) -> None:
    shutil.copytree("config", "before")
    edit("bots.yaml", "cash_reserve_pct: 30", "cash_reserve_pct: 20")

    changes = json.loads(run("diff", "before", "--json")[1])["changes"]

    assert changes == [
        {"key": "portfoliobot.cash_reserve_pct", "old": "30", "new": "20", "effect": "looser"}
    ]


def test_diff_refuses_what_it_cannot_read_on_either_side(run: Run) -> None:
    code, out, err = run("diff", "nowhere", "elsewhere")

    assert (code, out) == (10, "")
    assert err.splitlines() == [
        f"{folder}/{name}: no such file; it is needed"
        for folder in ("nowhere", "elsewhere")
        for name in ("settings.yaml", "bots.yaml")
    ]


@pytest.mark.parametrize("verb", ["check", "show", "diff"])
def test_each_verb_explains_itself(run: Run, verb: str) -> None:
    code, out, _ = run(verb, "--help")

    assert code == 0
    for option in ("--config", "--venue", "--json"):
        assert option in out


def test_a_wrong_venue_is_a_wrong_option(run: Run) -> None:
    code, _, err = run("check", "--venue", "moon")

    assert code == 2
    assert "moon" in err


def test_the_command_loads_nothing_heavy_and_colours_nothing_in_a_file(tmp_path: Path) -> None:
    program = (
        "import sys; from hydra.cli import app\n"
        "try: app(['config', 'show', '--config', sys.argv[1]])\n"
        "except SystemExit as ended: code = ended.code\n"
        "heavy = {'pandas', 'numpy', 'exchange_calendars', 'pyarrow', 'alpaca', 'requests'}\n"
        "print(code, sorted(heavy & set(sys.modules)))"
    )

    ended: Any = subprocess.run(
        [sys.executable, "-c", program, str(SHIPPED)],
        env={**os.environ, "PYTHONPATH": str(HOME)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert ended.stdout.splitlines()[-1] == "0 []"
    assert "\x1b" not in ended.stdout
