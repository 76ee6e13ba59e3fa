"""The files that tell any program how an engine is: whole, fresh, and nothing made up."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.ops.surfaces.documents import SURFACES, Sight, documents_of
from hydra.ops.surfaces.reading import surfaces_finding
from hydra.ops.surfaces.writer import SurfaceWriter
from messages.summary import FeePaid, OpenLot, SessionSummary, Trade
from tests.ops.alerts.looks import cause, told
from tests.ops.control.engines import FACTS, ControlledEngine, controlled
from tests.ops.test_health import make_well

AT = "2026-11-23T09:00:00Z"
EARLIER = "2026-11-23T08:00:00Z"
NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)


def trade(bot: str, realised: str) -> Trade:
    return Trade(
        bot=bot,
        symbol="SPY",
        side="buy",
        quantity=Decimal(1),
        entry_price=Decimal(100),
        exit_price=Decimal(101),
        opened_at=1,
        closed_at=2,
        entry_reason="",
        exit_reason="",
        realised=Decimal(realised),
    )


SUMMARY = SessionSummary(
    trades=(trade("a", "5.50"), trade("a", "-2"), trade("b", "1")),
    held=(
        OpenLot(
            bot="a",
            symbol="SPY",
            quantity=Decimal("3.00"),
            average_price=Decimal("100.50"),
            last_price=None,
            unrealised=None,
        ),
    ),
    bars=390,
    orders=6,
    denials=(("pace", 2),),
    fees=(FeePaid(bot="b", symbol="SPY", asset="USD", amount=Decimal("0.1"), usd=Decimal("0.1")),),
)


def sight(**more: Any) -> Sight:
    """Of an engine that is well, but for what is given of its `status`."""
    answer = told(
        drawdown={
            "state": "normal",
            "trading_day": "2026-11-23",
            "day_start": "99900",
            "peak": "100400.5",
        },
        at="2026-11-23T14:30:00.000Z",
        account="PA-TEST",
        mode="paper",
        dry_run=False,
        incarnation=1,
        earliest_clearing=None,
        risk_mode="full",
        regimes={"SPY": "high"},
        flatten="none",
        mismatches=[],
        taken_over={},
        dust={},
        execution={"router": "good", "score": "0.97", "symbols": {}, "since": EARLIER},
    )
    return Sight(
        told={**answer, **more},
        exits={"lines": {"a SPY": "a stop at the venue"}, "is_known": True, "waits": {}},
        summary=SUMMARY,
        at=AT,
        started_at=EARLIER,
        process=7,
    )


def body(name: str, seen: Sight) -> dict[str, Any]:
    """What stands in it besides the head that all have."""
    head = {"surface", "schema", "updated_at", "market_time", "venue", "account", "process"}
    document = documents_of(seen)[name]
    return {key: document[key] for key in document if key not in {*head, "age_max_s"}}


def test_each_says_what_it_is_when_it_was_written_and_how_old_it_may_become() -> None:
    documents = documents_of(sight())

    assert documents.keys() == {
        *("nav", "positions", "positions_ledger", "kpis", "risk_snapshot", "router_health"),
        *("diagnostics", "trading_time", "engine_metadata"),
    }
    assert {name: each["surface"] for name, each in documents.items()} == {
        name: name for name in documents
    }
    assert {(each["schema"], each["updated_at"], each["venue"]) for each in documents.values()} == {
        (1, AT, "paper")
    }
    limits = {name: each["age_max_s"] for name, each in documents.items()}
    assert limits.pop("engine_metadata") == "per run"
    assert set(limits.values()) == {120.0}


def test_nav_has_the_accounts_worth_and_what_was_made_and_lost_of_it() -> None:
    assert body("nav", sight()) == {
        "trading_day": "2026-11-23",
        "equity": "100000.5",
        "day_start": "99900",
        "peak": "100400.5",
        "day_pnl": "100.5",
        "day_pnl_pct": "0.1006",
        "drawdown": "400",
        "drawdown_pct": "0.3984",
        "drawdown_state": "normal",
    }


def test_what_is_not_known_is_null() -> None:
    unknown = dict.fromkeys(("state", "trading_day", "day_start", "peak"))

    assert set(body("nav", sight(equity=None, drawdown=unknown)).values()) == {None}
    blind = {"id": "a", "status": "running", "positions": None, "budget": None}
    assert body("positions", sight(bots=[blind])) == {
        "known": False,
        "positions": [],
        "dust": {},
    }


def test_positions_say_who_holds_what_and_what_protects_it() -> None:
    bots = [{"id": "a", "status": "running", "positions": {"SPY": "3"}, "budget": "10"}]
    taken = {"a SPY": "its bot does not run"}

    assert body("positions", sight(bots=bots, taken_over=taken))["positions"] == [
        {
            "bot": "a",
            "symbol": "SPY",
            "quantity": "3",
            "protected_by": "a stop at the venue",
            "taken_over": "its bot does not run",
        }
    ]


def test_the_ledger_and_the_figures_come_from_what_was_traded() -> None:
    assert body("positions_ledger", sight())["lots"] == [
        {
            "bot": "a",
            "symbol": "SPY",
            "quantity": "3",
            "average_price": "100.5",
            "last_price": None,
            "unrealised": None,
        }
    ]
    assert body("kpis", sight()) == {
        "known": True,
        "orders": 6,
        "bars": 390,
        "denials": {"pace": 2},
        "total": {"trades": 3, "won": 2, "realised": "4.5", "fees": "0.1", "net": "4.4"},
        "bots": {
            "a": {"trades": 2, "won": 1, "realised": "3.5", "fees": "0", "net": "3.5"},
            "b": {"trades": 1, "won": 1, "realised": "1", "fees": "0.1", "net": "0.9"},
        },
    }


def test_without_a_reporter_nothing_is_known_of_trades() -> None:
    nobody = Sight(told=sight().told, exits={}, summary=None, at=AT, started_at=EARLIER, process=7)

    assert body("kpis", nobody) == {"known": False}
    assert body("positions_ledger", nobody) == {"known": False, "lots": []}


def test_the_risk_snapshot_names_each_anomaly_that_stands_or_only_alarms() -> None:
    seen = sight(
        trading_state="HALTED",
        causes=[cause("nav_jump"), cause("throttle:mom", bot="mom")],
        alarms={"drawdown_flapping": "three times in an hour"},
    )
    found = body("risk_snapshot", seen)

    assert found["anomalies"] == {
        "nav_jump": True,
        "dd_flap": True,
        "router_degraded": False,
        "router_idle": False,
        "monitor_missing": False,
        "coverage_drop": False,
        "equity_missing": False,
        "repeated_execution": True,
    }
    assert (found["trading_state"], found["risk_mode"]) == ("HALTED", "full")


def test_no_execution_monitor_is_no_score() -> None:
    assert body("router_health", sight(execution=None)) == {
        "global": {"status": None, "score": None},
        "since": None,
        "symbols": None,
    }


@contextmanager
def writing(tmp_path: Path, at: str = AT) -> Iterator[tuple[ControlledEngine, SurfaceWriter]]:
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
        make_well(engine)
        writer = SurfaceWriter(engine.runtime, FACTS, engine.files.surfaces, now=lambda: at)
        yield engine, writer


def test_they_lie_beside_the_ledger_whole_and_for_their_owner_alone(tmp_path: Path) -> None:
    with writing(tmp_path) as (engine, writer):
        writer.write_once()
        writer.write_once()
        folder = engine.files.surfaces

    paths = sorted(folder.iterdir())
    assert [path.name for path in paths] == sorted(f"{name}.json" for name in SURFACES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert orjson.loads((folder / "diagnostics.json").read_bytes())["loops"] == 7


def test_what_is_of_the_run_is_written_once_in_it(tmp_path: Path) -> None:
    with writing(tmp_path) as (engine, writer):
        writer.write_once()
        path = engine.files.surfaces / "engine_metadata.json"
        path.unlink()
        writer.write_once()
        assert not path.exists()
        SurfaceWriter(engine.runtime, FACTS, engine.files.surfaces).write_once()
        assert path.exists()


def test_that_they_cannot_be_written_is_in_the_journal_once_and_again_after_it_went_well(
    tmp_path: Path,
) -> None:
    with writing(tmp_path) as (engine, writer):
        folder = engine.files.surfaces
        for _ in range(2):
            shutil.rmtree(folder)
            folder.write_text("in the way")
            writer.write_once()
            writer.write_once()
            folder.unlink()
            writer.write_once()
        lines = engine.lines("surfaces_failed")

    assert [line["detail"] for line in lines] == [f"{folder}: {folder} is not a folder"] * 2


def test_a_folder_that_others_may_write_to_is_not_written_to_i84(tmp_path: Path) -> None:
    with writing(tmp_path) as (engine, writer):
        folder = engine.files.surfaces
        writer.write_once()
        folder.chmod(0o777)
        before = (folder / "nav.json").stat().st_mtime_ns
        writer.write_once()
        (line,) = engine.lines("surfaces_failed")

    assert (folder / "nav.json").stat().st_mtime_ns == before
    assert str(line["detail"]).endswith(f"chmod 700 {folder}")


def test_the_thread_writes_until_it_is_stopped(tmp_path: Path) -> None:
    with writing(tmp_path) as (engine, writer):
        writer.start()
        assert writer.stop(10)
        assert surfaces_finding(engine.files.surfaces, lambda: NOW).passed


@pytest.mark.parametrize(
    ("age", "passed"),
    [
        (timedelta(), True),
        (timedelta(seconds=120), True),
        (timedelta(seconds=121), False),
        (timedelta(seconds=-60), True),
        (timedelta(days=-1), False),
    ],
)
def test_they_are_fresh_for_two_minutes(tmp_path: Path, age: timedelta, passed: bool) -> None:
    with writing(tmp_path) as (engine, writer):
        writer.write_once()
        finding = surfaces_finding(engine.files.surfaces, lambda: NOW + age)

    assert finding.passed is passed
    if not passed:
        seconds = age.total_seconds()
        expected = f"nav.json is {seconds:.0f} s old, at most 120 s, and 7 more"
        assert finding.line.endswith(expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "kpis.json is not there"),
        (b"", "kpis.json cannot be read (JSONDecodeError)"),
        (b"[]", "kpis.json cannot be read (TypeError)"),
        (b"{}", "kpis.json cannot be read (KeyError)"),
        (b'{"updated_at": "soon", "age_max_s": 1}', "kpis.json cannot be read (ValueError)"),
        (
            b'{"updated_at": "2026-01-05T15:00:00Z", "age_max_s": null}',
            "kpis.json cannot be read (TypeError)",
        ),
    ],
)
def test_one_that_is_missing_or_damaged_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    with writing(tmp_path) as (engine, writer):
        writer.write_once()
        path = engine.files.surfaces / "kpis.json"
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        finding = surfaces_finding(engine.files.surfaces, lambda: NOW)

    assert (finding.passed, finding.line) == (False, f"{path.parent}/{said}")
