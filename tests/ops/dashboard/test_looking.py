"""What a look at an engine finds, and that however many look the engine is asked once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.ops.alerts.kept import KeptFiles
from hydra.ops.control.place import Place, place_meant
from hydra.ops.dashboard import looking
from hydra.ops.dashboard.looking import Looker
from hydra.ops.halt import halted
from hydra.ops.health import Look, look_at
from hydra.trading.causes import OPERATOR_HALT
from tests.ops.control.command_line import HOME
from tests.ops.control.engines import ControlledEngine, controlled, files_in
from tests.ops.control.lives import AT, begun, lived
from tests.ops.test_health import make_well
from tests.ops.test_last_decisions import APPROVED, IDLE, lines_of
from tests.waiting import eventually

HALTED = OPERATOR_HALT.cause(since=AT, detail="a drill")


def place_of(folder: Path) -> Place:
    return place_meant(HOME / "config", None, folder / "state", folder / "logs")


@contextmanager
def looker_at(folder: Path) -> Iterator[Looker]:
    looker = Looker(place_of(folder))
    looker.start()
    try:
        yield looker
    finally:
        looker.close()


def seen(looker: Looker) -> dict[str, Any]:
    """The newest look, as the page reads it."""
    shown = looker.newest(10)
    assert shown is not None
    picture: dict[str, Any] = orjson.loads(shown.content)
    return picture


def with_bot(folder: Path) -> Any:
    return controlled(folder, bots=("mom_AAPL",))


def told_worth(engine: ControlledEngine, at: str, equity: str) -> None:
    """As the engine writes it for everybody."""
    path = engine.files.surfaces / "nav.json"
    document = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps({**document, "market_time": at, "equity": equity}))


def test_an_engine_that_runs_is_shown_whole(tmp_path: Path) -> None:
    with with_bot(tmp_path) as engine, looker_at(tmp_path) as looker:
        make_well(engine)
        engine.files.journal.parent.mkdir()
        engine.files.journal.write_bytes(lines_of(APPROVED, IDLE))
        told_worth(engine, "2026-01-05T15:00:00.000Z", "100000")

        picture = seen(looker)

    assert (picture["version"], picture["is_running"], picture["fault"]) == (1, True, None)
    assert picture["told"]["trading_state"] == "ACTIVE"
    assert {each["passed"] for each in picture["findings"]} == {True}
    assert {each["fault"] for each in picture["surfaces"].values()} == {None}
    actors = {each["path"]: each for each in picture["actors"]}
    assert actors["/hydra/core/risk_guardian"]["status"] == "running"
    assert (actors["/hydra/bots/mom_AAPL"]["level"], picture["actors_left_out"]) == (2, 0)
    assert [line.split()[2] for line in picture["decisions"]] == ["approved"]
    assert picture["words"] == {"mom_AAPL": "AAPL: no signal"}
    assert picture["curve"] == [["2026-01-05T15:00:00.000Z", "100000"]]
    assert picture["alerts"] is None
    state, logs = tmp_path / "state", tmp_path / "logs"
    where = f"--config {HOME / 'config'} --state-dir {state} --log-dir {logs}"
    assert picture["to_type"][0]["type"] == f"hydra-trader resume {where} --reason …"


def test_a_halt_is_seen_at_the_next_look(tmp_path: Path) -> None:
    with with_bot(tmp_path) as engine, looker_at(tmp_path) as looker:
        make_well(engine)
        assert seen(looker)["told"]["trading_state"] == "ACTIVE"

        engine.gate.arm((HALTED,), "a test", engine.gate.epoch)
        looker.look_soon()

        assert eventually(lambda: seen(looker)["told"]["trading_state"] == "HALTED")
        assert [each["code"] for each in seen(looker)["told"]["causes"]] == ["operator-halt"]


def test_where_no_engine_runs_what_is_on_record_is_shown_and_said_to_be_that(
    tmp_path: Path,
) -> None:
    lived(tmp_path, HALTED)
    with looker_at(tmp_path) as looker:
        picture = seen(looker)

    assert (picture["is_running"], picture["told"]["state"]) == (False, "stopped")
    assert [each["code"] for each in picture["told"]["causes"]] == ["operator-halt"]
    (finding,) = picture["findings"]
    assert (finding["name"], finding["passed"]) == ("engine", False)
    assert finding["line"].startswith("none runs: ")
    assert picture["actors"] is None
    assert all(each["fault"] for each in picture["surfaces"].values())


def test_where_there_is_no_record_either_that_is_said(tmp_path: Path) -> None:
    with looker_at(tmp_path) as looker:
        picture = seen(looker)

    assert (picture["is_running"], picture["told"]) == (False, None)
    assert "no ledger" in picture["fault"]


def test_an_engine_that_hangs_is_not_taken_for_one_that_is_gone(tmp_path: Path) -> None:
    record = begun(files_in(tmp_path))
    try:
        with looker_at(tmp_path) as looker:
            picture = seen(looker)
    finally:
        record.close()

    assert (picture["is_running"], picture["told"]["state"]) == (False, "not answering")
    assert picture["told"]["trading_state"] is None


def test_what_the_watch_has_told_is_shown(tmp_path: Path) -> None:
    lived(tmp_path)
    files = KeptFiles(place_of(tmp_path).files.alerts)
    files.make_folder()
    files.write_down({"at": "2026-01-05T15:00:00Z", "what": "told", "title": "a drill"})
    with looker_at(tmp_path) as looker:
        assert seen(looker)["alerts"] is None  # nothing is kept yet
        files.save(files.look())
        looker.look_soon()
        assert eventually(lambda: seen(looker)["alerts"] is not None)
        alerts = seen(looker)["alerts"]

    assert alerts["standing"] == []
    assert [row["title"] for row in alerts["told"]] == ["a drill"]


def test_however_many_look_the_engine_is_asked_once_and_by_nobody_that_does_not_i87(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[float]()

    def counted(place: Place, *, at_surfaces: bool = True) -> Look:
        asked.append(0)
        return look_at(place, at_surfaces=at_surfaces)

    monkeypatch.setattr(looking, "look_at", counted)
    monkeypatch.setattr(looking, "LOOK_EVERY_S", 30.0)
    monkeypatch.setattr(looking, "CURVE_EVERY_S", 0.01)
    lived(tmp_path)
    with looker_at(tmp_path) as looker:
        threading.Event().wait(0.1)
        assert asked == []  # nobody is there yet

        askers = [threading.Thread(target=looker.newest, args=(10.0,)) for _ in range(50)]
        for each in askers:
            each.start()
        for each in askers:
            each.join()

        assert len(asked) == 1


def test_what_is_on_record_is_read_anew_once_something_was_done_or_nobody_hangs_any_more(
    tmp_path: Path,
) -> None:
    record = begun(files_in(tmp_path))
    with looker_at(tmp_path) as looker:
        hangs = seen(looker)
        record.end("done", AT)
        record.close()
        assert eventually(lambda: seen(looker)["told"]["state"] == "stopped", 5)
        is_gone = seen(looker)

        halted(place_of(tmp_path), "a drill", close_only=False)
        looker.look_soon()

        assert eventually(lambda: seen(looker)["told"]["causes"] != [], 5)
    assert (hangs["none_runs"], hangs["told"]["state"]) == (False, "not answering")
    assert (is_gone["none_runs"], is_gone["told"]["causes"]) == (True, [])


def test_where_nobody_can_see_whether_one_runs_none_is_said_to_run_neither(tmp_path: Path) -> None:
    files = lived(tmp_path)
    files.lock.unlink()
    files.lock.mkdir()
    with looker_at(tmp_path) as looker:
        picture = seen(looker)

    assert (picture["is_running"], picture["none_runs"], picture["told"]) == (False, False, None)
    assert "nobody can see whether one runs" in picture["findings"][0]["line"]
    assert "Is a directory" in picture["fault"]
