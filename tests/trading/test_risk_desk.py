"""What the desk counts of round trips, also where fees leave a little of a coin."""

import pytest
from msgspec import structs

from hydra.ops.bench.wide_terms import wide_terms
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.durations import DAY, HOUR
from hydra.trading.order_life import Canceled, OrderEvent
from hydra.trading.orders import Role, Side
from hydra.trading.risk_desk import RiskDesk
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.working_orders import WorkingOrder
from tests.trading.risk_orders import D, approved, fill, proposal

AT = 1_704_205_800_000_000_000
"""2024-01-02 14:30:00 UTC."""
TOMORROW = AT + DAY
SESSIONS = SessionTable(
    (
        ExchangeSession("2024-01-02", AT, AT + 6 * HOUR, False),
        ExchangeSession("2024-01-03", TOMORROW, TOMORROW + 6 * HOUR, False),
    )
)
COIN = "BTC/USD"


class Stage:
    """A desk of one bot, and one coin that is traded by thousandths, at a price of 100."""

    def __init__(self, round_trips_max: int = 100) -> None:
        terms = wide_terms(("one",), (COIN,), SESSIONS).desk
        limits = structs.replace(terms.limits, round_trips_per_day_max=round_trips_max)
        coins = {COIN: CoinTerms(quantity_step=D("0.001"))}
        self.desk = RiskDesk(structs.replace(terms, limits=limits, coins=coins))
        self.desk.opened_with(D(100_000))
        self.desk.observe(D(100_000), AT)
        self.desk.book.mark(COIN, D(100), AT)
        self.causes: list[str] = []
        self._orders = 0

    def work(self, side: Side, quantity: str) -> WorkingOrder:
        """A buy is an entry, a sale an exit."""
        self._orders += 1
        role = Role.ENTRY if side is Side.BUY else Role.EXIT
        working = approved(f"o-{self._orders}", proposal(side, quantity, symbol=COIN, role=role))
        self.desk.book.reserve(working)
        return working

    def learn(self, working: WorkingOrder, event: OrderEvent, at: int = AT) -> None:
        """This became of it."""
        name = working.order.client_order_id
        self.causes += [each.code for each in self.desk.learn(working.decision, name, event, at)]

    def trade(self, side: Side, quantity: str, *parts: str, at: int = AT) -> WorkingOrder:
        """An order that is executed in these parts; without any, whole."""
        working = self.work(side, quantity)
        for number, part in enumerate(parts or (quantity,)):
            self.learn(working, fill(working.order, part, 100, number), at)
        return working

    @property
    def round_trips(self) -> int:
        """Of the bot, today."""
        view = self.desk.situation(proposal(Side.BUY, "1", symbol=COIN), (), AT).rates
        return view.round_trips_today


def test_round_trips_that_leave_dust_count_until_the_bot_is_stopped_i39() -> None:
    stage = Stage(round_trips_max=3)

    for number in range(3):
        assert (stage.round_trips, stage.causes) == (number, [])
        stage.trade(Side.BUY, "1.0003")
        stage.trade(Side.SELL, "1")

    assert stage.causes == ["throttle:one"]
    assert stage.desk.book.positions == {("one", COIN): D("0.0009")}


@pytest.mark.parametrize("quantity", ["1", "1.0003"])
def test_what_is_sold_in_parts_is_one_round_trip_whatever_is_left_between_i39(
    quantity: str,
) -> None:
    stage = Stage()
    stage.trade(Side.BUY, quantity)

    stage.trade(Side.SELL, "1", "0.5", "0.45", "0.04", "0.01")

    assert stage.round_trips == 1


@pytest.mark.parametrize(("sold", "counts"), [("0.95", 1), ("0.5", 0)])
def test_a_sale_that_ends_early_is_a_round_trip_if_only_dust_is_left_i39(
    sold: str, counts: int
) -> None:
    stage = Stage()
    stage.trade(Side.BUY, "1")
    sale = stage.trade(Side.SELL, "1", sold)
    assert stage.round_trips == 0

    stage.learn(sale, Canceled())

    assert stage.round_trips == counts


def test_an_entry_of_which_only_dust_was_filled_is_no_round_trip_i39() -> None:
    stage = Stage()

    entry = stage.trade(Side.BUY, "1", "0.0004")
    stage.learn(entry, Canceled())

    assert stage.round_trips == 0


def test_what_the_ledger_does_not_count_for_the_day_is_kept_with_the_day_i38_i39() -> None:
    stage = Stage()
    kept = []
    for bought, sold, at in [("1", "1", AT), ("1.0003", "1", AT), ("1", "1.0003", TOMORROW)]:
        stage.trade(Side.BUY, bought, at=at)
        stage.trade(Side.SELL, sold, at=at)
        kept.append((stage.desk.day.session, stage.desk.day.round_trips))

    # Nothing left, which the ledger counts; then dust; then by orders of the day before.
    assert kept == [("2024-01-02", {}), ("2024-01-02", {"one": 1}), ("2024-01-03", {"one": 1})]
