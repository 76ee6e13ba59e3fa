"""The in-process face: through the gate at the last instant, or not at all."""

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest

from hydra.ports import GateKey, GateRefused, Permit, PermitClass, Venue
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.trading.bars import Bar
from hydra.trading.orders import DecisionKey, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.venues.dry_run import DryRun
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.in_process import InProcessVenue
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.request_log import MemoryLog, VenueLogFailed
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Replace,
    Submit,
    TakeSnapshot,
    VenueMessage,
)
from messages.orders import (
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderReplaced,
)
from messages.reconciliation import OrderFound, OrderNotFound, SnapshotTaken

KEY = GateKey("/gateway", 1)


def approved(
    role: Role = Role.ENTRY, epoch: int = 2, name: str | None = None, replaces: str | None = None
) -> OrderApproved:
    decision = DecisionKey("bot", "AAPL", "2016-04-15", 1, role)
    side = Side.BUY if role is Role.ENTRY else Side.SELL
    return OrderApproved(
        intent=OrderIntent(
            decision=decision,
            side=side,
            quantity=Decimal(5),
            reason="a test",
            decided_at=100,
            reference_price=Decimal(10),
        ),
        order=Order(
            client_order_id=name or f"hy1-{role.value}",
            symbol="AAPL",
            side=side,
            quantity=Decimal(5),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=Decimal(10 if replaces is None else 11),
            replaces=replaces,
        ),
        epoch=epoch,
        expires_at=0,
    )


