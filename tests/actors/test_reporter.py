"""What the reporter tells of trades that an earlier process began."""

from decimal import Decimal

from actors.reporter import Reporter
from hydra.testkit import Kit
from hydra.testkit.builders import intent
from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    RecordedOrder,
    Role,
    Side,
    TimeInForce,
)
from hydra.trading.sub_ledgers import BotInventory
from messages.orders import REPORTS_TOPIC, OrderFilled, ReportStored
from messages.positions import BookRecovered
from messages.summary import Summarize

ENTRY = intent().decision
EXIT = DecisionKey(ENTRY.bot, ENTRY.symbol, ENTRY.session, ENTRY.signal + 1, Role.EXIT)


def on_record(decision: DecisionKey, side: Side, reason: str, filled: str) -> RecordedOrder:
    order = Order(
        client_order_id=f"order-{decision.signal}",
        symbol=decision.symbol,
        side=side,
        quantity=Decimal(10),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    return RecordedOrder(
        decision=decision,
        order=order,
        is_open=filled != "10",
        filled_quantity=Decimal(filled),
        reason=reason,
    )


def fill_of(recorded: RecordedOrder, price: str) -> Fill:
    order = recorded.order
    return Fill(
        execution_id=f"x-{order.client_order_id}",
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        quantity=Decimal(10),
        price=Decimal(price),
        at=1,
    )


def test_a_trade_that_began_before_this_process_is_told_with_its_reasons() -> None:
    bought = on_record(ENTRY, Side.BUY, "crossed", "10")
    stop = on_record(EXIT, Side.SELL, "stop_loss", "0")
    entry = fill_of(bought, "100")
    lots, _ = FifoInventory(ENTRY.symbol).apply(entry)
    kit = Kit()
    persister = kit.probe("persister")
    persister.reply_with(
        lambda _: BookRecovered(
            orders=(bought, stop),
            fills=(entry,),
            held=(BotInventory(bot=ENTRY.bot, inventory=lots),),
        )
    )
    reporter = kit.start(Reporter, name="reporter", persister=persister.ref)

    executed = OrderFilled(fill=fill_of(stop, "98"))
    kit.publish(REPORTS_TOPIC, ReportStored(decision=EXIT, report=executed))

    (trade,) = kit.ask(reporter, Summarize()).trades
    assert (trade.entry_reason, trade.exit_reason) == ("crossed", "stop_loss")
    assert trade.realised == Decimal(-20)
