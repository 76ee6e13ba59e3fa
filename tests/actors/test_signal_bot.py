"""The signal bot by itself: what it waits for, what it says, what it never forgets."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import structs

from actors.signal_bot import SIGNALS_ASKED_MAX, SignalBot, SignalBotRecord
from hydra.actor import MINUTE, SECOND, Actor, Context, Ref
from hydra.outsiders import outsiders_of
from hydra.testkit import Kit, Probe
from hydra.trading.durations import HOUR
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import (
    DecisionKey,
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
from hydra.trading.trade_signals import DayCount, SignalAction, TradeSignal, number_of
from messages.control import RecordValue
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import BarClosed
from messages.message import Message
from messages.orders import (
    CancelIntent,
    OrderCanceled,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    ReportStored,
)
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    BookRecovered,
    RecoverBook,
    RecoverSignals,
    RecoverValue,
    SignalsRecovered,
    ValueRecovered,
)
from messages.protection import GUARDS_TOPIC, GuardReported
from messages.signals import SignalDone, SignalNote, SignalRead
from tests.engine.scenery import OPEN_AT, bars_of, quiet, settings_with

AT = OPEN_AT + 10 * MINUTE


class Told:
    def __init__(self) -> None:
        self.notes: list[SignalNote] = []
        self.reports = 0

    def report(self) -> None:
        self.reports += 1

    def note(self, note: SignalNote) -> None:
        self.notes.append(note)

    def why_closed(self) -> str | None:
        return None


class Ear(Actor[GuardReported]):
    """Hears of guards."""

    def __init__(self, heard: list[Guard]) -> None:
        self._heard = heard

    def start(self, ctx: Context) -> None:
        ctx.subscribe(GUARDS_TOPIC)

    def receive(self, message: GuardReported, ctx: Context) -> None:
        self._heard.append(message.guard)


class Bench:
    def __init__(self) -> None:
        self.kit = Kit(start_at=AT)
        self.engine: Probe = self.kit.probe("engine")
        """Guardian and persister in one, so that the order of what they are told is seen."""
        self.own = ""
        self.decided: dict[int, DecisionKey] | None = {}
        """What signals led to, as the record has it; None: no answer comes."""
        self.engine.reply_with(self._answer)
        self.told = Told()
        self.guards: list[Guard] = []
        self.kit.start(Ear, heard=self.guards)
        data = quiet(60)
        settings = settings_with({"signalbot.enabled": True, "signalbot.symbols": ("AAPL",)})
        (outsider,), _ = outsiders_of(
            settings, data.symbols, data.sessions, data.bar_interval, self.told
        )
        self.ref: Ref[Any] = self.kit.start(
            SignalBot,
            plan=outsider.spec.args["plan"],
            guardian=self.engine.ref,
            persister=self.engine.ref,
            signals=self.told,
        )

    def _answer(self, asked: Message) -> Message | None:
        match asked:
            case RecoverValue():
                return ValueRecovered(value=self.own)
            case RecoverSignals(numbers=numbers) if self.decided is not None:
                found = {each: self.decided[each] for each in numbers if each in self.decided}
                return SignalsRecovered(decisions=found)
            case _:
                return None

    def knows(
        self,
        *held: BotInventory,
        own: SignalBotRecord | None = None,
        orders: tuple[RecordedOrder, ...] = (),
        fills: tuple[Fill, ...] = (),
    ) -> None:
        """The record has answered."""
        self.own = "" if own is None else msgspec.json.encode(own).decode()
        self.kit.kill(self.ref)  # it asks again, now that there is an answer
        self.kit.advance(SECOND)
        number = len([each for each in self.engine.told if isinstance(each, RecoverBook)])
        self.kit.tell(
            self.ref,
            BookRecovered(orders=orders, fills=fills, held=held, asked_by=number, number=1),
        )

    def reads_again(
        self,
        *held: BotInventory,
        orders: tuple[RecordedOrder, ...] = (),
        fills: tuple[Fill, ...] = (),
    ) -> None:
        """Its book has changed, as after a failure of the guardian, and the record answers."""
        self.kit.publish(BOOK_CHANGED_TOPIC, BookChanged())
        asked = [each for each in self.engine.told if isinstance(each, RecoverBook)][-1]
        answer = BookRecovered(
            orders=orders, fills=fills, held=held, asked_by=asked.asked_by, number=asked.number
        )
        self.kit.tell(self.ref, answer)

    def bar(self, close: float, minute: int) -> None:
        (bar,) = bars_of([close], start_at=AT + (minute - 1) * MINUTE)
        self.kit.tell(self.ref, BarClosed(bar=bar))

    def report(self, intent: OrderIntent, report: Any) -> None:
        self.kit.tell(self.ref, ReportStored(decision=intent.decision, report=report))

    def filled(self, intent: OrderIntent, quantity: int) -> None:
        fill = Fill(
            execution_id="e-1",
            client_order_id="b",
            symbol="AAPL",
            side=intent.side,
            quantity=Decimal(quantity),
            price=Decimal(100),
            at=self.kit.now,
        )
        self.report(intent, OrderFilled(fill=fill))

    def signal(self, name: str = "s-1", **changes: Any) -> None:
        wish: dict[str, Any] = {
            "id": name,
            "symbol": "AAPL",
            "action": SignalAction.BUY,
            "at": self.kit.now,
            "quantity": Decimal(5),
        }
        self.kit.tell(self.ref, SignalRead(signal=TradeSignal(**{**wish, **changes})))

    @property
    def cancels(self) -> list[CancelIntent]:
        return [each for each in self.engine.told if isinstance(each, CancelIntent)]

    @property
    def intents(self) -> list[OrderIntent]:
        return [each for each in self.engine.told if isinstance(each, OrderIntent)]

    @property
    def looked_up(self) -> list[tuple[int, ...]]:
        """The numbers of signals that it asked for, question by question."""
        return [each.numbers for each in self.engine.told if isinstance(each, RecoverSignals)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def held(quantity: int) -> BotInventory:
    lot = Lot(
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(100),
        opened_at=AT - MINUTE,
        execution_id="x-1",
    )
    return BotInventory("signal_bot", FifoInventory("AAPL", (lot,)))


class Bought(msgspec.Struct, frozen=True):
    """What is on record of an entry under a stop, all of it executed or a part."""

    held: BotInventory
    orders: tuple[RecordedOrder, ...]
    fills: tuple[Fill, ...]


def bought(quantity: int, stop: str) -> Bought:
    inventory = held(quantity)
    (lot,) = inventory.inventory.lots
    entry = Order(
        client_order_id="b",
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(5),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    recorded = RecordedOrder(
        decision=DecisionKey("signal_bot", "AAPL", "2016-04-15", 7, Role.ENTRY),
        order=entry,
        is_open=False,
        filled_quantity=lot.quantity,
        protective_stop=Decimal(stop),
    )
    fill = Fill(
        execution_id=lot.execution_id,
        client_order_id="b",
        symbol="AAPL",
        side=Side.BUY,
        quantity=lot.quantity,
        price=lot.price,
        at=lot.opened_at,
    )
    return Bought(inventory, (recorded,), (fill,))


def test_nothing_is_decided_before_record_and_price_are_known_i38(bench: Bench) -> None:
    bench.bar(100.0, 0)
    bench.signal()
    unknown = (list(bench.intents), list(bench.told.notes))

    bench.knows()
    bench.signal()
    without_price = list(bench.intents)
    bench.bar(100.0, 0)

    assert (unknown, without_price) == (([], []), [])
    assert [intent.quantity for intent in bench.intents] == [5]
    assert bench.told.reports == 2  # at each start it asks for what it may have lost


def test_a_signal_that_waits_too_long_for_a_price_is_refused(bench: Bench) -> None:
    bench.knows()
    bench.signal()

    bench.kit.advance(2 * MINUTE)

    assert [note.done.value for note in bench.told.notes] == ["refused"]
    assert bench.intents == []


def test_the_count_is_with_the_record_before_the_intent_with_its_stop_is_with_the_guardian(
    bench: Bench,
) -> None:
    bench.knows()
    bench.bar(100.0, 0)

    bench.signal(stop_price=Decimal("99.7"))

    kept, wish = [each for each in bench.engine.told if isinstance(each, RecordValue | OrderIntent)]
    assert isinstance(kept, RecordValue) and isinstance(wish, OrderIntent)
    assert msgspec.json.decode(kept.value, type=SignalBotRecord) == SignalBotRecord(
        count=DayCount(session="2016-04-15", orders=1, notional_usd=Decimal(500))
    )
    assert wish.protective_stop == Decimal("99.7")


def test_the_tighter_of_its_own_stop_and_the_signals_is_in_force(bench: Bench) -> None:
    bench.knows()
    bench.bar(100.0, 0)

    bench.signal(stop_price=Decimal(90))

    assert [intent.protective_stop for intent in bench.intents] == [Decimal("99.50")]


def test_a_position_is_guarded_at_each_bar_and_the_guard_is_told_and_withdrawn_i30(
    bench: Bench,
) -> None:
    found = bought(5, "99.7")
    bench.knows(found.held, orders=found.orders, fills=found.fills)

    bench.bar(99.9, 0)
    bench.bar(99.7, 1)
    bench.bar(99.6, 2)

    assert [(each.quantity, each.bot, each.name) for each in bench.guards][:2] == [
        (Decimal(5), "signal_bot", "exits")
    ] * 2
    assert bench.guards[0].stop_price == Decimal("99.7")  # for who takes over from it
    assert [(each.decision.role, each.quantity, each.reason) for each in bench.intents] == [
        (Role.EXIT, Decimal(5), "signal_stop")
    ]


def exits(bench: Bench) -> list[tuple[Decimal, str]]:
    return [
        (each.quantity, each.reason) for each in bench.intents if each.decision.role is Role.EXIT
    ]


@pytest.mark.parametrize("is_late", [False, True])
def test_an_entry_s_fill_is_under_the_signal_s_stop_also_when_heard_after_its_end_i25_i30(
    bench: Bench, is_late: bool
) -> None:
    bench.knows()
    bench.bar(100.0, 0)
    bench.signal(stop_price=Decimal("99.9"))
    (entry,) = bench.intents
    gone = OrderCanceled(client_order_id="b", at=bench.kit.now)

    if is_late:
        bench.report(entry, gone)
        bench.bar(100.0, 1)
        bench.filled(entry, 3)
    else:
        bench.filled(entry, 3)
        bench.report(entry, gone)
    bench.kit.advance(2 * MINUTE)
    bench.bar(99.8, 2)

    assert exits(bench) == [(Decimal(3), "signal_stop")]
    assert bench.guards[-1].stop_price == Decimal("99.9")


def test_a_signal_s_stop_is_that_of_its_own_position_alone_i30(bench: Bench) -> None:
    # What an operator assigned comes from no entry: it is under the bot's own rules.
    found = bought(5, "99.9")
    bench.knows(held(5), orders=found.orders)

    bench.bar(99.8, 1)
    bench.bar(99.4, 2)

    assert {each.stop_price for each in bench.guards} == {None}
    assert exits(bench) == [(Decimal(5), "stop_loss")]


def test_a_record_of_before_that_kept_the_stops_itself_is_read_i38(bench: Bench) -> None:
    bench.knows()
    bench.own = '{"count":{"session":"2016-04-15","orders":4},"stops":{"AAPL":"99.7"}}'

    bench.kit.kill(bench.ref)
    bench.kit.advance(SECOND)

    assert bench.kit.state(bench.ref)["orders_today"] == 4


def test_a_sale_of_more_than_is_held_sells_what_is_held(bench: Bench) -> None:
    bench.knows(held(5))
    bench.bar(100.0, 0)

    bench.signal(action=SignalAction.SELL, quantity=Decimal(9))
    bench.signal("s-2", action=SignalAction.SELL, quantity=None)

    assert [(each.decision.role, each.quantity) for each in bench.intents] == [
        (Role.EXIT, Decimal(5))
    ]
    assert bench.told.notes[-1].reason == "the position is being closed already"


@pytest.mark.parametrize("was_seen", [False, True])
def test_a_sale_needs_no_fresh_price(bench: Bench, was_seen: bool) -> None:
    bench.knows(held(5))
    if was_seen:
        bench.bar(100.0, 0)
    bench.kit.advance(10 * MINUTE)

    bench.signal("b", quantity=Decimal(1))
    bench.signal("s", action=SignalAction.SELL, quantity=None)

    assert [(each.decision.role, each.quantity) for each in bench.intents] == [
        (Role.EXIT, Decimal(5))
    ]
    assert [each.id for each in bench.told.notes] == ["s"]


def test_a_sale_waits_for_the_exchange_to_open(bench: Bench) -> None:
    bench.knows(held(5))
    bench.bar(100.0, 0)
    bench.kit.advance(20 * HOUR)

    bench.signal(action=SignalAction.SELL, quantity=None)
    meanwhile = list(bench.told.notes)
    bench.kit.advance(2 * MINUTE)

    assert (bench.intents[1:], meanwhile) == ([], [])
    assert [note.done.value for note in bench.told.notes] == ["refused"]


def test_what_one_sale_leaves_another_sells_beside_it(bench: Bench) -> None:
    bench.knows(held(5))
    bench.bar(100.0, 0)

    bench.signal(action=SignalAction.SELL, quantity=Decimal(2))
    bench.signal("s-2", action=SignalAction.SELL, quantity=None)
    bench.signal("s-3", action=SignalAction.SELL, quantity=None)

    assert [each.quantity for each in bench.intents] == [Decimal(2), Decimal(3)]
    assert bench.told.notes[-1].reason == "the position is being closed already"


def test_a_sale_beside_a_buy_that_is_executed_in_part_takes_the_rest_of_it_out_first(
    bench: Bench,
) -> None:
    bench.knows()
    bench.bar(100.0, 0)
    bench.signal()
    (buy,) = bench.intents
    bench.filled(buy, 3)

    bench.signal("s-2", action=SignalAction.SELL, quantity=None)
    beside_it = bench.intents[1:]  # the guardian would deny it, and the signal would be over
    asked = {each.decision for each in bench.engine.told if isinstance(each, CancelIntent)}
    bench.report(buy, OrderCanceled(client_order_id="b", at=bench.kit.now))

    assert (beside_it, asked) == ([], {buy.decision})
    assert [(each.decision.role, each.quantity) for each in bench.intents[1:]] == [
        (Role.EXIT, Decimal(3))
    ]
    assert [(note.id, note.done.value) for note in bench.told.notes] == [
        ("s-1", "wanted"),
        ("s-1", "filled"),
        ("s-1", "ended"),
        ("s-2", "wanted"),
    ]


def test_of_what_it_holds_nothing_more_is_bought(bench: Bench) -> None:
    bench.knows(held(5))
    bench.bar(100.0, 0)

    bench.signal()

    assert bench.intents == []
    assert bench.told.notes[-1].reason == "it holds 5 already, one position a symbol"


def on_record(intent: OrderIntent, *, is_open: bool, filled: int) -> RecordedOrder:
    order = Order(
        client_order_id="b",
        symbol="AAPL",
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        time_in_force=intent.time_in_force,
    )
    return RecordedOrder(
        decision=intent.decision, order=order, is_open=is_open, filled_quantity=Decimal(filled)
    )


@pytest.mark.parametrize("action", list(SignalAction))
def test_a_signal_whose_wish_was_lost_is_over_and_says_so_i16_i38(
    bench: Bench, action: SignalAction
) -> None:
    holds = (held(5),) if action is SignalAction.SELL else ()
    bench.knows(*holds)
    bench.bar(100.0, 0)
    bench.signal(action=action)

    bench.reads_again(*holds)
    bench.signal(action=action)  # the bridge may tell it again

    assert [(each.done, each.reason) for each in bench.told.notes] == [
        (SignalDone.WANTED, ""),
        (SignalDone.ENDED, "it was lost before it was on record"),
    ]
    assert bench.kit.state(bench.ref)["under_way"] == []
    assert len(bench.intents) == 1


@pytest.mark.parametrize(
    ("filled", "done", "reason"),
    [
        (0, SignalDone.ENDED, "on record it is over: 0 of 5 executed"),
        (3, SignalDone.ENDED, "on record it is over: 3 of 5 executed"),
        (5, SignalDone.COMPLETE, "on record it is over: 5 of 5 executed"),
    ],
)
def test_a_signal_whose_end_was_not_heard_ends_as_the_record_has_it_i38(
    bench: Bench, filled: int, done: SignalDone, reason: str
) -> None:
    bench.knows()
    bench.bar(100.0, 0)
    bench.signal()
    (wish,) = bench.intents

    bench.reads_again(orders=(on_record(wish, is_open=False, filled=filled),))

    end = bench.told.notes[-1]
    assert (end.done, end.reason, end.client_order_id) == (done, reason, "b")
    assert bench.kit.state(bench.ref)["under_way"] == []


def test_a_signal_whose_order_lives_on_record_is_followed_to_its_end_i38(bench: Bench) -> None:
    bench.knows()
    bench.bar(100.0, 0)
    bench.signal()
    (wish,) = bench.intents

    bench.reads_again(orders=(on_record(wish, is_open=True, filled=0),))
    under_way = bench.kit.state(bench.ref)["under_way"]
    bench.filled(wish, 5)

    assert under_way == ["s-1"]
    assert [each.done for each in bench.told.notes] == [SignalDone.WANTED, SignalDone.COMPLETE]


def test_a_signal_that_led_to_an_order_long_ago_never_leads_to_another_i16_i38(
    bench: Bench,
) -> None:
    bench.knows()
    bench.bar(100.0, 0)
    number = number_of("s-1")
    bench.decided = {number: DecisionKey("signal_bot", "AAPL", "2011-02-03", number, Role.ENTRY)}

    bench.signal()
    bench.signal()

    assert bench.intents == []
    assert [(each.id, each.done, each.reason) for each in bench.told.notes] == [
        ("s-1", SignalDone.REPEATED, "its decision of 2011-02-03 is on record")
    ]


def test_no_signal_is_decided_before_the_record_has_said_what_it_led_to_i16_i38(
    bench: Bench,
) -> None:
    bench.signal()
    bench.kit.advance(SECOND)
    before_the_book = list(bench.looked_up)
    bench.knows()
    bench.bar(100.0, 0)
    bench.decided = None

    bench.signal()
    bench.kit.advance(2 * MINUTE)  # by then it is too old, but it may have led to something
    unanswered = (list(bench.intents), list(bench.told.notes), bench.kit.status(bench.ref))
    bench.decided = {}
    bench.signal("s-2", at=bench.kit.now)
    bench.bar(100.0, 3)
    bench.kit.advance(10 * SECOND)

    # An order of the life before is on record when the book has been answered, not sooner.
    assert before_the_book == []
    assert unanswered == ([], [], "running")
    assert 100 < len(bench.looked_up) < 140  # once a second, though each is refused at once
    assert [(each.id, each.done) for each in bench.told.notes] == [
        ("s-1", SignalDone.REFUSED),
        ("s-2", SignalDone.WANTED),
    ]


def test_a_signal_s_decision_is_looked_up_once_while_it_waits_i16(bench: Bench) -> None:
    bench.knows()

    for _ in range(3):
        bench.signal()
        bench.kit.advance(3 * SECOND)
    bench.bar(100.0, 0)
    bench.signal()

    assert bench.looked_up == [(number_of("s-1"),)]
    assert len(bench.intents) == 1


def test_many_signals_at_once_are_looked_up_in_portions_i16(bench: Bench) -> None:
    names = [f"s-{number}" for number in range(SIGNALS_ASKED_MAX + 2)]
    for name in names:
        bench.signal(name, at=AT - HOUR)
    bench.knows()
    for name in names:
        bench.signal(name, at=AT - HOUR)  # at each start it is told again what has no end

    bench.kit.advance(2 * SECOND)

    assert max(map(len, bench.looked_up)) <= SIGNALS_ASKED_MAX
    assert sorted(each.id for each in bench.told.notes) == sorted(names)
    assert {each.done for each in bench.told.notes} == {SignalDone.REFUSED}


def test_a_fill_of_an_order_that_was_not_told_of_is_under_its_own_stop_i25_i30(
    bench: Bench,
) -> None:
    # Of an order of long ago that was given up: the start is told of the newest sessions only.
    bench.knows()
    found = bought(5, "99.7")
    (order,), (fill,) = found.orders, found.fills
    bench.bar(100.0, 0)

    bench.kit.tell(bench.ref, ReportStored(decision=order.decision, report=OrderFilled(fill=fill)))
    bench.bar(99.6, 1)
    before_it_is_known = list(bench.intents)
    asked = [each for each in bench.engine.told if isinstance(each, RecoverBook)][-1]
    answer = BookRecovered(
        orders=found.orders,
        fills=found.fills,
        held=(found.held,),
        asked_by=asked.asked_by,
        number=asked.number,
    )
    bench.kit.tell(bench.ref, answer)

    assert asked.number == 2
    assert before_it_is_known == []
    assert exits(bench) == [(Decimal(5), "signal_stop")]


def test_an_order_of_long_ago_that_is_over_is_not_called_lost_i38(bench: Bench) -> None:
    number = number_of("s-1")
    key = DecisionKey("signal_bot", "AAPL", "2011-02-03", number, Role.ENTRY)
    (recorded,) = bought(5, "99.7").orders
    is_open = structs.replace(
        recorded, decision=key, is_open=True, filled_quantity=Decimal(0), protective_stop=None
    )
    bench.knows(orders=(is_open,))
    bench.signal()
    bench.bar(100.0, 0)

    bench.reads_again()

    assert [(each.done, each.reason) for each in bench.told.notes] == [
        (SignalDone.ENDED, "its order of 2011-02-03 is over, or never was")
    ]


def test_what_it_cannot_read_of_itself_fails_it_i38(bench: Bench) -> None:
    bench.own = "nonsense"

    bench.kit.kill(bench.ref)
    bench.kit.advance(MINUTE)

    assert bench.kit.status(bench.ref) == "quarantined"


def test_where_no_bar_comes_the_loop_closes_what_was_held_long_enough_a8(bench: Bench) -> None:
    bench.knows(held(5))
    bench.bar(100.0, 0)
    before = list(bench.intents)

    bench.kit.advance(119 * MINUTE)  # the position was opened a minute before
    bench.kit.publish(LOOP_TOPIC, LoopRan(number=1, passed=True, at=bench.kit.now))

    assert before == []
    assert [each.reason for each in bench.intents] == ["time_stop"]


def test_an_exit_that_was_denied_is_wished_for_again_and_not_in_every_loop(bench: Bench) -> None:
    found = bought(5, "99.7")
    bench.knows(found.held, orders=found.orders, fills=found.fills)
    bench.bar(99.6, 0)
    (wish,) = bench.intents
    bench.kit.tell(bench.ref, OrderDenied(intent=wish, denial=Denial("a_test", "not now")))

    wishes: list[int] = []
    for number in range(12):
        bench.kit.advance(5 * SECOND)
        loop = LoopRan(number=number, passed=True, at=bench.kit.now)
        bench.kit.publish(LOOP_TOPIC, loop)
        wishes.append(len(bench.intents))

    assert wishes == [1] * 5 + [2] * 7


def test_a_stop_that_was_hit_stays_hit_though_its_exit_was_denied_i30(bench: Bench) -> None:
    found = bought(5, "99.7")
    bench.knows(found.held, orders=found.orders, fills=found.fills)
    bench.bar(99.6, 0)
    (wish,) = bench.intents
    bench.kit.tell(bench.ref, OrderDenied(intent=wish, denial=Denial("a_test", "not now")))
    bench.kit.advance(MINUTE)

    bench.bar(100.0, 1)

    assert [each.reason for each in bench.intents] == ["signal_stop", "signal_stop"]
    assert [each.hit and each.hit.reason for each in bench.guards][-1] == "signal_stop"


def test_an_exit_that_was_denied_goes_at_once_when_the_way_is_free_i30(bench: Bench) -> None:
    found = bought(5, "99.7")
    bench.knows(found.held, orders=found.orders, fills=found.fills)
    bench.bar(99.6, 0)
    (wish,) = bench.intents
    denial = Denial("no_order_opposes", "another bot's entry works")
    bench.kit.tell(bench.ref, OrderDenied(intent=wish, denial=denial))

    bench.reads_again(found.held, orders=found.orders, fills=found.fills)

    assert [each.reason for each in bench.intents] == ["signal_stop", "signal_stop"]


ADOPTED = DecisionKey("signal_bot", "AAPL", "2016-04-15", 1 << 40, Role.PROTECT)
STOP = Order(
    client_order_id="by-hand-1",
    symbol="AAPL",
    side=Side.SELL,
    quantity=Decimal(5),
    order_type=OrderType.STOP,
    time_in_force=TimeInForce.GTC,
    stop_price=Decimal(97),
)


@pytest.mark.parametrize("asked_by", ["its own rules", "a signal"])
def test_a_stop_that_was_adopted_goes_before_an_exit_i29_i30(bench: Bench, asked_by: str) -> None:
    found = RecordedOrder(decision=ADOPTED, order=STOP, is_open=True, filled_quantity=Decimal(0))
    bench.knows(held(5), orders=(found,))
    bench.bar(100.0, 0)
    before = list(bench.cancels)

    if asked_by == "a signal":
        bench.signal(action=SignalAction.SELL, quantity=None)
    else:
        bench.bar(98.0, 1)
    first = (list(bench.intents), [each.decision for each in bench.cancels])
    gone = OrderCanceled(client_order_id="by-hand-1", at=bench.kit.now)
    bench.kit.tell(bench.ref, ReportStored(decision=ADOPTED, report=gone))

    assert before == []
    assert first == ([], [ADOPTED])
    (exit_,) = bench.intents
    assert (exit_.decision.role, exit_.quantity) == (Role.EXIT, Decimal(5))
