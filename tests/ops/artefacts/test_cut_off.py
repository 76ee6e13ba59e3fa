"""A bundle that was cut off at any byte is read as far as it goes."""

import shutil
from pathlib import Path

import orjson
import pytest

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import provenance as origins
from hydra.ops.artefacts.closing import close_bundle
from hydra.ops.artefacts.reading import NoBundle, normalised, report_in
from hydra.ops.artefacts.rows import COLUMNS, ORDERS, rows_in
from hydra.ops.artefacts.story import lines_in
from tests.ops.artefacts.lives import bundle_in, engine_files, engine_in, killed_in, traded

EVIL = '"odd", =cmd\r\n"" and\r\nmore'


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("session")
    with engine_in(folder) as engine:
        engine.denied("slow", "quote_is_fresh", EVIL)
        traded(engine)
    return folder


@pytest.mark.parametrize("file", COLUMNS)
def test_a_table_that_was_cut_off_has_the_rows_that_are_whole(
    session: Path, tmp_path: Path, file: str
) -> None:
    content = (bundle_in(session) / file).read_bytes()
    whole = rows_in(bundle_in(session) / file)
    cut = tmp_path / file
    seen = []
    for length in range(len(content) + 1):
        cut.write_bytes(content[:length])
        rows = rows_in(cut)
        assert rows == whole[: len(rows)]
        seen.append(len(rows))

    assert seen == sorted(seen)
    assert seen[-1] == len(whole) > 0


def test_text_comes_back_as_it_was_said(session: Path) -> None:
    (first, *_) = rows_in(bundle_in(session) / ORDERS)

    assert first["status_reason"] == f"quote_is_fresh: {EVIL}"


def test_a_story_that_was_cut_off_is_told_as_far_as_it_goes(session: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(bundle_in(session), tmp_path / "bundle"))
    _as_if_killed(bundle)
    content = (bundle / files.STORY).read_bytes()
    everything = lines_in(bundle / files.STORY)
    orders = 0
    for length in range(0, len(content) + 1, 13):
        (bundle / files.STORY).write_bytes(content[:length])
        report = report_in(bundle)
        told = sum(report.orders.values())
        assert lines_in(bundle / files.STORY) == everything[: content[:length].count(b"\n")]
        assert told >= orders
        orders = told

    assert orders == 8  # five of them orders, and three denials
    assert sum(normalised(bundle)["state.json"]["orders"].values()) == orders


@pytest.mark.parametrize("part", [0.0, 0.3, 0.61, 0.99])
def test_closing_makes_a_bundle_whole_that_was_cut_off_anywhere(
    tmp_path: Path, part: float
) -> None:
    left = killed_in(tmp_path / "left")
    close_bundle(left, engine_files(tmp_path / "left"), None, with_plots=False)
    whole = {file: (left / file).read_bytes() for file in (*COLUMNS, files.STORY)}
    _as_if_killed(left)
    for file, content in whole.items():
        at_least = content.index(b"\n") + 1 if file == files.STORY else 0
        (left / file).write_bytes(content[: max(at_least, int(len(content) * part))])

    close_bundle(left, engine_files(tmp_path / "left"), None, with_plots=False)

    assert {file: (left / file).read_bytes() for file in whole} == whole


def test_a_story_without_its_first_line_says_only_what_it_knows(tmp_path: Path) -> None:
    left = killed_in(tmp_path)
    (left / files.STORY).write_bytes(b"")

    report = close_bundle(left, engine_files(tmp_path), None, with_plots=False)

    assert report.orders == {}
    assert report.ledger.agrees is None


def test_what_is_no_bundle_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoBundle, match=r"found no provenance\.json, so this is no session's"):
        report_in(tmp_path)
    (tmp_path / files.PROVENANCE).write_bytes(b"{")
    with pytest.raises(NoBundle, match="cannot be read"):
        report_in(tmp_path)


def _as_if_killed(bundle: Path) -> None:
    """Nobody has closed it, and what only the end writes is not there."""
    content = orjson.loads((bundle / files.PROVENANCE).read_bytes())
    content |= {"ended_at": None, "ended_wall_at": None, "exit_code": None, "how_it_ended": None}
    (bundle / files.PROVENANCE).write_bytes(orjson.dumps(content))
    assert not origins.decoded(orjson.dumps(content)).is_closed
    (bundle / files.STATE).unlink()
    (bundle / files.PAGE).unlink()
