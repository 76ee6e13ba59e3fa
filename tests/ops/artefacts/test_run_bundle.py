"""The bundle of a real session in virtual time, and the command that shows it."""

import io
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from hydra import __version__
from hydra.cli import app
from hydra.ops.artefacts import folder as files_of
from hydra.ops.artefacts.bundle import facts_of, session_bundle
from hydra.ops.artefacts.plotting import plots_made
from hydra.ops.artefacts.reading import differences, newest_in, provenance_in, report_in
from hydra.ops.artefacts.rows import ACCOUNT, COLUMNS, ORDERS, TRADES, rows_in
from hydra.ops.embedded import LEAD, market_goes_on
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.places import files_of_venue
from hydra.ops.run import play_in_virtual_time
from hydra.ops.session import RunOptions
from hydra.settings import VenueName, load_settings
from hydra.settings.engine_sections import BrokerSettings
from hydra.store.engine_files import EngineFiles
from hydra.store.exporting import exported
from hydra.store.record import EngineRecord, Owner
from hydra.trading.exact import total
from hydra.venues.simulated.market_data import generated
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from tests.ops.artefacts.lives import engine_files, killed_in
from tests.ops.sessions import HOME

FILES = {*COLUMNS, "state.json", "state.jsonl", "session.md", "provenance.json", "logs"}

Shown = Callable[..., tuple[int, str, str]]


def played(folder: Path, seed: int = 0) -> tuple[Path, EngineFiles, str]:
    """A generated session, as `run` plays it: its bundle, its files, and what was said."""
    settings = load_settings(HOME / "config", venue=VenueName.EMBEDDED)
    files = files_of_venue(settings, folder / "state", folder / "logs")
    data, out = generated(("AAPL",), seed, files.cache), io.StringIO()
    options = RunOptions(seed=seed, speed=None, dry_run=False)
    owner = Owner(
        venue="embedded",
        account=EMBEDDED_ACCOUNT,
        version=__version__,
        configuration=settings.digest,
        at=data.begins_at - LEAD,
    )
    goes_on = market_goes_on(files, data, seed=seed, is_virtual=True)
    record = EngineRecord.open(files, owner, goes_on=goes_on)
    run = facts_of(settings, options, account=EMBEDDED_ACCOUNT, at=owner.at, data=data)
    with session_bundle(files, record, run, out, with_plots=False) as bundle:
        code = play_in_virtual_time(
            settings, data, files, options, record, bundle.out, LastResort()
        )
        assert bundle.ended(code) is ExitCode.CLEAN
    return newest_in(files.runs), files, out.getvalue()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EngineFiles, str]:
    return played(tmp_path_factory.mktemp("session"))


@pytest.mark.parametrize(
    ("venue", "runs"),
    [
        (VenueName.PAPER, "runs"),
        (VenueName.EMBEDDED, "runs/embedded"),
        (VenueName.LIVE, "runs/live"),
    ],
)
def test_each_venue_has_bundles_of_its_own(venue: VenueName, runs: str) -> None:
    settings = load_settings(HOME / "config")
    settings = settings.model_copy(update={"broker": BrokerSettings(venue=venue)})

    assert files_of_venue(settings, None, None).runs == Path(runs)
    assert files_of_venue(settings, Path("mine"), None).runs == Path("mine/runs")


@pytest.fixture
def shown(session: tuple[Path, EngineFiles, str], tmp_path: Path) -> Shown:
    """`hydra-trader report` on a copy of the session's folder: exit code, output, errors."""
    state = Path(shutil.copytree(session[1].ledger.parent, tmp_path / "copy"))

    def report(*words: str, state_dir: Path = state) -> tuple[int, str, str]:
        where = ["--config", str(HOME / "config"), "--state-dir", str(state_dir)]
        result = CliRunner().invoke(app, ["report", *where, *words], catch_exceptions=False)
        return result.exit_code, result.stdout, result.stderr

    return report


def test_a_session_leaves_the_whole_bundle(session: tuple[Path, EngineFiles, str]) -> None:
    bundle, files, _ = session

    assert bundle == files.runs / "2026-01-05-001"
    assert {path.name for path in bundle.iterdir()} == FILES
    named = provenance_in(bundle).files
    assert set(named) == {*COLUMNS, "state.json", "state.jsonl", "session.md", "logs/run.log"}


def test_its_tables_are_what_the_ledger_has(session: tuple[Path, EngineFiles, str]) -> None:
    bundle, files, _ = session
    tables = {table.name: table for table in exported(files).tables}
    by_ledger = {
        row[tables["orders"].columns.index("client_order_id")]: (
            row[tables["orders"].columns.index("status")],
            str(row[tables["orders"].columns.index("filled_quantity")]),
        )
        for row in tables["orders"].rows
    }
    realised = total(Decimal(str(row[2])) for row in tables["bots"].rows)
    cash = total(Decimal(str(row[1])) for row in tables["bots"].rows)

    report = report_in(bundle)
    orders = {
        row["client_order_id"]: (row["status"], row["filled_quantity"])
        for row in rows_in(bundle / ORDERS)
        if row["status"] != "denied"  # of those there is no order
    }

    assert report.ledger.agrees is True
    assert orders == by_ledger
    assert report.result == realised
    assert total(Decimal(row["realised"]) for row in rows_in(bundle / TRADES)) == realised
    assert Decimal(rows_in(bundle / ACCOUNT)[-1]["equity"]) == 100_000 + cash
    assert report.not_understood == 0


