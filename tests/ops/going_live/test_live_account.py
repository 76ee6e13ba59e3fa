"""A run on a live account, as far as a machine without one can have it: real money says so."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import certifi
import pytest

from hydra import __version__
from hydra.ops.exit_codes import ExitCode
from hydra.settings import Settings, VenueName
from hydra.settings.live_profile import as_on_live, with_entries_closed
from hydra.settings.live_section import LiveProfile
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import read_journal
from hydra.store.record import EngineRecord, Owner
from tests.engine.scenery import settings_with
from tests.ops.test_run_broker import LIVE_KEY, Heard, behind_tls, certificate, paper_run
from tests.store.orders import approved

__all__ = ["certificate"]

ACCOUNT = "391234567"


def settings_of(profile: LiveProfile, nowhere: Path) -> Settings:
    """Coins alone are traded, and there is no track record of paper."""
    alone = {"momentum_bots": (), "optionsbot.enabled": False, "broker.venue": VenueName.LIVE}
    live = {"live.profile": profile, "live.paper_ledger": nowhere / "paper.db"}
    return as_on_live(settings_with({**alone, **live}))


def live_run(
    folder: Path, tls: tuple[Path, Path], settings: Settings, until: str
) -> tuple[int, str, dict[str, dict[str, Any]]]:
    """Exit code, what was said, and the journal's lines by their events."""
    out = Heard(lambda text: until in text)
    with behind_tls(ACCOUNT, tls, key=LIVE_KEY) as port:

        def resolve(_host: str, _port: int) -> list[tuple[int, tuple[str, int]]]:
            return [(socket.AF_INET, ("127.0.0.1", port))]

        code = paper_run(folder, resolve, out, settings, VenueName.LIVE, LIVE_KEY)
    lines = read_journal(folder / "logs" / "app.jsonl")
    return code, out.getvalue(), {str(each["event"]): dict(each) for each in lines}


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_micro_trades_real_money_within_its_limits_and_says_so(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))

    settings = settings_of(LiveProfile.MICRO, tmp_path)
    code, said, lines = live_run(tmp_path, certificate, settings, "ACTIVE")

    assert code == ExitCode.CLEAN, said
    assert said.startswith("LIVE: REAL MONEY\n")
    assert "\nlive: micro: at most 4 entries and 2000 USD a day, 1000 USD an order, 0.5" in said
    judged = lines["live_judged"]
    assert (judged["open"], judged["ground"], judged["reason"]) == (True, "micro", None)
    assert lines["session_started"]["configuration"] == settings.digest


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_with_an_order_on_record_what_may_not_trade_is_there_for_exits_alone(
    tmp_path: Path, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(certificate[0]))
    now = time.time_ns()
    owner = Owner(venue="live", account=None, version=__version__, configuration="", at=now)
    files = EngineFiles.under(
        tmp_path / "state", tmp_path / "logs", "trading_state.db", "app.jsonl"
    )
    record = EngineRecord.open(files, owner)
    record.ledger.record_intent(approved(), now)
    record.end("a test", now)
    record.close()

    settings = settings_of(LiveProfile.FULL, tmp_path)
    code, said, lines = live_run(tmp_path, certificate, settings, "bots: ")

    assert code == ExitCode.CLEAN, said
    assert "\nLIVE ENTERS NOTHING: found no track record of paper in " in said
    assert "; 0 positions and 1 order are on record, so it runs and enters nothing\n" in said
    judged = lines["live_judged"]
    assert (judged["open"], judged["ground"]) == (False, None)
    assert lines["session_started"]["configuration"] == with_entries_closed(settings).digest
