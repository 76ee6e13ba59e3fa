"""The bot, in virtual time: no engine, no venue, nothing sleeps."""

from decimal import Decimal

import pytest
from hydra_dip.bot import BuyTheDip, Parameters

from hydra.actor import MINUTE, SECOND, Ref
from hydra.testkit import Kit, Probe
from hydra.testkit.builders import bar
from hydra.testkit.plugins import MARKET_OPENS_AT, bot_plan, empty_book
from hydra.trading.orders import Denial, Fill, Role, Side
from messages.market import BarClosed, bars_topic
from messages.orders import OrderDenied, OrderFilled, OrderIntent, ReportStored, reports_topic
from messages.positions import RecoverBook
from messages.protection import GUARDS_TOPIC, GuardReported

DIP = {"opened": 100.0}


@pytest.fixture
def kit() -> Kit:
    return Kit(start_at=MARKET_OPENS_AT)


@pytest.fixture
def guardian(kit: Kit) -> Probe:
    probe = kit.probe("guardian")
    probe.reply_with(empty_book)
    return probe


@pytest.fixture
def bot(kit: Kit, guardian: Probe) -> Ref[object]:
    plan = bot_plan(bot_id="dip", symbols=("AAPL",), parameters=Parameters(dip_pct=1.0))
    ref = kit.start(BuyTheDip, plan=plan, guardian=guardian.ref, feed=kit.probe("feed").ref)
    guardian.expect(RecoverBook)
    return ref


def see(
    kit: Kit, close: float, *, minute: int, opened: float = 100.0, venue_ahead: int = 0
) -> None:
    at = MARKET_OPENS_AT + minute * MINUTE
    kit.advance(at + MINUTE - venue_ahead - kit.now)
    each = bar(close, opened=opened, start_at=at)
    kit.publish(bars_topic("AAPL"), BarClosed(bar=each))


def fill(kit: Kit, wish: OrderIntent, price: str) -> None:
    executed = Fill(
        execution_id=f"x-{wish.decision.signal}",
        client_order_id="any",
        symbol=wish.decision.symbol,
        side=wish.side,
        quantity=wish.quantity,
        price=Decimal(price),
        at=kit.now,
    )
    stored = ReportStored(decision=wish.decision, report=OrderFilled(fill=executed))
    kit.publish(reports_topic("dip"), stored)


def test_a_dip_is_bought_once_with_a_stop(kit: Kit, guardian: Probe, bot: Ref[object]) -> None:
    see(kit, 99.5, minute=10)
    see(kit, 99.0, minute=11)
    wish = guardian.expect(OrderIntent)
    see(kit, 98.0, minute=12)

    guardian.expect_no_message()
    assert (wish.decision.role, wish.side, wish.quantity) == (Role.ENTRY, Side.BUY, Decimal(10))
    assert wish.protective_stop == Decimal("98.01")


def test_what_was_bought_is_sold_when_it_has_gained(
    kit: Kit, guardian: Probe, bot: Ref[object]
) -> None:
    see(kit, 99.0, minute=10)
    fill(kit, guardian.expect(OrderIntent), "99.00")
    see(kit, 99.1, minute=11, opened=99.0)
    see(kit, 100.1, minute=12, opened=99.1)
    wish = guardian.expect(OrderIntent)

    assert (wish.decision.role, wish.quantity, wish.reason) == (
        Role.EXIT,
        Decimal(10),
        "take_profit",
    )


def test_a_denied_dip_leaves_the_next_one_free(kit: Kit, guardian: Probe, bot: Ref[object]) -> None:
    see(kit, 99.0, minute=10)
    denial = Denial("a_test", "not now")
    kit.tell(bot, OrderDenied(intent=guardian.expect(OrderIntent), denial=denial))
    see(kit, 99.0, minute=11)

    assert guardian.expect(OrderIntent).decision.signal == 2


def test_a_crashed_bot_asks_again_before_it_decides(
    kit: Kit, guardian: Probe, bot: Ref[object]
) -> None:
    kit.kill(bot)
    kit.advance(MINUTE)

    assert guardian.expect(RecoverBook).asked_by == 2
    see(kit, 99.0, minute=10)
    guardian.expect(OrderIntent)


def test_a_position_is_said_to_be_guarded(kit: Kit, guardian: Probe, bot: Ref[object]) -> None:
    heard = kit.listen(GUARDS_TOPIC)
    see(kit, 99.0, minute=10)
    fill(kit, guardian.expect(OrderIntent), "99.00")
    see(kit, 99.1, minute=11, opened=99.0)

    (told,) = heard.told
    assert "10" in repr(told)


def test_a_venue_whose_clock_is_ahead_has_it_decide_now_and_look_at_the_bar(
    kit: Kit, guardian: Probe, bot: Ref[object]
) -> None:
    heard = kit.listen(GUARDS_TOPIC)
    see(kit, 99.0, minute=10, venue_ahead=SECOND)
    wish = guardian.expect(OrderIntent)
    decided_ahead = wish.decided_at - kit.now
    fill(kit, wish, "99.00")
    see(kit, 99.1, minute=11, opened=99.0, venue_ahead=SECOND)

    (looked,) = [each.guard for each in heard.told if isinstance(each, GuardReported)]
    assert decided_ahead == 0
    assert looked.looked_at == looked.price_at == kit.now + SECOND