def test_its_provenance_says_what_ran(session: tuple[Path, EngineFiles, str]) -> None:
    provenance = provenance_in(session[0])

    assert provenance.run.account == EMBEDDED_ACCOUNT
    assert (provenance.run.seed, provenance.run.clock) == (0, "virtual")
    assert provenance.run.data is not None
    assert (provenance.exit_code, provenance.how_it_ended) == (0, "in order")


def test_its_log_is_what_was_said(session: tuple[Path, EngineFiles, str]) -> None:
    bundle, _, said = session

    log = (bundle / files_of.LOG).read_text()
    assert said == f"{log}report: {bundle / files_of.PAGE}\n"
    assert "EMBEDDED VENUE: not real money" in said


def test_its_state_is_the_report(session: tuple[Path, EngineFiles, str], shown: Shown) -> None:
    code, out, _ = shown("--json")

    assert code == 0
    assert orjson.loads(out) == orjson.loads((session[0] / files_of.STATE).read_bytes())


def test_the_same_session_gives_the_same_bytes_elsewhere(
    session: tuple[Path, EngineFiles, str], tmp_path: Path
) -> None:
    again, _, _ = played(tmp_path)
    of_this_run = {files_of.PROVENANCE, "run.log"}

    def content(bundle: Path) -> dict[str, bytes]:
        found = (path for path in sorted(bundle.rglob("*")) if path.is_file())
        return {path.name: path.read_bytes() for path in found if path.name not in of_this_run}

    assert content(again) == content(session[0])
    assert differences(again, session[0]) == []


def test_another_market_is_told_apart(
    session: tuple[Path, EngineFiles, str], tmp_path: Path, shown: Shown
) -> None:
    other, _, _ = played(tmp_path, seed=7)

    code, out, _ = shown(str(session[0]), "--compare", str(other))

    assert code == 1
    assert "run.seed: 0 here, 7 there" in out.splitlines()


def test_the_command_shows_the_newest_page(
    session: tuple[Path, EngineFiles, str], shown: Shown
) -> None:
    page = (session[0] / files_of.PAGE).read_text()
    code, out, _ = shown()

    assert code == 0
    assert out.startswith(page)


def test_the_command_has_plots_drawn_where_there_are_none(
    session: tuple[Path, EngineFiles, str], tmp_path: Path, shown: Shown
) -> None:
    bundle = Path(shutil.copytree(session[0], tmp_path / "bundle"))

    _, out, _ = shown(str(bundle))

    assert f"Plots: {bundle / 'equity.svg'}, {bundle / 'pnl_by_bot.svg'}" in out
    assert "![equity](equity.svg)" in (bundle / files_of.PAGE).read_text()
    assert set(files_of.PLOTS) <= set(provenance_in(bundle).files)


def test_two_bundles_that_tell_the_same_are_said_to(
    session: tuple[Path, EngineFiles, str], shown: Shown
) -> None:
    assert shown("--compare", str(session[0])) == (0, "both tell the same\n", "")


def test_without_a_bundle_the_command_says_what_it_wanted(shown: Shown, tmp_path: Path) -> None:
    code, out, errors = shown(state_dir=tmp_path)

    assert (code, out) == (ExitCode.USAGE, "")
    assert errors.startswith(f"{tmp_path / 'runs'}: found no session's bundle, wanted one such as")


def test_for_an_analyst_it_is_one_text_without_the_account_i83(shown: Shown) -> None:
    code, out, errors = shown("--analyst")

    assert (code, errors) == (ExitCode.CLEAN, "")
    assert out.startswith("You are asked to look at one session of Hydra")
    assert "# Session 2026-01-05-001" in out
    assert "decided_at | bot | symbol" in out
    assert EMBEDDED_ACCOUNT not in out


@pytest.mark.parametrize("more", [("--json",), ("--compare", ".")])
def test_for_an_analyst_nothing_else_can_be_asked_for(shown: Shown, more: tuple[str, ...]) -> None:
    code, out, errors = shown("--analyst", *more)

    assert (code, out) == (ExitCode.USAGE, "")
    assert errors.startswith("--analyst: found --json or --compare beside it")


def test_the_command_closes_what_a_killed_session_left(tmp_path: Path) -> None:
    left = killed_in(tmp_path)
    files = engine_files(tmp_path)
    shutil.move(files.ledger, files.ledger.with_name("trading_state.db"))
    where = ["--config", str(HOME / "config"), "--state-dir", str(tmp_path / "state")]
    where += ["--log-dir", str(tmp_path / "logs")]

    result = CliRunner().invoke(app, ["report", *where], catch_exceptions=False)

    assert result.exit_code == 0
    assert "killed or crashed" in result.stdout
    assert provenance_in(left).is_closed
    assert "Each bot's result and position is the ledger's" in result.stdout


def test_plots_are_drawn_and_are_the_same_each_time(
    session: tuple[Path, EngineFiles, str], tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(session[0], tmp_path / "bundle"))

    assert plots_made(bundle, within_s=50) == files_of.PLOTS
    first = {name: (bundle / name).read_bytes() for name in files_of.PLOTS}
    assert plots_made(bundle, within_s=50) == files_of.PLOTS

    assert {name: (bundle / name).read_bytes() for name in files_of.PLOTS} == first
    assert b"<svg" in first["equity.svg"]
    assert b"mom_AAPL" in first["pnl_by_bot.svg"]


def test_what_takes_too_long_to_draw_is_not_drawn(
    session: tuple[Path, EngineFiles, str], tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(session[0], tmp_path / "bundle"))

    assert plots_made(bundle, within_s=0.01) == ()
    assert {path.name for path in bundle.iterdir()} == FILES
