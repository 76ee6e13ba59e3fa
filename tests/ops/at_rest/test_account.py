"""The way to the account of an engine at rest: what has to be right before anything is opened."""

from pathlib import Path

import pytest

from hydra.ops.at_rest.account import AccountAtRest, account_at_rest
from hydra.ops.at_rest.market import NothingThere
from hydra.ops.broker_account import NoAccount
from hydra.ops.exit_codes import ExitCode
from hydra.settings import VenueName, load_settings
from hydra.store.engine_files import EngineFiles
from tests.engine.scenery import CONFIG
from tests.ops.control.engines import files_in

PAPER = {
    "ALPACA_PAPER": "true",
    "ALPACA_KEY": "PKABCDEFGHIJKLMNOPQR",
    "ALPACA_SECRET": "a-secret-of-this-test-alone",
    "LIVE_DISABLE_NETWORK": "0",
}


def account_of(
    files: EngineFiles, environ: dict[str, str], bars: Path | None = None
) -> AccountAtRest:
    settings = load_settings(CONFIG, venue=VenueName.PAPER)
    return account_at_rest(files, settings, bars, environ, say=pytest.fail)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineFiles:
    """Of an engine that traded; nobody's .env is beside them."""
    monkeypatch.chdir(tmp_path)
    files = files_in(tmp_path)
    files.ledger.parent.mkdir()
    files.ledger.touch()
    return files


def test_a_brokers_account_is_bound_when_the_broker_has_said_whose_it_is_i82(
    files: EngineFiles,
) -> None:
    account = account_of(files, PAPER)

    assert (account.owner.venue, account.owner.account) == ("paper", None)
    assert account.redactor is not None


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, ExitCode.PAPER_LIVE_MISMATCH),
        ({**PAPER, "ALPACA_PAPER": "false"}, ExitCode.PAPER_LIVE_MISMATCH),
        ({"ALPACA_PAPER": "true"}, ExitCode.CONFIGURATION_REFUSED),
    ],
)
def test_paper_and_live_need_their_keys_and_are_not_mixed_up_at_rest_either_i82(
    files: EngineFiles, environ: dict[str, str], code: ExitCode
) -> None:
    with pytest.raises(NoAccount) as refused:
        account_of(files, environ)

    assert refused.value.code == code


def test_the_brokers_market_is_nobodys_file(files: EngineFiles, tmp_path: Path) -> None:
    with pytest.raises(NoAccount, match="found --data with venue paper") as refused:
        account_of(files, PAPER, bars=tmp_path / "AAPL.csv")

    assert refused.value.code == ExitCode.USAGE


def test_where_no_engine_traded_the_broker_is_not_asked(files: EngineFiles) -> None:
    files.ledger.unlink()

    with pytest.raises(NothingThere, match="found none, so no engine has traded here"):
        account_of(files, PAPER)
