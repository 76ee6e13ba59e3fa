"""`hydra-trader canary`: whom it refuses to probe, and what it says and keeps."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs
from typer.testing import CliRunner, Result

from hydra.cli import app
from hydra.ops.broker_account import NoAccount
from hydra.ops.canary.looking import Asked, killed, looked
from hydra.ops.canary.results import keep, kept
from hydra.ops.canary.standing import NAME
from hydra.ops.exit_codes import ExitCode
from hydra.ops.stamp import stamp
from hydra.settings import VenueName
from hydra.settings.secret import Secret
from hydra.settings.secrets import Secrets
from hydra.store.engine_files import EngineFiles
from hydra.store.engine_lock import EngineLock, HeldByAnother
from hydra.venues.alpaca.access import LIVE, PAPER, Access
from hydra.venues.alpaca.canary.lines import Line, Report, Verdict
from hydra.venues.alpaca.canary.whole import require_practice
from hydra.venues.alpaca.network import Network
from tests.ops.control.command_line import asks, says
from tests.ops.control.engines import controlled
from tests.ops.sessions import HOME
from tests.ops.test_health import make_well

KEY, SECRET = Secret("PKNOBODYSKEY0001"), Secret("nobodys-secret")
FIT = Secrets(alpaca_key=KEY, alpaca_secret=SECRET, alpaca_paper=True, network_disabled=False)


def run(*words: str, env: dict[str, str] | None = None) -> Result:
    line = ["canary", "--config", str(HOME / "config"), *words]
    return CliRunner().invoke(app, line, env={"COLUMNS": "200"} | (env or {}))


def asked(folder: Path, secrets: Secrets = FIT) -> Asked:
    files = EngineFiles.under(folder, folder, "ledger.db", "journal.jsonl")
    return Asked(mode=VenueName.PAPER, files=files, secrets=secrets)


def test_real_money_is_never_probed_however_it_is_said(tmp_path: Path) -> None:
    result = run("--venue", "live", "--state-dir", str(tmp_path))

    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert result.stderr == "venue live: it is never probed with real money; say --venue paper\n"
    assert list(tmp_path.iterdir()) == []
    for addresses, mode in ((LIVE, VenueName.PAPER), (PAPER, VenueName.LIVE)):
        access = Access(addresses, KEY, SECRET, Network(loopback_only=True))
        with pytest.raises(ValueError, match="is never probed"):
            require_practice(access, mode)
    require_practice(Access(PAPER, KEY, SECRET, Network(loopback_only=True)), VenueName.PAPER)


def test_an_address_that_is_not_this_machines_is_no_local_one(tmp_path: Path) -> None:
    result = run("--local", "https://api.alpaca.markets", "--state-dir", str(tmp_path))

    assert result.exit_code == ExitCode.USAGE
    assert result.stderr == (
        "found --local https://api.alpaca.markets, wanted http://127.0.0.1:PORT\n"
    )


def test_an_account_that_an_engine_has_is_let_be(tmp_path: Path) -> None:
    lock = EngineLock(tmp_path / "engine.lock")
    try:
        with pytest.raises(HeldByAnother, match="another engine"):
            looked(asked(tmp_path))
    finally:
        lock.release()


@pytest.mark.parametrize(
    ("secrets", "code"),
    [
        (Secrets(), ExitCode.PAPER_LIVE_MISMATCH),
        (Secrets(alpaca_paper=True), ExitCode.CONFIGURATION_REFUSED),
        (
            Secrets(alpaca_key=KEY, alpaca_secret=SECRET, alpaca_paper=False, live_switch=True),
            ExitCode.PAPER_LIVE_MISMATCH,
        ),
    ],
)
def test_keys_that_are_not_of_a_practice_account_are_refused(
    secrets: Secrets, code: ExitCode, tmp_path: Path
) -> None:
    with pytest.raises(NoAccount) as refused:
        looked(asked(tmp_path, secrets))

    assert refused.value.code is code


def test_nothing_is_sent_while_any_source_of_the_kill_switch_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    named = folder / "mine"
    fit = Secrets(alpaca_key=KEY, kill_switch_file=named)
    assert killed(asked(folder, fit)) is None

    for path in (folder / "kill_switch", named):
        path.write_text("close_only")
        path.chmod(0o600)
        assert str(path) in (killed(asked(folder, fit)) or "")
        path.unlink()
    assert "HYDRA_KILL_SWITCH" in (killed(asked(folder, Secrets(kill_switch="x"))) or "")
    assert "kill switch" in (killed(asked(folder / "not there")) or "")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_venue_of_its_own_passes_and_the_result_is_kept(tmp_path: Path) -> None:
    where = ("--venue", "embedded", "--dir", str(tmp_path / "results"))

    page, answer = run(*where), run(*where, "--json")

    assert (page.exit_code, answer.exit_code) == (ExitCode.CLEAN, ExitCode.CLEAN), page.output
    lines = page.stdout.splitlines()
    assert "pass            order share-day: taken, then canceled" in lines
    assert "no drift from what was known on" in lines[-2]
    assert lines[-1].startswith("kept: ")
    told = json.loads(answer.stdout)
    assert (told["clean"], told["remains"]) == (True, [])
    newest, _ = kept(tmp_path / "results")
    assert [line["check"] for line in told["lines"]] == [line.check for line in newest.lines]


DRIFTED = Report(
    at=stamp(datetime.now(UTC)),
    version="1",
    contract="2026-11-23",
    venue="paper",
    account="PA1",
    lines=(Line(check="clock", verdict=Verdict.DRIFTED, line="a word"),),
)


def test_health_and_status_say_what_has_drifted(tmp_path: Path) -> None:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        make_well(engine)
        before = says(tmp_path, "health")
        keep(engine.files.canary, DRIFTED)
        after, told = says(tmp_path, "health"), asks(tmp_path, "status")
        keep(
            engine.files.canary,
            structs.replace(
                DRIFTED, lines=(structs.replace(DRIFTED.lines[0], verdict=Verdict.PASS),)
            ),
        )
        mended = says(tmp_path, "health")

    where = (
        f"--config {HOME / 'config'} --state-dir {tmp_path / 'state'} --log-dir {tmp_path / 'logs'}"
    )
    said = f"drifted: clock; `hydra-trader canary {where} --venue paper` says what it finds"
    assert (before.exit_code, NAME in before.stdout) == (ExitCode.CLEAN, False)
    assert (after.exit_code, f"FAIL  {NAME}: {said}\n" in after.stdout) == (1, True)
    assert f"{NAME}: {said.replace(f' {where}', '')}" in told["notes"]
    assert (mended.exit_code, f"pass  {NAME}: " in mended.stdout) == (ExitCode.CLEAN, True)
