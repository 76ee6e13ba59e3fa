from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.exact import add, multiply, total
from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import Fill, Role, Side
from hydra.trading.sub_ledgers import SessionCounters, SubLedger

BOTS = ("one", "two", "three")


def fill(side: Side, quantity: str, price: str, number: int = 1) -> Fill:
    return Fill(
        execution_id=f"execution-{number}",
        client_order_id=f"order-{number}",
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=number,
    )


def test_a_round_trip_leaves_its_profit_in_cash() -> None:
    bought, sold = fill(Side.BUY, "10", "100.25", 1), fill(Side.SELL, "10", "101.50", 2)
    inventory, opened = FifoInventory("AAPL").apply(bought)
    _, closed = inventory.apply(sold)

    holding = SubLedger(bot="one").after(bought, opened)
    done = holding.after(sold, closed)

    assert holding == SubLedger(bot="one", cash=Decimal("-1002.50"))
    assert done == SubLedger(bot="one", cash=Decimal("12.50"), realised=Decimal("12.50"))


@given(
    trades=st.lists(
        st.tuples(
            st.sampled_from(BOTS),
            st.sampled_from(Side),
            st.decimals("0.000000001", "1000", places=9),
            st.decimals("0.0001", "10000", places=4),
        ),
        max_size=40,
    )
)
def test_the_money_of_all_bots_is_the_account_s_to_the_last_digit(
    trades: list[tuple[str, Side, Decimal, Decimal]],
) -> None:
    inventories = {bot: FifoInventory("AAPL") for bot in BOTS}
    sub_ledgers = {bot: SubLedger(bot=bot) for bot in BOTS}
    account = Decimal(0)

    for number, (bot, side, quantity, price) in enumerate(trades):
        one = fill(side, str(quantity), str(price), number)
        inventories[bot], closed = inventories[bot].apply(one)
        sub_ledgers[bot] = sub_ledgers[bot].after(one, closed)
        account = add(account, multiply(Decimal(-side.sign), multiply(quantity, price)))

    assert total(each.cash for each in sub_ledgers.values()) == account
    for bot in BOTS:
        # What is held is at cost in the one figure and not at all in the other.
        in_cash = add(sub_ledgers[bot].cash, inventories[bot].cost_basis)
        assert in_cash == sub_ledgers[bot].realised


def test_over_ten_thousand_fills_the_money_of_all_bots_is_the_account_s_to_the_last_digit() -> None:
    random = Random(20240102)
    bots = [f"bot-{number}" for number in range(8)]
    inventories = {bot: FifoInventory("AAPL") for bot in bots}
    sub_ledgers = {bot: SubLedger(bot=bot) for bot in bots}
    cash = position = Decimal(0)

    for number in range(10_000):
        bot = random.choice(bots)
        # Against what it holds more often than not, so that lots do not pile up.
        is_reducing = bool(inventories[bot].lots) and random.random() < 0.7
        side = inventories[bot].lots[0].side.opposite if is_reducing else random.choice(list(Side))
        quantity = Decimal(random.randint(1, 10**12)).scaleb(-9)
        price = Decimal(random.randint(1, 10**8)).scaleb(-4)
        one = fill(side, str(quantity), str(price), number)
        inventories[bot], closed = inventories[bot].apply(one)
        sub_ledgers[bot] = sub_ledgers[bot].after(one, closed)
        cash = add(cash, multiply(Decimal(-side.sign), multiply(quantity, price)))
        position = add(position, multiply(Decimal(side.sign), quantity))

    assert total(each.cash for each in sub_ledgers.values()) == cash
    assert total(each.position for each in inventories.values()) == position


def test_what_comes_without_a_trade_is_cash_and_no_profit() -> None:
    sub_ledger = SubLedger(bot="one", cash=Decimal("-10.50"), realised=Decimal(3))

    adjusted = sub_ledger.adjusted(Decimal("0.000000000000000000000000000001"))

    assert adjusted == SubLedger(
        bot="one", cash=Decimal("-10.499999999999999999999999999999"), realised=Decimal(3)
    )


def test_counters_tell_entries_from_exits_and_count_round_trips() -> None:
    counters = SessionCounters(bot="one", session="2024-01-02")

    for role in (Role.ENTRY, Role.ENTRY, Role.EXIT, Role.FLATTEN):
        counters = counters.attempted(role)
    counters = counters.rejected().filled((), is_flat=False).filled((), is_flat=True)

    assert counters == SessionCounters(
        bot="one",
        session="2024-01-02",
        entries=2,
        exits=2,
        rejections=1,
        fills=2,
        round_trips=1,
    )
