"""The account as the bridge needs it: of one moment, with every activity, whatever it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from time import monotonic
from typing import Any

import pytest

from hydra.trading.account_reading import AccountReading, AccountStatement, Activity, Mark
from hydra.trading.durations import DAY, HOUR
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.statement import ActivityPayload, activity, booked_at, read_statement
from hydra.venues.alpaca.times import nanoseconds, rfc3339
from tests.venues.alpaca.fake_alpaca import Answer, Received, Reply
from tests.venues.alpaca.venue_world import VenueWorld

D = Decimal
NOW = nanoseconds("2026-11-23T20:00:00Z")
ACCOUNT = {
    "account_number": "PA3HYDRA0001",
    "currency": "USD",
    "cash": "61874.33",
    "equity": "62530.89",
    "last_equity": "97950.1183520044",
    "balance_asof": "2026-11-20",
}
HELD = {
    "symbol": "HYDR",
    "asset_class": "us_equity",
    "qty": "12",
    "market_value": "499.32",
    "current_price": "41.61",
    "lastday_price": "41.02",
}
SHORT = {**HELD, "symbol": "NOVA", "qty": "-8", "market_value": "-157.2", "current_price": "19.65"}
COIN = {**HELD, "symbol": "BTCUSD", "asset_class": "crypto", "qty": "0.005", "lastday_price": None}
FILL: dict[str, Any] = {
    "id": "20261123093112551::191fb2e8",
    "activity_type": "FILL",
    "transaction_time": "2026-11-23T14:31:12.551144Z",
    "type": "fill",
    "price": "41.27",
    "qty": "12",
    "side": "sell_short",
    "symbol": "HYDR",
    "order_id": "c2c6",
}


class Broker:
    """Answers as an account with these lists; `changes` are what the account says, in turn."""

    def __init__(self, world: VenueWorld) -> None:
        self._world = world
        self.accounts = [ACCOUNT]
        self.positions: list[list[dict[str, Any]]] = [[HELD]]
        self.listed: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[Received] = []
        world.rules.append(self._answer)

    def read(self, since: int | None = NOW - DAY) -> AccountStatement:
        return read_statement(self._world.venue.calls, since, deadline=monotonic() + 5)

    def _answer(self, received: Received) -> Answer | None:
        self.asked.append(received)
        answers: dict[str, Callable[[], Any]] = {
            "/v2/clock": lambda: {
                "timestamp": rfc3339(NOW), "is_open": True, "next_open": "", "next_close": ""
            },
            "/v2/account": lambda: _next(self.accounts),
            "/v2/positions": lambda: _next(self.positions),
            "/v2/account/activities": lambda: self._page(received),
            "/v2/assets": lambda: [{"id": "b", "symbol": "BTC/USD", "class": "crypto"}],
        }  # fmt: skip
        return Reply(200, answers[received.path]())

    def _page(self, received: Received) -> list[dict[str, Any]]:
        listed = self.listed.get(received.query["category"], [])
        token = received.query.get("page_token")
        start = 0 if token is None else [each["id"] for each in listed].index(token) + 1
        return listed[start : start + 2]


def _next(left: list[Any]) -> Any:
    return left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def broker() -> Iterator[Broker]:
    world = VenueWorld()
    yield Broker(world)
    world.close()


def test_an_account_is_read_with_its_values(broker: Broker) -> None:
    broker.positions = [[HELD, SHORT, COIN]]
    broker.listed = {"trade_activity": [FILL]}

    found = broker.read()

    assert found == AccountStatement(
        reading=AccountReading(
            account="PA3HYDRA0001",
            at=NOW,
            cash=D("61874.33"),
            equity=D("62530.89"),
            marks=(
                Mark(symbol="HYDR", quantity=D(12), value=D("499.32"), price=D("41.61")),
                Mark(symbol="NOVA", quantity=D(-8), value=D("-157.2"), price=D("19.65")),
                Mark(symbol="BTC/USD", quantity=D("0.005"), value=D("499.32"), price=D("41.61")),
            ),
        ),
        activities=(
            Activity(
                id="20261123093112551::191fb2e8",
                kind="FILL",
                at=nanoseconds("2026-11-23T14:31:12.551144Z"),
                cash=D("495.24"),
                symbol="HYDR",
                quantity=D(-12),
                price=D("41.27"),
                order_id="c2c6",
            ),
        ),
        last_equity=D("97950.1183520044"),
        last_session="2026-11-20",
        last_prices={"HYDR": D("41.02"), "NOVA": D("41.02")},
    )


def test_activities_are_read_to_the_last_page_and_from_some_time_before(broker: Broker) -> None:
    others = [
        {"id": f"20261123000000000::{n}", "activity_type": "INT", "net_amount": "0.01"}
        for n in range(5)
    ]
    broker.listed = {"non_trade_activity": others}

    found = broker.read(since=NOW - DAY)

    assert [each.id for each in found.activities] == [each["id"] for each in others]
    assert found.reading.counted == tuple(each["id"] for each in others)
    after = {
        each.query["category"]: each.query["after"]
        for each in broker.asked
        if "category" in each.query
    }
    assert after == {
        "trade_activity": rfc3339(NOW - DAY - HOUR),
        "non_trade_activity": rfc3339(NOW - 5 * DAY),
    }


def test_what_traded_while_it_was_read_has_it_read_again(broker: Broker) -> None:
    broker.accounts = [{**ACCOUNT, "cash": "1"}, ACCOUNT]
    assert broker.read().reading.cash == D("61874.33")

    broker.positions = [[], [HELD]]
    assert len(broker.read().reading.marks) == 1


def test_prices_that_move_leave_cash_and_positions_as_they_were_listed(broker: Broker) -> None:
    broker.accounts = [{**ACCOUNT, "equity": "62530.88"}, ACCOUNT]

    found = broker.read().reading

    assert found.equity is None
    assert found.worth == D("62373.65")


def test_an_account_that_never_stands_still_is_not_read(broker: Broker) -> None:
    broker.accounts = [{**ACCOUNT, "cash": str(n)} for n in range(20)]

    with pytest.raises(ReadFailed, match="changed while it was read, 5 times in a row"):
        broker.read()


@pytest.mark.parametrize(
    ("account", "held", "complaint"),
    [
        ({}, {"market_value": None}, "does not say what HYDR is worth"),
        ({"currency": "EUR"}, {}, "currency is EUR, wanted USD"),
        ({"equity": None}, {}, "Expected"),
        ({"cash": "1E+40"}, {}, "no amount"),
    ],
)
def test_what_cannot_be_reckoned_with_is_no_reading(
    broker: Broker, account: dict[str, Any], held: dict[str, Any], complaint: str
) -> None:
    broker.accounts, broker.positions = [{**ACCOUNT, **account}], [[{**HELD, **held}]]

    with pytest.raises(ReadFailed, match=complaint):
        broker.read()


@pytest.mark.parametrize("figure", ["NaN", "sNaN", "Infinity"])
def test_no_figure_that_is_no_number_is_compared(broker: Broker, figure: str) -> None:
    cases: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
        ({"cash": figure}, {}),
        ({}, {"qty": figure}),
        ({}, {"market_value": figure}),
    )
    for account, held in cases:
        broker.accounts, broker.positions = [{**ACCOUNT, **account}], [[{**HELD, **held}]]
        with pytest.raises(ReadFailed, match="no amount"):
            broker.read()


def test_a_position_that_is_listed_twice_is_no_reading(broker: Broker) -> None:
    broker.positions = [[HELD, {**HELD, "qty": "1"}]]

    with pytest.raises(ReadFailed, match="a position is listed twice"):
        broker.read()


def payload(**fields: Any) -> ActivityPayload:
    given = {"id": "20261124000000000::x", "activity_type": "INT", "net_amount": None, **fields}
    return ActivityPayload(**given)


@pytest.mark.parametrize(
    ("fields", "cash", "quantity"),
    [
        ({"activity_type": "DIV", "net_amount": D("6.12"), "symbol": "HYDR", "qty": D(12)},
         "6.12", "0"),
        ({"activity_type": "CFEE", "net_amount": D(0), "symbol": "BTCUSD", "qty": D("-0.1")},
         "0", "-0.1"),
        ({"activity_type": "OPEXP", "symbol": "HYDR261218C00042500", "qty": D(-2)}, "0", "-2"),
        ({"activity_type": "OPTRD", "net_amount": D(-4250), "symbol": "HYDR", "qty": D(100)},
         "-4250", "100"),
        ({"activity_type": "OPTRD", "net_amount": D(4250), "symbol": "HYDR", "qty": D(100)},
         "4250", "-100"),
        ({"activity_type": "NEVERSEEN", "net_amount": D("-1.5")}, "-1.5", "0"),
        ({"activity_type": "JNLS", "symbol": "HYDR", "qty": D(3)}, "0", "3"),
    ],
)  # fmt: skip
def test_each_kind_changes_what_it_says(fields: Any, cash: str, quantity: str) -> None:
    found = activity(payload(**fields), {"BTCUSD": "BTC/USD"})

    assert (found.kind, found.cash, found.quantity) == (
        fields["activity_type"], D(cash), D(quantity)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "counts"),
    [(None, True), ("executed", True), ("correct", True), ("pending", False), ("canceled", False),
     ("a new word", False)],
)  # fmt: skip
def test_only_what_is_done_counts(status: str | None, counts: bool) -> None:
    assert activity(payload(net_amount=D(1), status=status), {}).has_counted is counts


@pytest.mark.parametrize("missing", ["qty", "price", "side", "symbol"])
def test_an_execution_that_does_not_say_what_was_traded_is_none(missing: str) -> None:
    fields = {**FILL, "qty": D(1), "price": D(1), missing: None}
    fields.pop("type")

    with pytest.raises(BadAnswer, match="does not say what was traded"):
        activity(ActivityPayload(**fields), {})


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"created_at": "2026-11-25T06:01:04.65Z"}, "2026-11-25T06:01:04.65Z"),
        ({"id": "20261124093000123::x"}, "2026-11-24T14:30:00.123Z"),
        ({"id": "20260701093000000::x"}, "2026-07-01T13:30:00Z"),
        ({"id": "odd", "date": "2026-11-24"}, "2026-11-24T05:00:00Z"),
    ],
)
def test_when_it_was_is_told_by_the_most_exact_word(fields: dict[str, str], at: str) -> None:
    assert booked_at(payload(**fields)) == nanoseconds(at)


@pytest.mark.parametrize("fields", [{"id": "odd"}, {"id": "20261399093000000::x"}])
def test_what_is_of_no_time_is_not_read(fields: dict[str, str]) -> None:
    with pytest.raises(BadAnswer):
        booked_at(payload(**fields))
