"""The canary on a paper account: a venue that goes by Alpaca's names, over TLS."""

import json
import socket
from pathlib import Path
from typing import Any

import certifi
import pytest
from typer.testing import CliRunner, Result

from hydra.cli import app
from hydra.ops.canary.results import kept
from hydra.ops.exit_codes import ExitCode
from hydra.venues.alpaca import network
from tests.ops import test_run_broker
from tests.ops.sessions import HOME
from tests.ops.test_run_broker import KEY, SECRET, behind_tls

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
certificate = test_run_broker.certificate
ENVIRONMENT = {
    "ALPACA_KEY": KEY,
    "ALPACA_SECRET": SECRET,
    "ALPACA_PAPER": "true",
    "LIVE_DISABLE_NETWORK": "0",  # names lead to this machine, below
}


@pytest.fixture
def run(tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    def ran(account: str, *words: str) -> Result:
        with behind_tls(account, certificate) as port:
            here = [(socket.AF_INET, ("127.0.0.1", port))]
            monkeypatch.setattr(network, "_look_up", lambda _host, _port: here)
            line = ["canary", "--config", str(HOME / "config"), "--venue", "paper"]
            line += ["--state-dir", str(tmp_path / "state"), "--log-dir", str(tmp_path / "logs")]
            return CliRunner().invoke(app, [*line, *words], env=ENVIRONMENT)

    return ran


def test_what_it_finds_on_paper_is_kept_beside_the_state(run: Any, tmp_path: Path) -> None:
    result = run("PA3NOBODYS01", "--json")

    told = json.loads(result.stdout)
    verdicts = {line["check"]: line["verdict"] for line in told["lines"]}
    assert (result.exit_code, told["account"]) == (1, "PA3NOBODYS01")
    assert "drifted" not in verdicts.values()
    passed = ("account", "trading stream", "order coin-gtc", "path: fills", "left behind")
    assert {check: verdicts[check] for check in passed} == dict.fromkeys(passed, "pass")
    assert verdicts["share to probe with"] == "could not tell"  # this venue has none
    (report,) = kept(tmp_path / "state" / "canary")
    assert (report.venue, report.account) == ("paper", "PA3NOBODYS01")
    assert SECRET not in result.output


def test_an_account_of_real_money_is_read_and_let_be(run: Any, tmp_path: Path) -> None:
    result = run("391234567")

    assert (result.exit_code, result.stdout) == (ExitCode.PAPER_LIVE_MISMATCH, "")
    assert "the account is one of live" in result.stderr
    assert not (tmp_path / "state" / "canary").exists()
