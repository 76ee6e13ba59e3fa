"""A bundle may fail in any way: the run it belongs to goes on, and ends as it would have ended."""

import io
import shutil
from pathlib import Path

import pytest

from hydra.ops.artefacts.bundle import session_bundle
from hydra.ops.artefacts.folder import LOG, PROVENANCE, STORY, begun_folder, bundles_in
from hydra.ops.artefacts.reading import provenance_in
from hydra.ops.artefacts.transcript import Transcript
from hydra.ops.artefacts.unhurt import Unhurt
from hydra.ops.broker_account import NoAccount
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord
from hydra.store.redaction import Redactor
from hydra.trading.local_time import new_york_date
from messages.orders import OrderRejected
from tests.ops.artefacts.lives import OWNER, RUN, Engine, bundle_in, engine_files, engine_in, traded
from tests.store.orders import AT

SECRET = "a-secret-of-this-test-alone"


class Closed(io.StringIO):
    """Whoever read this has gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError("nobody reads")


def test_a_folder_that_cannot_be_made_is_said_once_and_the_run_goes_on(tmp_path: Path) -> None:
    runs = engine_files(tmp_path).runs
    runs.parent.mkdir(mode=0o700)
    runs.write_text("a file where the folder should be")
    out = io.StringIO()

    with engine_in(tmp_path, out) as engine:
        traded(engine)

    (said,) = out.getvalue().splitlines()
    assert said.startswith("the session goes on, without a bundle of its files: ")


def test_a_bundle_that_is_taken_away_while_it_is_written_is_said_and_costs_nothing(
    tmp_path: Path,
) -> None:
    out = io.StringIO()
    with engine_in(tmp_path, out) as engine:
        traded(engine)
        shutil.rmtree(bundle_in(tmp_path))

    (said,) = out.getvalue().splitlines()
    assert "is not closed" in said


def test_nobody_reading_what_is_said_breaks_nothing(tmp_path: Path) -> None:
    with engine_in(tmp_path, Closed()) as engine:
        traded(engine)
        shutil.rmtree(bundle_in(tmp_path))


def test_a_failure_is_said_once_for_each_thing_that_it_costs() -> None:
    said: list[str] = []
    unhurt = Unhurt(said.append)

    def fail() -> None:
        raise RuntimeError("odd")

    given = [unhurt.do("no page", fail), unhurt.do("no page", fail), unhurt.do("no plot", fail)]

    assert given == [None, None, None]
    assert said == ["no page: RuntimeError: odd", "no plot: RuntimeError: odd"]
    assert unhurt.do("no sum", lambda: 1 + 1) == 2


def test_a_run_that_found_no_account_says_so_and_the_refusal_passes(tmp_path: Path) -> None:
    files = engine_files(tmp_path)
    record = EngineRecord.open(files, OWNER)

    with pytest.raises(NoAccount):
        raised_within(files, record, NoAccount("no such key", ExitCode.PREFLIGHT_FAILED))

    provenance = provenance_in(bundle_in(tmp_path))
    assert provenance.exit_code == ExitCode.PREFLIGHT_FAILED
    assert provenance.how_it_ended == "preflight did not pass"


def raised_within(files: EngineFiles, record: EngineRecord, error: Exception) -> None:
    """A run that ends so."""
    with session_bundle(files, record, RUN, io.StringIO(), with_plots=False):
        record.close()
        raise error


def test_a_crash_passes_and_is_in_the_bundle(tmp_path: Path) -> None:
    files = engine_files(tmp_path)
    record = EngineRecord.open(files, OWNER)

    with pytest.raises(ZeroDivisionError):
        raised_within(files, record, ZeroDivisionError("odd"))

    provenance = provenance_in(bundle_in(tmp_path))
    assert provenance.exit_code is None
    assert provenance.how_it_ended == "crashed: ZeroDivisionError: odd"


def test_what_is_said_is_heard_and_kept_line_by_line(tmp_path: Path) -> None:
    out, path = io.StringIO(), tmp_path / "run.log"
    transcript = Transcript(out, path, Redactor([SECRET]).text)

    print("one", file=transcript, flush=True)
    transcript.write("two and ")
    transcript.write(f"{SECRET}\nthr")

    assert out.getvalue() == f"one\ntwo and {SECRET}\nthr"
    kept = path.read_text()
    assert kept.startswith("one\ntwo and ")
    assert SECRET not in kept
    assert kept.count("\n") == 2


def test_what_nobody_hears_is_kept_and_what_cannot_be_kept_is_heard(tmp_path: Path) -> None:
    path, out = tmp_path / "run.log", io.StringIO()

    unheard = Transcript(Closed(), path, str)
    print("kept", file=unheard, flush=True)
    unkept = Transcript(out, tmp_path / "no such folder" / "run.log", str)
    print("heard", file=unkept, flush=True)

    assert path.read_text() == "kept\n"
    assert out.getvalue() == "heard\n"


def test_no_secret_comes_into_a_bundle_from_the_ledger_either_i83(tmp_path: Path) -> None:
    """The journal is cleaned where it is written; what it lost comes from the ledger."""
    files = engine_files(tmp_path)
    redactor = Redactor([SECRET])
    record = EngineRecord.open(files, OWNER, redactor)
    out = io.StringIO()
    with session_bundle(files, record, RUN, out, redactor, with_plots=False) as bundle:
        engine = Engine(record)
        engine.begin()
        traded(engine)
        engine.tells = False
        (*_, waiting) = record.ledger.open_orders()
        name = waiting.state.order.client_order_id
        report = OrderRejected(client_order_id=name, reason=f"key {SECRET}", at=AT)
        record.ledger.record_report(report, AT)
        print(f"the key is {SECRET}", file=bundle.out)
        engine.stop()

    for path in bundle_in(tmp_path).rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path
    assert b"the key is" in (bundle_in(tmp_path) / LOG).read_bytes()


def test_a_bundle_is_never_put_over_another_and_starts_are_counted(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    day, earlier = new_york_date(AT), new_york_date(AT - 10**15)

    made = [begun_folder(runs, day), begun_folder(runs, earlier), begun_folder(runs, day)]
    (runs / "notes").mkdir()

    assert [folder.name for folder in made] == [
        "2024-01-02-001",
        "2023-12-21-002",
        "2024-01-02-003",
    ]
    assert bundles_in(runs) == made


def test_only_its_user_can_read_a_bundle_i84(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        traded(engine)

    for path in [bundle_in(tmp_path), *bundle_in(tmp_path).rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    assert {PROVENANCE, STORY} <= {path.name for path in bundle_in(tmp_path).iterdir()}
