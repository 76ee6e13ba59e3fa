"""The crypto bot by itself: it knows before it acts, tells what it guards, and paces itself."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs

from actors.crypto_bot import CryptoBot, CryptoPlan
from hydra.actor import MINUTE, SECOND, Ref
from hydra.terms import plans_of
from hydra.testkit import Kit, Probe
from hydra.testkit.builders import bars
from hydra.trading.bars import Bar
from hydra.trading.hit_stops import HitStop, text_of
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import (
    Denial,
    Fill,
    Order,
    OrderType,
    RecordedOrder,
    Role,
    Side,
    TimeInForce,
)
from hydra.trading.protection import Guard
from hydra.trading.sub_ledgers import BotInventory
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import BarClosed, HistoryReported
from messages.orders import CancelIntent, OrderDenied, OrderFilled, OrderIntent, ReportStored
from messages.positions import BookChanged, BookRecovered, RecoverBook
from messages.protection import GUARDS_TOPIC, GuardReported
from tests.engine.scenery import CLOSE_AT, bars_of, market_of, settings_with

BTC, ETH = "BTC/USD", "ETH/USD"
BOT = "crypto_core"
START = CLOSE_AT + 60 * MINUTE
QUIET = [100.0] * 11
UP = [*QUIET, 100.5]


def plan(**changes: object) -> CryptoPlan:
    settings = settings_with({f"cryptobot.{key}": value for key, value in changes.items()})
    data = market_of((*bars_of([100.0]), *bars_of([1.0], BTC), *bars_of([1.0], ETH)))
    found = plans_of(settings, data).crypto
    assert found is not None
    return found


class Stage:
    """The bot, a guardian that listens, and a feed that has kept nothing; the record is empty."""

    def __init__(self, answer: BookRecovered | None = None) -> None:
        self.kit = Kit(start_at=START)
        self.fills: list[Fill] = []
        self.guardian: Probe = self.kit.probe("guardian")
        self.listener: Probe = self.kit.probe("exit_bot")
        feed = self.kit.probe("feed")
        feed.reply_with(lambda _question: HistoryReported(bars=()))
        bus, cells = self.kit.runtime.bus, self.kit.runtime.cells
        bus.subscribe(GUARDS_TOPIC, cells[self.listener.ref.path])
        self.bot: Ref[Any] = self.kit.start(
            CryptoBot, plan=plan(), guardian=self.guardian.ref, feed=feed.ref
        )
        asked = self.guardian.expect(RecoverBook)
        empty = BookRecovered(orders=(), fills=(), asked_by=asked.asked_by, number=asked.number)
        self.kit.tell(self.bot, answer or empty)

    def reads_again(self) -> None:
        """The guardian says that something is another way now; on record is what was filled."""
        self.kit.tell(self.bot, BookChanged())
        asked = [each for each in self.guardian.told if isinstance(each, RecoverBook)][-1]
        held = FifoInventory(BTC)
        for fill in self.fills:
            held, _ = held.apply(fill)
        answer = BookRecovered(
            orders=(),
            fills=tuple(self.fills),
            held=(BotInventory(BOT, held),),
            asked_by=asked.asked_by,
            number=asked.number,
        )
        self.kit.tell(self.bot, answer)

    def play(self, *series: Sequence[Bar]) -> None:
        """Each bar as it closes, in the order of time."""
        for each in sorted((bar for one in series for bar in one), key=lambda bar: bar.end_at):
            self.kit.advance(max(0, each.end_at - self.kit.now))
            self.kit.tell(self.bot, BarClosed(bar=each))

    def loop(self, after: int) -> None:
        """So much later a loop has its verdict."""
        self.kit.advance(after)
        self.kit.publish(LOOP_TOPIC, LoopRan(number=1, passed=True, at=self.kit.now))

    def fill(self, intent: OrderIntent, price: str = "100.5") -> None:
        fill = Fill(
            execution_id=f"x-{intent.decision.signal}",
            client_order_id=f"o-{intent.decision.signal}",
            symbol=intent.decision.symbol,
            side=intent.side,
            quantity=intent.quantity,
            price=Decimal(price),
            at=self.kit.now,
        )
        self.fills.append(fill)
        stored = ReportStored(decision=intent.decision, report=OrderFilled(fill=fill))
        self.kit.tell(self.bot, stored)

    @property
    def intents(self) -> list[OrderIntent]:
        return [each for each in self.guardian.told if isinstance(each, OrderIntent)]

    @property
    def guards(self) -> list[Guard]:
        return [each.guard for each in self.listener.told if isinstance(each, GuardReported)]


def coin(closes: list[float], symbol: str = BTC) -> tuple[Bar, ...]:
    return bars(closes, symbol=symbol, start_at=START)


def test_it_wants_a_limit_order_of_its_notional_with_the_stop_that_its_risk_is_counted_to() -> None:
    stage = Stage()

    stage.play(coin(UP))

    (intent,) = stage.intents
    assert (intent.decision.bot, intent.decision.symbol, intent.decision.session) == (
        *(BOT, BTC),
        "2016-04-15",
    )
    assert (intent.side, intent.order_type, intent.time_in_force) == (
        *(Side.BUY, OrderType.LIMIT),
        TimeInForce.GTC,
    )
    assert (intent.limit_price, intent.protective_stop) == (Decimal("100.60"), Decimal("99.74"))
    assert intent.quantity == Decimal("0.497017892")  # 50 / 100.6, cut off
    assert intent.decided_at == START + 12 * MINUTE


def test_what_it_may_not_do_yet_for_its_pace_it_does_at_the_next_loop() -> None:
    stage = Stage()
    stage.play(coin(UP), coin(UP, ETH))
    at_the_bar = [each.decision.symbol for each in stage.intents]

    stage.loop(5 * SECOND)

    assert at_the_bar == [BTC]
    assert [each.decision.symbol for each in stage.intents] == [BTC, ETH]
    assert stage.intents[1].decided_at == stage.intents[0].decided_at


def test_a_denied_entry_is_not_wanted_again_at_once() -> None:
    stage = Stage()
    stage.play(coin(UP))
    (intent,) = stage.intents

    stage.kit.tell(stage.bot, OrderDenied(intent=intent, denial=Denial("a_check", "no")))
    stage.loop(5 * SECOND)

    state = stage.kit.state(stage.bot)
    assert stage.intents == [intent]
    assert (state["entries_today"], state["positions"], state["last_denial"]) == (
        *(0, 0),
        "a_check: no",
    )


def test_an_exit_that_was_denied_is_wished_for_again_and_not_in_every_loop() -> None:
    stage = Stage()
    stage.play(coin(UP))
    stage.fill(stage.intents[0])
    stage.play(coin([*UP, 100.5, 98.0])[12:])
    stage.kit.tell(
        stage.bot, OrderDenied(intent=stage.intents[1], denial=Denial("trading_is_open", "no"))
    )

    wishes: list[int] = []
    for _ in range(12):
        stage.loop(5 * SECOND)
        wishes.append(len(stage.intents[1:]))

    assert {each.decision.role for each in stage.intents[1:]} == {Role.EXIT}
    assert wishes == [1] * 5 + [2] * 7


def test_an_exit_that_was_denied_goes_at_once_when_the_way_is_free_i30() -> None:
    stage = Stage()
    stage.play(coin(UP))
    stage.fill(stage.intents[0])
    stage.play(coin([*UP, 100.5, 98.0])[12:])
    stage.kit.tell(
        stage.bot, OrderDenied(intent=stage.intents[1], denial=Denial("no_order_opposes", "no"))
    )

    stage.reads_again()

    assert [each.reason for each in stage.intents[1:]] == ["stop_loss", "stop_loss"]


def test_a_stop_that_was_hit_stays_hit_though_its_exit_was_denied_and_the_price_recovers_i30() -> (
    None
):
    stage = Stage()
    stage.play(coin(UP))
    stage.fill(stage.intents[0])
    stage.play(coin([*UP, 100.5, 98.0])[12:])
    stage.kit.tell(
        stage.bot, OrderDenied(intent=stage.intents[1], denial=Denial("price_is_fresh", "no"))
    )

    stage.play(coin([*UP, 100.5, 98.0, 100.5])[14:])

    assert [each.reason for each in stage.intents[1:]] == ["stop_loss", "stop_loss"]
    (hit,) = {guard.hit for guard in stage.guards if guard.hit is not None}
    assert (hit.symbol, hit.reason, hit.lots) == (BTC, "stop_loss", (stage.fills[0].execution_id,))


def test_that_its_stop_was_hit_before_a_crash_it_takes_from_the_record_i30_i38() -> None:
    lot = Lot(side=Side.BUY, quantity=Decimal(1), price=Decimal(100), opened_at=0, execution_id="a")
    hits = [
        HitStop(bot=BOT, symbol=BTC, reason="stop_loss", lots=("a",)),
        HitStop(bot=BOT, symbol=ETH, reason="stop_loss", lots=("of another position",)),
    ]
    stage = Stage(
        BookRecovered(
            orders=(),
            fills=(),
            held=(
                BotInventory(BOT, FifoInventory(BTC, (lot,))),
                BotInventory(BOT, FifoInventory(ETH, (structs.replace(lot, execution_id="b"),))),
            ),
            hit_stops=text_of(hits),
            asked_by=1,
            number=1,
        )
    )

    stage.play(coin([100.0]), coin([100.0], ETH))

    left = [(each.decision.symbol, each.reason) for each in stage.intents]
    assert left == [(BTC, "stop_loss"), (ETH, "time_stop")]


def test_each_look_at_a_price_is_told_and_the_end_of_the_position_once_i30() -> None:
    stage = Stage()
    stage.play(coin(UP))
    (entry,) = stage.intents
    stage.fill(entry)
    stage.play(coin([*UP, 100.5, 103.0])[12:])
    (_, exit_) = stage.intents
    stage.fill(exit_, "103")
    stage.play(coin([*UP, 100.5, 103.0, 103.0])[14:])

    held = entry.quantity
    assert (exit_.decision.role, exit_.quantity, exit_.reason) == (Role.EXIT, held, "take_profit")
    assert [
        (guard.quantity, (guard.looked_at or 0) - START, (guard.price_at or 0) - START)
        for guard in stage.guards
    ] == [
        (held, 12 * MINUTE, 12 * MINUTE),
        (held, 13 * MINUTE, 13 * MINUTE),
        (held, 14 * MINUTE, 14 * MINUTE),
        (Decimal(0), 14 * MINUTE, 14 * MINUTE),
    ]
    assert {(each.bot, each.symbol, each.name) for each in stage.guards} == {
        (BOT, BTC, "exit_rules")
    }


def test_where_no_bar_comes_a_loop_looks_and_says_how_old_the_price_is_i30_i45() -> None:
    stage = Stage()
    stage.play(coin(UP))
    stage.fill(stage.intents[0])

    stage.loop(4 * 60 * MINUTE)

    _, exit_ = stage.intents
    assert exit_.reason == "time_stop"
    newest = stage.guards[-1]
    assert (newest.looked_at, newest.price_at) == (stage.kit.now, START + 12 * MINUTE)


def test_after_a_restart_it_has_its_position_and_takes_an_entry_of_before_out_i38() -> None:
    held = BotInventory(
        BOT,
        FifoInventory(
            BTC,
            (
                Lot(
                    side=Side.BUY,
                    quantity=Decimal("0.3"),
                    price=Decimal(100),
                    opened_at=START,
                    execution_id="x",
                ),
            ),
        ),
    )
    stage = Stage()
    stage.play(coin(UP, ETH))
    (entry,) = stage.intents
    order = RecordedOrder(
        decision=entry.decision,
        order=Order(
            client_order_id="o",
            symbol=ETH,
            side=Side.BUY,
            quantity=entry.quantity,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            limit_price=entry.limit_price,
        ),
        is_open=True,
        filled_quantity=Decimal(0),
    )
    answer = BookRecovered(orders=(order,), fills=(), held=(held,), asked_by=1, number=1)
    again = Stage(answer)
    again.play(coin(UP), coin(UP, ETH))

    assert again.intents == []  # two positions are as many as it may have
    cancels = [each for each in again.guardian.told if isinstance(each, CancelIntent)]
    assert cancels[0] == CancelIntent(decision=entry.decision, reason="its signal is history")
    state = again.kit.state(again.bot)
    assert (state["positions"], state["entries_today"]) == (2, 1)


def test_before_it_knows_what_is_on_record_it_wants_nothing_i38() -> None:
    kit = Kit(start_at=START)
    guardian, feed = kit.probe("guardian"), kit.probe("feed")
    feed.reply_with(lambda _question: HistoryReported(bars=()))
    bot = kit.start(CryptoBot, plan=plan(), guardian=guardian.ref, feed=feed.ref)

    for each in coin(UP):
        kit.tell(bot, BarClosed(bar=each))

    assert [each for each in guardian.told if isinstance(each, OrderIntent)] == []


def test_bars_that_are_told_late_feed_its_strategy_and_are_nothing_to_decide_on_i46_i47() -> None:
    stage = Stage()
    *past, newest = coin([*UP, 100.6])
    for each in past:
        stage.kit.advance(each.end_at - stage.kit.now)
        stage.kit.tell(stage.bot, BarClosed(bar=each, is_backfill=True))
    stage.loop(5 * SECOND)
    decided_on_history = list(stage.intents)

    stage.play([newest])

    assert decided_on_history == []
    assert stage.intents == []  # the rise was signalled by a bar that is history
    pairs: Any = stage.kit.state(stage.bot)["pairs"]
    assert pairs[BTC]["last_close"] == newest.close
