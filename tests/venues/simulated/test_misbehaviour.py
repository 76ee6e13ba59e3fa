"""Every fault does what it says, to what it was meant for, as often as it was told to."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import (
    AlterEcho,
    BlockAccount,
    Delay,
    DriftCash,
    DriftPosition,
    FailLook,
    Fault,
    FillPart,
    FillRefused,
    Hide,
    HideEquity,
    HoldCancel,
    Ignore,
    Lose,
    Overfill,
    Overtake,
    PlantOrder,
    RejectLater,
    Repeat,
)
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.misbehaviour import Match, Misbehaviour, Rule
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Submit,
    TakeSnapshot,
    VenueMessage,
    request_to_send,
)
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
)
from messages.reconciliation import OrderFound, OrderNotFound, SnapshotFailed, SnapshotTaken
from tests.venues.simulated.histories import History, do, histories, state_of
from tests.venues.simulated.orders import MINUTE, bar_of, gtc, limit, market, of_symbol, replacing

BUY, SELL = Side.BUY, Side.SELL
FLAT = (100.0, 100.0, 100.0, 100.0)


class World:
    """A venue with these rules, and everything that it tells."""

    def __init__(self, *rules: Rule | Fault, terms: VenueTerms | None = None) -> None:
        plan = [rule if isinstance(rule, Rule) else Rule(fault=rule) for rule in rules]
        self.exchange = MisbehavingExchange(Misbehaviour(rules=tuple(plan)), terms)
        self.engine = self.exchange.engine
        self.now = 0
        self.told: list[VenueMessage] = []

    @property
    def kinds(self) -> list[str]:
        """What was told, in short: of which order, and what."""
        return [f"{name_of(message)} {type(message).__name__}" for message in self.told]

    def send(self, *orders: Order) -> None:
        for order in orders:
            self.told += self.exchange.receive(request_to_send(order), self.now)

    def cancel(self, name: str) -> None:
        self.told += self.exchange.receive(Cancel(name), self.now)

    def minute(self, symbol: str = "AAPL", volume: float = 1_000.0) -> None:
        """A minute at 100 passes."""
        bar = bar_of(self.now // MINUTE, FLAT, symbol=symbol, volume=volume)
        self.now = bar.end_at
        self.told += self.exchange.on_bar(bar)

    def look_up(self, name: str) -> OrderFound | OrderNotFound:
        (answer,) = self.exchange.receive(LookUp(name), self.now)
        assert isinstance(answer, OrderFound | OrderNotFound)
        return answer

    def snapshot(self) -> SnapshotTaken | SnapshotFailed:
        (answer,) = self.exchange.receive(TakeSnapshot(1, 0), self.now)
        assert isinstance(answer, SnapshotTaken | SnapshotFailed)
        return answer


def name_of(message: VenueMessage) -> str:
    match message:
        case OrderFilled(fill=fill):
            return fill.client_order_id
        case SnapshotTaken(number=number) | SnapshotFailed(number=number):
            return str(number)
        case _:
            return message.client_order_id


def test_an_acceptance_that_is_lost_leaves_the_order_working_and_the_rest_is_told() -> None:
    world = World(Rule(fault=Lose(), match=Match(what="OrderAccepted")))

    world.send(market("a", BUY), market("b", BUY))
    world.minute()

    assert world.kinds == ["b OrderAccepted", "a OrderFilled", "b OrderFilled"]


def test_an_answer_comes_so_many_events_late_after_what_they_say() -> None:
    world = World(Rule(fault=Delay(events=2), match=Match(what="OrderAccepted")))

    world.send(market("a", BUY))
    world.minute()
    world.send(market("b", BUY))
    before = list(world.kinds)
    world.minute()

    assert before == ["a OrderFilled", "b OrderAccepted"]
    assert world.kinds[2:] == ["b OrderFilled", "a OrderAccepted"]


def test_a_fill_may_be_told_after_the_cancel_that_it_came_before() -> None:
    world = World(Rule(fault=Delay(events=1), match=Match(what="OrderFilled")), FillPart())

    world.send(market("a", BUY))
    world.minute()
    world.cancel("a")
    world.minute()

    assert world.kinds == ["a OrderAccepted", "a OrderCanceled", "a OrderFilled"]


def test_a_message_is_told_again_so_many_times() -> None:
    world = World(Rule(fault=Repeat(copies=3), match=Match(what="OrderFilled"), times=None))

    world.send(market("a", BUY))
    world.minute()

    assert world.kinds == ["a OrderAccepted", *["a OrderFilled"] * 4]
    assert len({id(message) for message in world.told[1:]}) == 1
    assert world.engine.account.position("AAPL") == 10


def test_a_message_is_overtaken_by_those_behind_it() -> None:
    world = World(Rule(fault=Overtake(by=2), match=Match(what="OrderAccepted")))

    world.send(market("a", BUY))
    world.send(limit("b", BUY, "90"))
    before = list(world.kinds)
    world.minute()

    assert before == ["b OrderAccepted"]
    assert world.kinds == ["b OrderAccepted", "a OrderFilled", "a OrderAccepted"]


def test_a_copy_overtakes_as_any_message_does() -> None:
    world = World(
        Rule(fault=Overtake(by=2), match=Match(client_order_id="a")),
        Rule(fault=Repeat(copies=1), match=Match(client_order_id="b")),
    )

    world.send(*(limit(name, BUY, "90") for name in "abc"))

    assert [name_of(message) for message in world.told] == ["b", "b", "a", "c"]


def test_what_was_overtaken_overtakes_in_turn() -> None:
    world = World(
        Rule(fault=Overtake(by=1), match=Match(client_order_id="a", what="OrderAccepted")),
        Rule(fault=Overtake(by=1), match=Match(client_order_id="b", what="OrderAccepted")),
        Rule(fault=Repeat(copies=1), match=Match(client_order_id="c")),
    )

    world.send(*(limit(name, BUY, "90") for name in "abcd"))

    assert world.kinds == [
        *["c OrderAccepted"] * 2,
        "a OrderAccepted",
        "b OrderAccepted",
        "d OrderAccepted",
    ]


def test_a_request_is_ignored_but_on_record() -> None:
    world = World(Rule(fault=Ignore(), match=Match(what="submit")))

    world.send(market("a", BUY))
    after = world.look_up("a")
    world.send(market("a", BUY))

    assert after == OrderNotFound(client_order_id="a")
    assert world.kinds == ["a OrderAccepted"]
    assert world.exchange.requests_seen == 3


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("submit", ["b OrderRejected"]),
        ("replace", ["a OrderAccepted", "a OrderCanceled"]),
        ("cancel", ["a OrderAccepted", "b OrderAccepted", "a OrderReplaced"]),
    ],
)
def test_any_kind_of_request_may_be_ignored(what: str, kinds: list[str]) -> None:
    world = World(Rule(fault=Ignore(), match=Match(what=what)))

    world.send(limit("a", BUY, "90"), replacing("a", limit("b", BUY, "91")))
    world.cancel("a")

    assert world.kinds == kinds


def test_looks_may_be_ignored_too() -> None:
    world = World(Rule(fault=Ignore(), match=Match(), times=2))

    assert world.exchange.receive(LookUp("a"), 0) == ()
    assert world.exchange.receive(TakeSnapshot(1, 0), 0) == ()


def test_a_cancel_stays_pending_and_the_order_may_fill_meanwhile() -> None:
    world = World(HoldCancel(events=2))
    world.send(limit("a", BUY, "100"), limit("b", BUY, "90"))

    world.cancel("a")
    world.cancel("b")
    world.minute()

    assert world.kinds[2:] == ["b OrderCanceled", "a OrderFilled"]


def test_a_pending_cancel_comes_to_its_end_after_so_many_events() -> None:
    world = World(HoldCancel(events=2), Rule(fault=FillPart(share=Decimal("0.2")), times=None))
    world.send(limit("a", BUY, "100"))

    world.cancel("a")
    for _ in range(3):
        world.minute()
        world.cancel("a")  # to ask again changes nothing

    assert world.kinds == ["a OrderAccepted", *["a OrderFilled"] * 2, "a OrderCanceled"]
    assert world.told[-1] == OrderCanceled(client_order_id="a", at=2 * MINUTE)


def test_a_cancel_may_be_pending_for_ever_and_then_only_the_market_ends_the_order() -> None:
    world = World(HoldCancel())
    world.send(limit("a", BUY, "90"))

    world.cancel("a")
    world.send(replacing("a", limit("b", BUY, "91")))
    for _ in range(5):
        world.minute()
        world.cancel("a")
    pending = world.look_up("a")
    world.told += world.exchange.close_session(world.now)

    assert isinstance(pending, OrderFound)
    assert pending.found.status is OrderStatus.ACCEPTED
    assert world.kinds == ["a OrderAccepted", "b OrderRejected", "a OrderExpired"]


def test_the_close_of_a_session_is_an_event_for_what_is_pending() -> None:
    world = World(HoldCancel(events=1))
    world.send(gtc(limit("a", BUY, "90")))

    world.cancel("a")
    told = world.exchange.close_session(7)

    assert told == (OrderCanceled(client_order_id="a", at=7),)


def test_an_accepted_order_is_rejected_later_before_anything_of_it_fills() -> None:
    world = World(RejectLater(reason="halted"))

    world.send(market("a", BUY), market("b", BUY))
    world.minute()

    assert world.kinds[2:] == ["a OrderRejected", "b OrderFilled"]
    assert world.told[2] == OrderRejected(client_order_id="a", reason="halted", at=0)
    found = world.look_up("a")
    assert isinstance(found, OrderFound)
    assert (found.found.status, found.found.reason) == (OrderStatus.REJECTED, "halted")
    assert found.fills == ()


def test_what_has_traded_or_is_over_is_not_rejected_any_more() -> None:
    world = World(Rule(fault=RejectLater(events=2), times=None), FillPart())

    world.send(limit("filled", BUY, "100"), limit("canceled", BUY, "90"))
    world.cancel("canceled")
    world.minute()
    world.minute()

    assert world.kinds[2:] == [
        "canceled OrderCanceled",
        "filled OrderFilled",
        "filled OrderFilled",
    ]


def test_an_order_is_hidden_from_whoever_looks_for_a_while() -> None:
    world = World(Hide(for_ns=MINUTE + 1))
    world.send(market("a", BUY), limit("b", BUY, "90"))
    world.minute()

    hidden = world.look_up("a"), world.snapshot()
    world.now += 1
    shown = world.look_up("a"), world.snapshot()

    assert hidden[0] == OrderNotFound(client_order_id="a")
    assert isinstance(shown[0], OrderFound)
    assert isinstance(hidden[1], SnapshotTaken) and isinstance(shown[1], SnapshotTaken)
    before, after = hidden[1].snapshot, shown[1].snapshot
    assert [order.order.client_order_id for order in before.orders] == ["b"]
    assert [order.order.client_order_id for order in after.orders] == ["a", "b"]
    assert (before.fills, len(after.fills)) == ((), 1)
    assert (before.account, before.positions) == (after.account, after.positions)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_order_id", "another"),
        ("symbol", "SPY"),
        ("side", SELL),
        ("quantity", Decimal(11)),
        ("order_type", OrderType.MARKET),
        ("time_in_force", TimeInForce.GTC),
        ("limit_price", Decimal("90.01")),
        ("stop_price", Decimal(1)),
        ("replaces", "somebody"),
    ],
)
def test_one_field_of_the_echo_is_altered_wherever_the_order_is_shown(
    field: str, value: object
) -> None:
    world = World(AlterEcho(**{field: value}))  # type: ignore[arg-type]  # of any type
    order = limit("a", BUY, "90")
    altered = structs.replace(order, **{field: value})

    world.send(order, limit("b", BUY, "90"))

    assert [message.echo for message in world.told if isinstance(message, OrderAccepted)] == [
        altered,
        limit("b", BUY, "90"),
    ]
    found, snapshot = world.look_up("a"), world.snapshot()
    assert isinstance(found, OrderFound) and isinstance(snapshot, SnapshotTaken)
    assert found.client_order_id == "a"
    assert found.found.order == snapshot.snapshot.orders[0].order == altered
    assert world.engine.open_orders[0].order == order


def test_a_refused_order_is_executed_all_the_same() -> None:
    world = World(FillRefused())
    refused = limit("a", BUY, "90.001")

    world.send(refused, limit("b", BUY, "90.001"))
    world.minute("SPY")
    world.minute()
    world.minute()

    assert world.kinds == ["a OrderRejected", "b OrderRejected", "a OrderFilled"]
    fill = world.told[-1]
    assert isinstance(fill, OrderFilled)
    assert (fill.fill.quantity, fill.fill.price) == (Decimal(10), Decimal(100))
    assert fill.fill.at == MINUTE
    assert world.engine.account.position("AAPL") == 10
    assert world.engine.account.cash == 99_000
    found = world.look_up("a")
    assert isinstance(found, OrderFound)
    assert found.found.status is OrderStatus.REJECTED
    assert found.fills == (fill.fill,)


def test_a_second_order_of_one_name_is_not_the_one_that_was_refused() -> None:
    world = World(Rule(fault=FillRefused(), times=None))

    world.send(market("a", BUY), market("a", BUY))
    world.minute()

    assert world.kinds == ["a OrderAccepted", "a OrderUnknown", "a OrderFilled"]


@pytest.mark.parametrize(
    ("order", "share", "quantities"),
    [
        (market("a", BUY, "10"), "0.5", ["5", "5"]),
        (market("a", BUY, "7"), "0.5", ["3", "4"]),
        (market("a", BUY, "2"), "0.1", ["1", "1"]),
        (market("a", BUY, "1"), "0.5", ["1"]),
        (gtc(market("a", BUY, "0.5", symbol="BTC/USD")), "0.333", ["0.1665", "0.3335"]),
    ],
)
def test_an_execution_is_partial_in_whole_steps_and_the_rest_waits(
    order: Order, share: str, quantities: list[str]
) -> None:
    world = World(FillPart(share=Decimal(share)))

    world.send(order)
    world.minute(order.symbol)
    world.minute(order.symbol)

    fills = [message.fill for message in world.told if isinstance(message, OrderFilled)]
    assert [fill.quantity for fill in fills] == [Decimal(quantity) for quantity in quantities]


def test_more_is_executed_than_was_ordered() -> None:
    world = World(Overfill(extra=Decimal(3)))

    world.send(market("a", BUY), market("b", BUY))
    world.minute()
    world.minute()

    fills = [message.fill for message in world.told if isinstance(message, OrderFilled)]
    assert [f"{fill.client_order_id} {fill.quantity}" for fill in fills] == ["a 13", "b 10"]
    found = world.look_up("a")
    assert isinstance(found, OrderFound)
    assert (found.found.status, found.found.filled_quantity) == (OrderStatus.FILLED, Decimal(13))
    assert world.engine.account.position("AAPL") == 23
    assert world.engine.open_orders == ()


def test_an_order_is_overfilled_by_what_would_complete_it_and_not_before() -> None:
    world = World(Overfill(), terms=VenueTerms(max_participation=Decimal("0.006")))

    world.send(market("a", BUY))
    world.minute()
    world.minute()

    fills = [message.fill for message in world.told if isinstance(message, OrderFilled)]
    assert [fill.quantity for fill in fills] == [6, 5]


def test_a_look_that_fails_proves_nothing() -> None:
    world = World(
        Rule(fault=FailLook(reason="500"), match=Match(what="look_up")),
        Rule(fault=FailLook(reason="page 3 is short"), match=Match(what="snapshot")),
    )
    world.send(market("a", BUY))

    assert world.look_up("a") == OrderNotFound(client_order_id="a", reason="500")
    assert world.snapshot() == SnapshotFailed(number=1, reason="page 3 is short")
    assert isinstance(world.look_up("a"), OrderFound)
    assert isinstance(world.snapshot(), SnapshotTaken)


def test_a_snapshot_comes_without_equity() -> None:
    world = World(HideEquity())

    first, second = world.snapshot(), world.snapshot()

    assert isinstance(first, SnapshotTaken) and isinstance(second, SnapshotTaken)
    assert first.snapshot.account.equity is None
    account = structs.replace(first.snapshot.account, equity=Decimal(100_000))
    assert second.snapshot == structs.replace(first.snapshot, account=account)


def test_somebody_else_sends_an_order_and_all_hear_of_it() -> None:
    order = market("by hand", BUY)
    world = World(Rule(fault=PlantOrder(order=order), match=Match(from_event=2)))

    world.minute()
    before = list(world.told)
    world.minute()

    assert before == []
    assert world.kinds == ["by hand OrderAccepted", "by hand OrderFilled"]
    assert world.engine.account.position("AAPL") == 10
    assert world.exchange.requests_seen == 0


def test_position_and_cash_drift_without_an_order() -> None:
    world = World(
        Rule(fault=DriftPosition(symbol="AAPL", quantity=Decimal(-3)), match=Match(from_event=2)),
        Rule(fault=DriftCash(amount=Decimal("-0.01")), match=Match(from_event=2), times=2),
    )

    seen: list[tuple[Decimal, Decimal]] = []
    for _ in range(4):
        seen.append((world.engine.account.position("AAPL"), world.engine.account.cash))
        world.minute()

    assert [position for position, _ in seen] == [0, 0, -3, -3]
    assert [cash - 100_000 for _, cash in seen] == [0, 0, Decimal("-0.01"), Decimal("-0.02")]
    assert world.told == []


def test_the_account_is_blocked_and_free_again() -> None:
    world = World(
        BlockAccount(reason="trading_blocked"),
        Rule(fault=BlockAccount(reason=""), match=Match(from_event=2)),
    )

    world.minute()
    world.send(market("a", BUY))
    blocked = world.snapshot()
    world.minute()
    world.send(market("b", BUY))

    assert isinstance(blocked, SnapshotTaken)
    assert blocked.snapshot.account.blocked == "trading_blocked"
    assert world.kinds == ["a OrderRejected", "b OrderAccepted"]


@pytest.mark.parametrize(
    ("match", "lost"),
    [
        (Match(), "abcd"),
        (Match(what="OrderAccepted"), "abcd"),
        (Match(what="OrderFilled"), ""),
        (Match(client_order_id="b"), "b"),
        (Match(leg="-e"), ""),
        (Match(leg="c"), "c"),
        (Match(symbol="SPY"), "d"),
        (Match(side=SELL), "c"),
        (Match(from_event=1), ""),
        (Match(symbol="AAPL", side=BUY), "ab"),
    ],
)
def test_a_rule_strikes_what_it_is_meant_for_and_nothing_else(match: Match, lost: str) -> None:
    world = World(Rule(fault=Lose(), match=match, times=None))
    world.engine.account.adjust("AAPL", Decimal(10))

    world.send(
        limit("a", BUY, "90"),
        limit("b", BUY, "90"),
        limit("c", SELL, "110"),
        of_symbol("SPY", limit("d", BUY, "90")),
    )

    told = [name_of(message) for message in world.told]
    assert told == [name for name in "abcd" if name not in lost]


@pytest.mark.parametrize(("times", "lost"), [(None, 5), (0, 0), (1, 1), (3, 3)])
def test_a_rule_strikes_as_often_as_it_says(times: int | None, lost: int) -> None:
    world = World(Rule(fault=Lose(), times=times))

    world.send(*(limit(str(number), BUY, "90") for number in range(5)))

    assert [name_of(message) for message in world.told] == [str(n) for n in range(lost, 5)]


def test_a_rule_strikes_at_its_rate_and_the_same_again_with_the_same_seed() -> None:
    def told(seed: int) -> list[VenueMessage]:
        rule = Rule(fault=Lose(), times=None, rate=0.3)
        exchange = MisbehavingExchange(Misbehaviour(rules=(rule,), seed=seed))
        orders = [limit(str(number), BUY, "90", quantity="1") for number in range(200)]
        return [m for order in orders for m in exchange.receive(Submit(order), 0)]

    assert 110 < len(told(1)) < 170
    assert told(1) == told(1)
    assert told(1) != told(2)


def test_a_misspelt_match_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^what is 'OrderFiled', wanted one of OrderAccepted, "):
        Match(what="OrderFiled")


def test_a_plan_is_named_by_all_that_is_in_it() -> None:
    plans: list[dict[str, Any]] = [
        {"rules": (Rule(fault=Lose()),)},
        {"rules": (Rule(fault=Lose()),), "seed": 1},
        {"rules": (Rule(fault=Ignore()),)},
        {"rules": (Rule(fault=Lose(), times=None),)},
        {"rules": (Rule(fault=Lose(), match=Match(symbol="AAPL")),)},
        {"rules": (Rule(fault=Lose()), Rule(fault=Lose()))},
    ]

    digests = [Misbehaviour(**plan).digest for plan in plans]

    assert len(set(digests)) == len(plans)
    assert digests == [Misbehaviour(**plan).digest for plan in plans]
    assert Misbehaviour().digest == Misbehaviour(seed=9).digest == ""


DRIFT = DriftCash(amount=Decimal(1))


@settings(max_examples=20, deadline=None)
@given(history=histories())
def test_a_venue_with_rules_that_strike_nothing_is_the_honest_one(history: History) -> None:
    faults: list[Fault] = [Lose(), Ignore(), HoldCancel(), FillPart(), Hide(for_ns=1), DRIFT]
    never = Match(from_event=10**9)
    rules = tuple(Rule(fault=fault, match=never, times=None) for fault in faults)
    exchange, honest = MisbehavingExchange(Misbehaviour(rules=rules)), SimulatedExchange()

    for step in history.steps:
        assert do(exchange, step) == do(honest, step)

    assert state_of(exchange) == state_of(honest)


@settings(max_examples=20, deadline=None)
@given(
    history=histories(),
    faults=st.lists(
        st.sampled_from([Lose(), Delay(events=2), Repeat(copies=2), Overtake(by=2)]), max_size=4
    ),
)
def test_what_is_told_changes_nothing_of_what_is_so(history: History, faults: list[Fault]) -> None:
    rules = tuple(Rule(fault=fault, times=None, rate=0.5) for fault in faults)
    exchange, honest = MisbehavingExchange(Misbehaviour(rules=rules)), SimulatedExchange()
    told: list[VenueMessage] = []
    wanted: list[VenueMessage] = []

    for step in history.steps:
        told += do(exchange, step)
        wanted += do(honest, step)

    assert state_of(exchange) == state_of(honest)
    assert all(message in wanted for message in told)
