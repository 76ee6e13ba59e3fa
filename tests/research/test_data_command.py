"""`hydra-trader data check`, on files as a person has them and on real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from hydra.cli import app
from hydra.ops.exit_codes import ExitCode
from tests.ops.sessions import HOME

REAL = HOME.parent / "shared" / "market-data"
ROW = "{at},100,101,99,100,5\n"
HEAD = "ts_utc,open,high,low,close,volume\n"


def says(*words: str) -> Result:
    line = ["data", "check", *words]
    return CliRunner().invoke(app, line, env={"COLUMNS": "200"}, catch_exceptions=False)


def minutes(folder: Path, *places: int, name: str = "BTCUSD_1m.csv") -> Path:
    path = folder / name
    rows = [ROW.format(at=f"2026-01-05T15:{place:02d}:00Z") for place in places]
    path.write_text(HEAD + "".join(rows))
    return path


def test_a_whole_file_passes(tmp_path: Path) -> None:
    path = minutes(tmp_path, *range(10))

    result = says(str(path))

    assert result.exit_code == ExitCode.CLEAN
    assert result.stdout == (
        f"{path}: BTC/USD, 10 bars of 1m, 2026-01-05 15:00 to 2026-01-05 15:10 UTC\n"
        "  pass  gaps: none\n"
        "  pass  sessions: each bar lies in one\n"
        "  pass  prints: none stands out\n"
        "  pass  splits: none seen\n"
    )


def test_a_share_is_held_against_the_exchange_s_sessions(tmp_path: Path) -> None:
    path = minutes(tmp_path, 0, 1, 3, name="AAPL_1m.csv")

    result = says(str(path))

    assert result.exit_code == 1
    assert "FAIL  gaps: 1 bar missing in 1 gap (25.00 %), the longest 1 from 2026-01-05 15:02" in (
        result.stdout
    )
    assert says(str(path), "--missing-max", "25").exit_code == ExitCode.CLEAN
    assert says(str(path), "--missing-max", "25", "--age-max", "1").exit_code == 1


def test_of_a_folder_each_file_is_looked_at_and_one_that_cannot_be_read_is_named(
    tmp_path: Path,
) -> None:
    minutes(tmp_path, 0, 1)
    minutes(tmp_path, 1, 0, name="ETHUSD_1m.csv")
    (tmp_path / "notes.txt").write_text("nothing to read")

    result = says(str(tmp_path))

    assert result.exit_code == 1
    assert result.stdout.count("pass  gaps") == 1
    assert f"FAIL  read: {tmp_path / 'ETHUSD_1m.csv'}, line 3: found ts_utc" in result.stdout
    assert "notes" not in result.stdout


def test_for_programs_the_answer_is_json_and_the_summary_is_beside_it(tmp_path: Path) -> None:
    path = minutes(tmp_path, 0, 1, 4)

    result = says(str(path), "--json")

    (told,) = orjson.loads(result.stdout)
    assert (told["file"], told["fit"], told["missing"]) == (str(path), False, 2)
    assert told["gaps"] == [{"start_at": 1_767_625_320_000_000_000, "bars": 2}]
    assert [each["check"] for each in told["findings"] if not each["passed"]] == ["gaps"]
    assert result.stderr.startswith(f"{path}: BTC/USD, 3 bars of 1m")


def test_a_folder_without_bars_and_a_file_that_is_not_there_are_said(tmp_path: Path) -> None:
    empty = says(str(tmp_path))
    absent = says(str(tmp_path / "none.csv"))

    assert empty.exit_code == ExitCode.USAGE
    assert empty.stderr.startswith(f"{tmp_path}: found no file of bars in it; wanted .csv, ")
    assert absent.exit_code == 1
    assert "found no such file" in absent.stdout


KNOWN: dict[str, dict[str, Any]] = {
    "crypto_bars/BTCUSD_coinbase_4h_2016-05-18_2022-08-31.csv.gz": {
        "missing": 4, "gaps": 2, "suspects": 1,
    },
    "crypto_bars/ETHUSD_coinbase_4h_2016-05-18_2022-08-31.csv.gz": {"missing": 25, "gaps": 8},
    "crypto_bars/ETHUSD_coinbase_1d_2016-05-18_2022-08-31.csv.gz": {"missing": 2, "gaps": 1},
    "crypto_bars/ETHUSD_binanceus_5m_2023-03-13_2023-03-15.csv.gz": {"missing": 0, "gaps": 0},
    "equity_1m/AAPL_1m_2016-04-15_2016-05-04.csv.gz": {"missing": 0, "gaps": 0, "splits": 0},
    "equity_1m/SPY_1m_2011-01-03_2011-01-31.csv.gz": {"missing": 0, "gaps": 0, "splits": 0},
}  # fmt: skip
"""What the page of the data says of these files."""


@pytest.mark.parametrize("name", KNOWN)
def test_on_real_bars_it_finds_what_is_known_of_them(name: str) -> None:
    path = REAL / name
    if not path.exists():
        pytest.skip(f"needs {path.name} in ../shared/market-data")

    (told,) = orjson.loads(says(str(path), "--json").stdout)

    found = {key: told[key] if key == "missing" else len(told[key]) for key in KNOWN[name]}
    assert found == KNOWN[name]
    if "suspects" in found:
        assert told["suspects"] == [1_522_785_600_000_000_000]  # 2018-04-03 20:00
