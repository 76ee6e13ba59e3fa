"""What the judge reads out of the ledger's events as cash and positions."""

from decimal import Decimal

from hydra.store.events import AccountOpened, LedgerEvent
from hydra.testkit.judge.evidence import Life, Recorded
from hydra.trading.orders import Fill, Side
from messages.orders import OrderFilled

CALL = "SPY240719C00552000"


def bought(symbol: str, quantity: int, price: str) -> OrderFilled:
    return OrderFilled(
        fill=Fill(
            execution_id=symbol,
            client_order_id=symbol,
            symbol=symbol,
            side=Side.BUY,
            quantity=Decimal(quantity),
            price=Decimal(price),
            at=1,
        )
    )


def test_contracts_cost_a_hundred_times_their_price_i60() -> None:
    events: list[LedgerEvent] = [
        AccountOpened(cash=Decimal(10_000)),
        bought("AAPL", 3, "100"),
        bought(CALL, 3, "2.10"),
    ]
    life = Life(
        name="one",
        events=tuple(Recorded(seq=seq, at=seq, event=event) for seq, event in enumerate(events)),
    )

    assert life.cash == Decimal(10_000 - 300 - 630)
    assert life.positions == {"AAPL": Decimal(3), CALL: Decimal(3)}
