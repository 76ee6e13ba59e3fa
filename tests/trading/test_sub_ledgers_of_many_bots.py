"""Eight bots, three symbols, one account: ten thousand fills, each figure to the last digit."""

from collections import defaultdict
from decimal import Decimal
from random import Random

import pytest

from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.inventory import FillBook
from hydra.trading.orders import Fill, Side
from hydra.trading.risk_book import RiskBook
from hydra.trading.sub_ledgers import SubLedger
from tests.trading.risk_orders import decision, proposal

D = Decimal

BOTS = tuple(f"bot-{number}" for number in range(8))
SYMBOLS = ("AAPL", "BTC/USD", "SHIB/USD")


def random_fill(random: Random, number: int, bot: str) -> Fill:
    """Of nine decimals in quantity and ten in price: more digits than a context has by default."""
    return Fill(
        execution_id=f"execution-{number}",
        client_order_id=f"order-of-{bot}",
        symbol=random.choice(SYMBOLS),
        side=random.choice(list(Side)),
        quantity=D(random.randint(1, 10**15)).scaleb(-9),
        price=D(random.randint(1, 10**15)).scaleb(-10),
        at=number,
    )


@pytest.mark.parametrize(
    "seed", [0, *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10)]]
)
def test_the_sub_ledgers_of_eight_bots_are_the_account_s_over_ten_thousand_fills_i23_i31(
    seed: int,
) -> None:
    random = Random(seed)
    books = {(bot, symbol): FillBook(symbol) for bot in BOTS for symbol in SYMBOLS}
    sub_ledgers = {bot: SubLedger(bot=bot) for bot in BOTS}
    risk_book = RiskBook(D("1.5"))
    cash, positions, told = D(0), defaultdict[str, Decimal](Decimal), list[tuple[str, Fill]]()

    for number in range(10_000):
        bot = random.choice(BOTS)
        told.append((bot, random_fill(random, number, bot)))
        # Now and then an execution is told again, at once or much later.
        again = random.choices(told, k=random.choice([0, 0, 0, 0, 2]))
        for is_repeat, (owner, one) in enumerate([told[-1], *again]):
            closed = books[owner, one.symbol].book(one)
            if is_repeat:
                assert closed == ()
                continue
            sub_ledgers[owner] = sub_ledgers[owner].after(one, closed)
            deciding = decision(proposal(one.side, one.quantity, bot=owner, symbol=one.symbol))
            assert risk_book.learned(deciding, one.client_order_id, one) == closed
            value = multiply(one.quantity, one.price)
            cash = subtract(cash, multiply(value, D(one.side.sign)))
            signed = multiply(one.quantity, D(one.side.sign))
            positions[one.symbol] = add(positions[one.symbol], signed)

        if number % 100 == 99:
            assert total(each.cash for each in sub_ledgers.values()) == cash
            for symbol in SYMBOLS:
                held = total(books[bot, symbol].inventory.position for bot in BOTS)
                assert held == positions[symbol]

    assert risk_book.positions == {
        key: book.inventory.position for key, book in books.items() if book.inventory.lots
    }
    for bot in BOTS:
        # What is held is at cost in the one figure and not at all in the other.
        cost = total(books[bot, symbol].inventory.cost_basis for symbol in SYMBOLS)
        assert add(sub_ledgers[bot].cash, cost) == sub_ledgers[bot].realised
        realised = total(books[bot, symbol].realised for symbol in SYMBOLS)
        assert realised == sub_ledgers[bot].realised
