"""Differences with the venue, and an operator's decisions about them, over the control socket."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from hydra.actor import SECOND
from hydra.ops.debug.client import CommandFailed, EngineClient
from hydra.trading.differences import Difference, DifferenceKind, advice
from messages.reconciliation import (
    DifferenceSettled,
    ReconcileNow,
    SettleDifference,
    SettlementRefused,
)
from tests.ops.control.command_line import ME
from tests.ops.control.engines import ControlledEngine, controlled

POSITION = Difference(
    kind=DifferenceKind.POSITION, subject="AAPL", found="10", wanted="0", amount=Decimal(10)
)
FOREIGN = Difference(
    kind=DifferenceKind.FOREIGN_ORDER, subject="v-1", found="buy 5 MSFT", wanted="no such order"
)
CASH = Difference(
    kind=DifferenceKind.CASH, subject="cash", found="100", wanted="95", amount=Decimal(5)
)
CONTENT = Difference(
    kind=DifferenceKind.ORDER_CONTENT, subject="hy1-1", found="limit 11", wanted="limit 10"
)
IMPOSSIBLE = Difference(
    kind=DifferenceKind.IMPOSSIBLE_ORDER, subject="hy1-1", found="filled", wanted="rejected"
)
MISSING = Difference(
    kind=DifferenceKind.MISSING_ORDER, subject="hy1-2", found="no such order", wanted="open"
)
ACCOUNT = Difference(
    kind=DifferenceKind.ACCOUNT_BLOCKED, subject="account", found="blocked", wanted="free"
)
ALL = (POSITION, FOREIGN, CASH, CONTENT, IMPOSSIBLE, MISSING, ACCOUNT)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ControlledEngine]:
    with controlled(tmp_path, differences=ALL) as engine:
        engine.told.settlement = DifferenceSettled(subject="x", note="taken")
        yield engine


@pytest.fixture
def client(engine: ControlledEngine) -> Iterator[EngineClient]:
    with EngineClient(engine.files.control_socket, timeout=10) as client:
        yield client


def test_differences_are_compared_anew_and_told_with_their_ways_out_i29(
    engine: ControlledEngine, client: EngineClient
) -> None:
    told = client.call("differences")

    assert engine.told.compared == [ReconcileNow(reason=f"an operator asks ({ME})")]
    assert (told["checked"], told["failure"], told["is_new"], told["total"]) == (
        True,
        "",
        True,
        len(ALL),
    )
    assert told["at"] == "1970-01-01T00:00:00.000Z"
    assert told["rows"][0] == {
        "kind": "position",
        "subject": "AAPL",
        "found": "10",
        "wanted": "0",
        "amount": "10",
        "remedies": ["assign", "exclude"],
        "advice": advice(DifferenceKind.POSITION),
        "line": "position AAPL: found 10, wanted 0 (the venue's less ours: 10)",
    }


def test_that_nothing_was_compared_is_not_told_as_no_difference_i60(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.settling.COMPARED_WITHIN", SECOND // 20)
    with controlled(tmp_path) as engine:
        engine.told.differences = msgspec.structs.replace(
            engine.told.differences, checked=False, failure="the venue does not answer"
        )
        with EngineClient(engine.files.control_socket) as client:
            told = client.call("differences")
            with pytest.raises(CommandFailed) as failed:
                client.call("settle", subject="AAPL", decision="exclude", reason="not ours")

    assert (told["checked"], told["at"]) == (False, None)
    assert told["failure"] == "the venue does not answer"
    assert str(failed.value) == (
        "there is no comparison with the venue to decide about: the venue does not answer"
    )


@pytest.mark.parametrize(
    ("difference", "said", "recorded"),
    [
        (
            POSITION,
            {"decision": "assign", "bot": "mom_AAPL", "price": "187.30"},
            {"bot": "mom_AAPL", "price": Decimal("187.30"), "amount": Decimal(10)},
        ),
        (POSITION, {"decision": "exclude"}, {"amount": Decimal(10)}),
        (FOREIGN, {"decision": "adopt", "bot": "mom_MSFT"}, {"bot": "mom_MSFT"}),
        (FOREIGN, {"decision": "exclude"}, {}),
        (MISSING, {"decision": "adopt"}, {}),
        (CASH, {"decision": "adjust", "amount": "-2.50"}, {"amount": Decimal("-2.50")}),
        (CASH, {"decision": "adjust"}, {"amount": Decimal(5)}),
        (CONTENT, {"decision": "exclude", "kind": "order_content"}, {}),
    ],
)
def test_a_decision_goes_to_the_persister_with_the_difference_as_it_was_found_i29(
    engine: ControlledEngine,
    client: EngineClient,
    difference: Difference,
    said: dict[str, str],
    recorded: dict[str, object],
) -> None:
    told = client.call("settle", subject=difference.subject, reason="seen at the broker", **said)

    assert engine.told.settled == [
        SettleDifference(
            kind=difference.kind,
            subject=difference.subject,
            decision=said["decision"],  # type: ignore[arg-type]  # one of the four words
            reason="seen at the broker",
            operator=ME,
            **recorded,  # type: ignore[arg-type]
        )
    ]
    assert (told["note"], told["decision"]) == ("taken", said["decision"])
    (line,) = engine.lines("control_settle")
    assert (line["by"], line["kind"], line["decision"], line["reason"]) == (
        ME,
        difference.kind.value,
        said["decision"],
        "seen at the broker",
    )
    reason = f"an operator decided about {difference.subject}"
    assert engine.told.compared == [ReconcileNow(reason=reason)]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (
            {"subject": "AAPL", "decision": "exclude", "amount": "NaN"},
            "AAPL: found amount NaN; wanted a number",
        ),
        (
            {"subject": "TSLA", "decision": "exclude"},
            "there is no difference named TSLA; there is AAPL, v-1, cash, hy1-1, hy1-2 or account",
        ),
        (
            {"subject": "cash", "decision": "exclude"},
            f"exclude is no way out for cash; cash: {advice(CASH.kind)}",
        ),
        (
            {"subject": "account", "decision": "exclude"},
            f"exclude is no way out for account; account_blocked: {advice(ACCOUNT.kind)}",
        ),
        (
            {"subject": "hy1-1", "decision": "exclude"},
            "hy1-1 has differences of more kinds: say which, order_content or impossible_order",
        ),
        (
            {"subject": "AAPL", "decision": "exclude", "kind": "cash"},
            "exclude is no way out for AAPL of that kind: it has none",
        ),
        (
            {"subject": "v-1", "decision": "adopt"},
            "v-1: found bot None; wanted the one whose it is to be",
        ),
        (
            {"subject": "AAPL", "decision": "assign", "price": "1"},
            "AAPL: found bot None; wanted the one whose it is to be",
        ),
        (
            {"subject": "AAPL", "decision": "assign", "bot": "mom_AAPL"},
            "AAPL: found price None; wanted what one unit is taken to have cost",
        ),
        (
            {"subject": "AAPL", "decision": "assign", "bot": "mom_AAPL", "price": "-1"},
            "AAPL: found price -1; wanted what one unit is taken to have cost",
        ),
        (
            {"subject": "AAPL", "decision": "assign", "bot": "mom_AAPL", "price": "NaN"},
            "AAPL: found price NaN; wanted what one unit is taken to have cost",
        ),
        (
            {"subject": "cash", "decision": "adjust", "amount": "0"},
            "cash: found amount 0; wanted a number other than zero",
        ),
        (
            {"subject": "cash", "decision": "adjust", "amount": "Infinity"},
            "cash: found amount Infinity; wanted a number other than zero",
        ),
    ],
)
def test_a_decision_that_does_not_fit_is_refused_and_nothing_is_recorded_i61(
    engine: ControlledEngine, client: EngineClient, said: dict[str, str], complaint: str
) -> None:
    with pytest.raises(CommandFailed) as failed:
        client.call("settle", reason="seen at the broker", **said)

    assert str(failed.value) == complaint
    assert (engine.told.settled, engine.lines("control_settle")) == ([], [])


def test_what_the_persister_refuses_is_said_and_compares_nothing(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.told.settlement = SettlementRefused(subject="AAPL", reason="no such bot")

    with pytest.raises(CommandFailed, match=r"^AAPL: no such bot$"):
        client.call("settle", subject="AAPL", decision="exclude", reason="not ours")

    assert engine.told.compared == []


def test_a_decision_without_a_reason_is_none(
    engine: ControlledEngine, client: EngineClient
) -> None:
    with pytest.raises(CommandFailed, match="missing required field `reason`"):
        client.call("settle", subject="AAPL", decision="exclude")
    with pytest.raises(CommandFailed, match="Invalid enum value 'sell'"):
        client.call("settle", subject="AAPL", decision="sell", reason="not ours")

    assert engine.told.settled == []
