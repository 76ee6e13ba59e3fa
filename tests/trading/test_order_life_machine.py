"""Many orders beside a venue of a few lines, which knows nothing of statuses and tables."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hydra.trading.order_life import (
    Absent,
    Accepted,
    Attempted,
    Canceled,
    Expired,
    ImpossibleReport,
    OrderEvent,
    OrderState,
    OrderStatus,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
    after,
)
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce


class VenueOrder:
    """What is true of an order at the venue, whatever has been heard of it."""

    def __init__(self, number: int, quantity: int) -> None:
        self.order = Order(
            client_order_id=f"order-{number}",
            symbol="AAPL",
            side=Side.BUY,
            quantity=Decimal(quantity),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        )
        self.quantity = quantity
        self.filled = 0
        self.executions = 0
        self.is_taken = False
        self.out_of_sight = False
        self.given_up = False
        self.end = ""

    @property
    def is_live(self) -> bool:
        return self.is_taken and not self.end

    @property
    def at_rest(self) -> str:
        """The status that has to be known once everything has been heard."""
        if self.end:
            return self.end
        if self.filled:
            return "partially_filled"
        if self.is_taken:
            return "accepted"
        if self.given_up:
            return "absent"
        return "unknown" if self.out_of_sight else "attempted"


def fill_of(order: VenueOrder, quantity: int) -> Fill:
    return Fill(
        execution_id=f"execution-{order.executions}",
        client_order_id=order.order.client_order_id,
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal("187.30"),
        at=0,
    )


class OrdersBesideAVenue(RuleBasedStateMachine):
    """A venue trades; what it says is heard late, out of order, and more than once."""

    orders: Bundle[VenueOrder] = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.at_venue: list[VenueOrder] = []
        self.known: dict[str, OrderState] = {}
        self.left_behind: set[tuple[str, OrderStatus]] = set()
        self.counted: dict[tuple[str, str], Fill] = {}
        self.on_the_way: list[tuple[str, OrderEvent]] = []
        self.said: list[tuple[str, OrderEvent]] = []

    def say(self, order: VenueOrder, event: OrderEvent) -> None:
        self.on_the_way.append((order.order.client_order_id, event))

    def hear(self, name: str, event: OrderEvent) -> None:
        before, counted = self.known[name], None
        if isinstance(event, Fill):
            counted = self.counted.get((name, event.execution_id))
            self.counted[name, event.execution_id] = event
        state = self.known[name] = after(before, event, counted)
        assert state.filled_quantity >= before.filled_quantity
        if state.status is not before.status:
            self.left_behind.add((name, before.status))
            assert (name, state.status) not in self.left_behind

    def attempt(self, quantity: int) -> VenueOrder:
        order = VenueOrder(len(self.at_venue), quantity)
        self.at_venue.append(order)
        self.known[order.order.client_order_id] = after(OrderState(order=order.order), Attempted())
        return order

    @rule(target=orders, quantity=st.integers(1, 9))
    def send(self, quantity: int) -> VenueOrder:
        return self.attempt(quantity)

    @rule(story=st.sampled_from(["gate shut", "expired"]), is_looked_for=st.booleans())
    def hold_back(self, story: str, is_looked_for: bool) -> None:
        order = self.attempt(1)
        order.end = "withheld"
        self.say(order, Withheld(story))
        if is_looked_for:
            self.say(order, Absent("3 looks found nothing"))

    @rule(order=orders, story=st.sampled_from(["timed out", "connection reset", "503"]))
    def lose_sight(self, order: VenueOrder, story: str) -> None:
        order.out_of_sight = True
        self.say(order, Unknown(story))

    @rule(order=orders, looks=st.integers(3, 5))
    def give_up(self, order: VenueOrder, looks: int) -> None:
        if order.out_of_sight:
            order.given_up = True
            self.say(order, Absent(f"{looks} looks found nothing"))

    @rule(order=orders)
    def take(self, order: VenueOrder) -> None:
        if not order.end:
            order.is_taken = True
            self.say(order, Accepted(f"venue-{order.order.client_order_id}"))

    @rule(order=orders, story=st.sampled_from(["not shortable", "halted"]))
    def refuse(self, order: VenueOrder, story: str) -> None:
        if order.filled == 0 and order.end in ("", "rejected"):
            order.end = "rejected"
            self.say(order, Rejected(story))

    @rule(order=orders, share=st.integers(1, 9))
    def execute(self, order: VenueOrder, share: int) -> None:
        if order.is_live:
            quantity = min(share, order.quantity - order.filled)
            order.filled += quantity
            order.executions += 1
            if order.filled == order.quantity:
                order.end = "filled"
            self.say(order, fill_of(order, quantity))

    @rule(order=orders)
    def cancel(self, order: VenueOrder) -> None:
        if order.is_live:
            order.end = "canceled"
            self.say(order, Canceled())

    @rule(order=orders)
    def run_out_of_time(self, order: VenueOrder) -> None:
        if order.is_live:
            order.end = "expired"
            self.say(order, Expired())

    @rule(order=orders, other=orders)
    def replace(self, order: VenueOrder, other: VenueOrder) -> None:
        if order.is_live:
            order.end = "replaced"
            self.say(order, Replaced(other.order.client_order_id))

    @rule(order=orders)
    def call_one_end_by_another_name(self, order: VenueOrder) -> None:
        if order.end in ("canceled", "replaced"):
            self.say(order, Expired())
        if order.end == "replaced":
            self.say(order, Canceled())

    @rule(order=orders)
    def hear_what_cannot_be(self, order: VenueOrder) -> None:
        state = self.known[order.order.client_order_id]
        lies: list[OrderEvent] = [fill_of(order, order.quantity + 1)]
        if state.venue_order_id is not None:
            lies += [Withheld("gate shut"), Accepted("another order"), Attempted()]
        if state.filled_quantity:
            lies += [Rejected("not shortable")]
        for lie in lies:
            with pytest.raises(ImpossibleReport):
                after(state, lie)

    @precondition(lambda self: self.on_the_way)
    @rule(number=st.integers(0, 1_000))
    def hear_one_of_what_is_on_the_way(self, number: int) -> None:
        said = self.on_the_way.pop(number % len(self.on_the_way))
        self.said.append(said)
        self.hear(*said)

    @precondition(lambda self: self.said)
    @rule(number=st.integers(0, 1_000), times=st.integers(1, 4))
    def hear_something_again(self, number: int, times: int) -> None:
        for _ in range(times):
            self.hear(*self.said[number % len(self.said)])

    @rule(random=st.randoms(use_true_random=False))
    def hear_all(self, random: Random) -> None:
        self.said += self.on_the_way
        random.shuffle(self.on_the_way)
        for said in self.on_the_way:
            self.hear(*said)
        self.on_the_way.clear()
        for order in self.at_venue:
            state = self.known[order.order.client_order_id]
            assert (state.status.value, int(state.filled_quantity)) == (order.at_rest, order.filled)

    @invariant()
    def no_more_is_filled_than_the_venue_has_filled_or_we_have_ordered(self) -> None:
        for order in self.at_venue:
            filled = self.known[order.order.client_order_id].filled_quantity
            assert 0 <= filled <= order.filled <= order.quantity

    @invariant()
    def what_may_still_trade_at_the_venue_is_open(self) -> None:
        for order in self.at_venue:
            is_open = self.known[order.order.client_order_id].status.is_open
            assert order.end or order.given_up or is_open

    def teardown(self) -> None:
        self.hear_all(Random(0))


def test_orders_end_as_the_venue_says_however_its_word_arrives_i22_i23_i24_i25() -> None:
    run_state_machine_as_test(
        OrdersBesideAVenue,
        settings=settings(
            max_examples=40,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