class WatchedGate(Gate):
    """Keeps what passed: the class of each permit, and whether it was given back."""

    def __init__(self) -> None:
        super().__init__(lambda: 0)
        self.classes: list[tuple[str, PermitClass]] = []

    def enter(self, order_id: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Permit:
        permit = super().enter(order_id, epoch, key, permit_class)
        self.classes.append((order_id, permit_class))
        return permit


class World:
    """A venue behind an open gate, with everything that it tells."""

    def __init__(self, *causes: Cause, position: str = "0") -> None:
        self.gate = WatchedGate()
        self.gate.register(KEY)
        self.gate.renew_lease(UNLIMITED_LEASE)
        self.gate.arm(causes, "a test", self.gate.epoch)
        self.log = MemoryLog()
        self.exchange = SimulatedExchange(log=self.log)
        self.exchange.engine.account.adjust("AAPL", Decimal(position))
        self.told: list[VenueMessage] = []
        self.tell: Callable[[VenueMessage], None] = self.told.append
        self.venue = InProcessVenue(self.exchange, self.gate, lambda: 100, self.hear)

    def hear(self, message: VenueMessage) -> None:
        self.tell(message)

    @property
    def kinds(self) -> list[type[VenueMessage]]:
        return [type(message) for message in self.told]

    @property
    def requests(self) -> list[object]:
        return [line.request for line in self.log.lines if isinstance(line, RequestReceived)]


def cause(state: TradingState) -> Cause:
    return Cause(code="test", cause_class=CauseClass.LIMIT, state=state, since=0, detail="")


BAR = Bar("AAPL", 100, 160, 10.0, 10.0, 10.0, 10.0, 1000.0)


def test_an_order_is_accepted_and_filled_by_the_next_bar() -> None:
    world = World()

    world.venue.submit(approved(), KEY)
    world.venue.on_bars((BAR,))

    assert world.kinds == [OrderAccepted, OrderFilled]
    assert world.gate.in_flight() == ()


def test_everything_that_is_asked_reaches_the_exchange_as_it_was_asked() -> None:
    world = World()
    first, second = approved(name="a"), approved(name="b", replaces="a")

    world.venue.submit(first, KEY)
    world.venue.submit(second, KEY)
    world.venue.look_up("b", KEY)
    world.venue.take_snapshot(7, 50, KEY)
    world.venue.cancel("b", KEY)
    world.venue.close_session(200)

    assert world.requests == [
        Submit(first.order),
        Replace(second.order),
        LookUp("b"),
        TakeSnapshot(7, 50),
        Cancel("b"),
    ]
    assert world.kinds == [
        OrderAccepted,
        OrderAccepted,
        OrderReplaced,
        OrderFound,
        SnapshotTaken,
        OrderCanceled,
    ]
    snapshot = world.told[4]
    assert isinstance(snapshot, SnapshotTaken)
    assert (snapshot.number, snapshot.snapshot.at, snapshot.snapshot.since) == (7, 100, 50)


def test_the_close_of_the_session_ends_what_was_for_the_day() -> None:
    world = World()
    world.venue.submit(approved(), KEY)

    world.venue.close_session(200)

    assert world.kinds == [OrderAccepted, OrderExpired]


def test_every_wire_write_is_of_the_class_that_it_is_for() -> None:
    world = World(position="10")
    world.gate.authorise_flatten("a test")

    for role in Role:
        world.venue.submit(approved(role), KEY)
    world.venue.cancel("hy1-entry", KEY)
    world.venue.look_up("hy1-entry", KEY)
    world.venue.take_snapshot(1, 0, KEY)

    assert world.gate.classes == [
        ("hy1-entry", PermitClass.ENTRY),
        ("hy1-exit", PermitClass.REDUCE),
        ("hy1-protect", PermitClass.REDUCE),
        ("hy1-flatten", PermitClass.FLATTEN),
        ("hy1-entry", PermitClass.CANCEL),
        ("hy1-entry", PermitClass.READ),
        ("snapshot 1", PermitClass.READ),
    ]
    assert world.gate.in_flight() == ()


def test_in_close_only_an_exit_passes_and_an_entry_does_not_i09() -> None:
    world = World(cause(TradingState.CLOSE_ONLY), position="5")

    world.venue.submit(approved(Role.EXIT), KEY)
    with pytest.raises(GateRefused, match="CLOSE_ONLY"):
        world.venue.submit(approved(Role.ENTRY), KEY)

    assert world.kinds == [OrderAccepted]
    assert len(world.requests) == 1


def test_an_approval_of_an_older_epoch_is_not_sent_i01() -> None:
    world = World()
    old = approved(epoch=world.gate.epoch - 1)

    with pytest.raises(GateRefused, match="epoch"):
        world.venue.submit(old, KEY)

    assert (world.told, world.requests) == ([], [])


def test_halted_nothing_passes_but_cancels_and_looks_and_a_flatten_that_was_ordered_i01() -> None:
    world = World(position="5")
    world.venue.submit(approved(Role.EXIT, name="resting"), KEY)
    world.gate.trip(cause(TradingState.HALTED))
    epoch = world.gate.epoch

    for role in Role:
        with pytest.raises(GateRefused):
            world.venue.submit(approved(role, epoch), KEY)
    world.venue.take_snapshot(1, 0, KEY)
    world.venue.cancel("resting", KEY)
    world.gate.authorise_flatten("an operator says so")
    world.venue.submit(approved(Role.FLATTEN, epoch), KEY)
    world.venue.look_up("hy1-flatten", KEY)

    assert world.kinds == [
        OrderAccepted,
        SnapshotTaken,
        OrderCanceled,
        OrderAccepted,
        OrderFound,
    ]


def test_an_older_incarnation_of_the_gateway_may_not_even_look() -> None:
    world = World()
    world.gate.register(GateKey(KEY.path, KEY.incarnation + 1))

    with pytest.raises(GateRefused):
        world.venue.take_snapshot(1, 0, KEY)

    assert (world.told, world.requests) == ([], [])


def test_what_cannot_be_put_on_record_does_not_happen_and_gives_its_permit_back() -> None:
    class FullLog(MemoryLog):
        def write(self, line: object) -> None:
            raise VenueLogFailed("no space left on device")

    world = World()
    world.exchange.record_in(FullLog())

    with pytest.raises(VenueLogFailed):
        world.venue.submit(approved(), KEY)

    assert world.gate.in_flight() == ()
    assert world.told == []
    assert world.exchange.engine.open_orders == ()


def test_messages_are_told_in_the_order_in_which_they_came_to_be_also_by_another_thread() -> None:
    world = World()
    telling, go_on = threading.Event(), threading.Event()

    def slowly(message: VenueMessage) -> None:
        telling.set()
        assert go_on.wait(5.0)
        world.told.append(message)

    world.tell = slowly
    sender = threading.Thread(target=world.venue.submit, args=(approved(), KEY))
    sender.start()
    assert telling.wait(5.0)
    world.venue.on_bars((BAR,))  # must not wait for the slow one, nor tell before it
    world.venue.take_snapshot(1, 0, KEY)
    before = list(world.told)
    go_on.set()
    sender.join(5.0)

    assert before == []
    assert world.kinds == [OrderAccepted, OrderFilled, SnapshotTaken]


def test_whoever_is_told_may_ask_again_at_once() -> None:
    world = World()

    def asking(message: VenueMessage) -> None:
        world.told.append(message)
        if isinstance(message, OrderAccepted):
            world.venue.look_up(message.client_order_id, KEY)

    world.tell = asking
    world.venue.submit(approved(), KEY)

    assert world.kinds == [OrderAccepted, OrderFound]


def test_a_message_that_cannot_be_told_keeps_nobody_from_telling_the_next() -> None:
    world = World()

    def refusing(message: VenueMessage) -> None:
        if isinstance(message, OrderAccepted):
            raise OverflowError("the mailbox is full")
        world.told.append(message)

    world.tell = refusing
    with pytest.raises(OverflowError):
        world.venue.submit(approved(), KEY)
    world.venue.on_bars((BAR,))

    assert world.kinds == [OrderFilled]


def test_a_dry_run_refuses_at_the_wire_and_shows_the_account_as_it_is() -> None:
    world = World(position="7")
    venue: Venue = DryRun(world.venue)

    with pytest.raises(GateRefused, match="dry run: hy1-entry was not sent"):
        venue.submit(approved(), KEY)
    with pytest.raises(GateRefused, match="dry run: the cancel of hy1-entry was not sent"):
        venue.cancel("hy1-entry", KEY)
    venue.cut(("hy1-entry",))
    assert world.requests == [] and world.gate.classes == []

    venue.take_snapshot(3, 50, KEY)
    venue.look_up("a", KEY)

    taken, absent = world.told
    assert isinstance(taken, SnapshotTaken) and taken.number == 3
    assert [(each.symbol, each.quantity) for each in taken.snapshot.positions] == [
        ("AAPL", Decimal(7))
    ]
    assert absent == OrderNotFound(client_order_id="a")
    assert venue.has_stream is world.venue.has_stream
