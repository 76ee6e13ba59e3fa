"""A flatten beside a venue that trades on, hides, delays and forgets; the venue's books judge."""

from decimal import Decimal

import msgspec
from hypothesis import Phase as HypothesisPhase
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hydra.trading.closing import Close, Holding
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.flatten import ROUNDS_MAX, FlattenState, Phase, after
from hydra.trading.flatten_events import (
    Asked,
    CancelAll,
    CloseEnded,
    Done,
    Effect,
    Event,
    Failed,
    LatchPause,
    Opened,
    Paused,
    ReadAccount,
    ReadingFailed,
    Restarted,
    Snapshot,
    Tick,
    Waits,
    Withdrawn,
)
from hydra.trading.trading_state import TradingState

SECOND = 1_000_000_000
OWNERS = [("mom", "AAPL"), ("cross", "AAPL"), ("mom", "BTC/USD"), ("cross", "BTC/USD")]
SYMBOLS = ("AAPL", "BTC/USD")
COIN = CoinTerms(quantity_step=Decimal(1), least_value_usd=Decimal(1), most_value_usd=Decimal(5))
"""At the price of 1 that is told an order of it may be for 4: with room for the price to rise."""
FEW = st.integers(0, 9)
"""For what is to happen in one of ten cases only."""


class VenueOrder:
    """One order at the venue: what of it is still to be executed, signed."""

    def __init__(self, name: str, owner: tuple[str, str], quantity: int, number: int) -> None:
        self.name = name
        self.owner = owner
        self.left = quantity
        self.number = number
        """Of its round; 0 for one that is no closing order."""
        self.is_to_be_canceled = False


class Reading:
    """What the venue said when it was asked. It may be heard much later."""

    def __init__(
        self, number: int, open_orders: set[str], positions: dict[str, int], closed: set[str]
    ) -> None:
        self.number = number
        self.open_orders = open_orders
        self.positions = positions
        self.closed = closed
        """Whose market is."""


class FlattenBesideAVenue(RuleBasedStateMachine):
    """The machine plays guardian and venue. What is written in capitals here is the judgement."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.state = FlattenState()
        self.to_do: list[Effect] = []
        self.readings: list[Reading] = []
        self.orders: dict[str, VenueOrder] = {}
        self.held = dict.fromkeys(OWNERS, 0)
        self.on_record = dict.fromkeys(OWNERS, 0)
        self.unheard: list[tuple[VenueOrder, int]] = []
        """Fills that are not on record yet, each with its order."""
        self.closed: set[str] = set()
        self.sent: set[tuple[str, str, int]] = set()
        self.rounds: list[tuple[int, bool]] = []
        """Number and side (is it a buy) of every round since it was last asked for, or came on."""

    @property
    def to_close(self) -> Decimal:
        """So much is left, as far as it was told."""
        return sum((abs(quantity) for _, quantity in self.state.left), Decimal(0))

    # What the guardian does.

    def tell(self, event: Event) -> None:
        was_under_way = self.state.phase.is_under_way
        was_waiting = self.state.phase is Phase.WAITING
        to_close = self.to_close
        state, effects = after(self.state, event)
        self.state = msgspec.json.decode(msgspec.json.encode(state), type=FlattenState)
        assert self.state == state
        self.to_do += effects
        for effect in effects:
            if isinstance(effect, Done):
                # NEVER FLAT unless it is.
                assert not any(self.at_venue(symbol) for symbol in SYMBOLS)
                assert not self.orders
            if isinstance(effect, Close) and isinstance(event, Snapshot):
                # NOTHING IS SENT TO A MARKET THAT IS CLOSED.
                (holding,) = [each for each in event.holdings if each.symbol == effect.symbol]
                assert holding.is_market_open
            if isinstance(effect, Failed) and not isinstance(event, Withdrawn):
                assert any(self.at_venue(symbol) for symbol in SYMBOLS)
            if isinstance(effect, Waits):
                # ONLY FOR A MARKET THAT WAS CLOSED.
                assert isinstance(event, Snapshot)
                shut = {each.symbol for each in event.holdings if not each.is_market_open}
                assert self.state.waits_for
                assert shut.issuperset(self.state.waits_for)
        if (
            (isinstance(event, Asked) and not was_under_way)
            or (isinstance(event, Opened) and was_waiting)
            or self.to_close < to_close
        ):
            self.rounds.clear()

    @precondition(lambda self: self.to_do)
    @rule(effects=st.integers(1, 9))
    def carry_out(self, effects: int) -> None:
        for effect in self.to_do[:effects]:
            match effect:
                case LatchPause():
                    self.tell(Paused(self.now))
                case ReadAccount(number):
                    positions = {symbol: self.at_venue(symbol) for symbol in SYMBOLS}
                    self.readings.append(
                        Reading(number, set(self.orders), positions, set(self.closed))
                    )
                case CancelAll(names):
                    for name in names:
                        if name in self.orders:
                            self.orders[name].is_to_be_canceled = True
                case Close():
                    self.send(effect)
                case Done() | Failed() | Waits():
                    pass
        del self.to_do[:effects]

    def send(self, close: Close) -> None:
        key = (close.bot, close.symbol, close.number)
        # NO KEY TWICE, NO ROUND TOO MANY, AND NOTHING ELSE AT WORK THAN THIS ROUND.
        assert key not in self.sent
        self.sent.add(key)
        is_buy = close.quantity > 0
        if (close.number, is_buy) not in self.rounds:
            self.rounds.append((close.number, is_buy))
        assert [side for _, side in self.rounds].count(is_buy) <= ROUNDS_MAX
        assert all(order.number == close.number for order in self.orders.values())
        # IT CLOSES: neither the account nor the bot passes through zero.
        quantity = int(close.quantity)
        working = sum(o.left for o in self.orders.values() if o.owner[1] == close.symbol)
        assert is_towards_zero(self.at_venue(close.symbol), quantity + working)
        assert is_towards_zero(self.held[close.bot, close.symbol], quantity)
        # NO ORDER OF A COIN THAT THE VENUE WOULD REFUSE FOR ITS SIZE (it is never held short).
        assert close.symbol != "BTC/USD" or quantity >= -4
        name = "-".join(map(str, key))
        self.orders[name] = VenueOrder(name, (close.bot, close.symbol), quantity, close.number)

    @rule(pause=st.sampled_from([TradingState.CLOSE_ONLY, TradingState.HALTED]), often=FEW)
    def an_operator_asks_again(self, pause: TradingState, often: int) -> None:
        if self.state.phase.is_under_way and often:
            return
        self.tell(Asked(reason="smoke", operator="ann", pause=pause, now=self.now))

    @rule(often=FEW)
    def it_is_withdrawn(self, often: int) -> None:
        if not often:
            self.tell(Withdrawn(reason="a mistake", operator="bob"))
            # NOTHING BEYOND WHAT WAS DECIDED BEFORE.
            assert not self.state.phase.is_under_way

    @rule(passing=st.sampled_from([1, 2, 5, 30]))
    def time_passes(self, passing: int) -> None:
        self.now += passing * SECOND
        self.tell(Tick(self.now))

    @rule(lost=st.booleans(), often=FEW)
    def the_guardian_starts_again(self, lost: bool, often: int) -> None:
        """What it had not carried out may be lost, and the machine's clock begins anew."""
        if often:
            return
        self.to_do = [] if lost else [e for e in self.to_do if not isinstance(e, ReadAccount)]
        self.readings.clear()
        self.now = 0
        self.tell(Restarted(self.now))

    @precondition(lambda self: self.readings)
    @rule(number=st.integers(0, 100), again=st.booleans())
    def a_reading_is_heard(self, number: int, again: bool) -> None:
        reading = self.readings[number % len(self.readings)]
        if not again:
            self.readings.remove(reading)
        on_their_way = {
            f"{close.bot}-{close.symbol}-{close.number}"
            for close in self.to_do
            if isinstance(close, Close)
        }
        self.tell(
            Snapshot(
                number=reading.number,
                # Nobody knows an order's end before it was heard, with all of its fills: until
                # then the guardian, which is asked with each reading, holds it for open.
                open_orders=tuple(
                    sorted(
                        reading.open_orders
                        | on_their_way
                        | {order.name for order, _ in self.unheard}
                    )
                ),
                holdings=tuple(
                    Holding(
                        symbol=symbol,
                        at_venue=Decimal(position),
                        of_bots=tuple(
                            (bot, Decimal(quantity))
                            for (bot, name), quantity in self.on_record.items()
                            if name == symbol
                        ),
                        is_market_open=symbol not in reading.closed,
                        coin=COIN if symbol == "BTC/USD" else None,
                        price=Decimal(1),
                    )
                    for symbol, position in reading.positions.items()
                ),
                now=self.now,
            )
        )

    @precondition(lambda self: self.readings)
    @rule(number=st.integers(0, 100), is_told=st.booleans(), often=FEW)
    def a_reading_fails(self, number: int, is_told: bool, often: int) -> None:
        if often:
            return
        reading = self.readings.pop(number % len(self.readings))
        if is_told:
            self.tell(ReadingFailed(reading.number, self.now))

    @precondition(lambda self: self.unheard)
    @rule()
    def fills_are_heard(self) -> None:
        for order, quantity in self.unheard:
            self.on_record[order.owner] += quantity
        self.unheard.clear()

    # What the venue does.

    @rule(symbol=st.sampled_from(SYMBOLS), often=FEW)
    def a_market_opens_or_closes(self, symbol: str, often: int) -> None:
        if not often:
            self.closed ^= {symbol}
            self.opening_is_seen()

    def opening_is_seen(self) -> None:
        if not self.closed.issuperset(self.state.waits_for):
            self.tell(Opened(self.now))

    @initialize(
        positions=st.lists(st.integers(-9, 9), min_size=4, max_size=4),
        entries=st.lists(st.sampled_from(OWNERS), max_size=3),
    )
    def begin(self, positions: list[int], entries: list[tuple[str, str]]) -> None:
        self.held = dict(zip(OWNERS, positions, strict=True))
        self.on_record = dict(self.held)
        for number, owner in enumerate(entries):
            self.orders[f"entry-{number}"] = VenueOrder(f"entry-{number}", owner, 5, 0)
        pause = TradingState.CLOSE_ONLY
        self.tell(Asked(reason="smoke", operator="ann", pause=pause, now=self.now))

    @precondition(lambda self: self.orders)
    @rule(number=st.integers(0, 100), share=st.integers(1, 9))
    def an_order_is_executed(self, number: int, share: int) -> None:
        order = list(self.orders.values())[number % len(self.orders)]
        quantity = min(share, abs(order.left)) * (1 if order.left > 0 else -1)
        order.left -= quantity
        self.held[order.owner] += quantity
        self.unheard.append((order, quantity))
        if not order.left:
            self.end(order)

    @precondition(lambda self: self.orders)
    @rule(number=st.integers(0, 100))
    def an_order_is_canceled(self, number: int) -> None:
        order = list(self.orders.values())[number % len(self.orders)]
        if order.is_to_be_canceled:
            self.end(order)

    def end(self, order: VenueOrder) -> None:
        """An end is told once the fills of the order are on record."""
        del self.orders[order.name]
        if order.number:
            self.fills_are_heard()
            bot, symbol = order.owner
            self.tell(CloseEnded(bot=bot, symbol=symbol, number=order.number, now=self.now))

    def at_venue(self, symbol: str) -> int:
        return sum(quantity for (_, name), quantity in self.held.items() if name == symbol)

    @invariant()
    def a_flat_account_stays_flat(self) -> None:
        if self.state.phase is Phase.FLAT:
            assert not any(self.at_venue(symbol) for symbol in SYMBOLS)

    def teardown(self) -> None:
        """From wherever it is: with a venue that does its part, it comes to an end."""
        self.closed.clear()
        for _ in range(60):
            if not self.state.phase.is_under_way:
                return
            self.opening_is_seen()
            self.carry_out(len(self.to_do))
            for order in list(self.orders.values()):
                if order.is_to_be_canceled:
                    self.end(order)
                elif order.number:
                    self.held[order.owner] += order.left
                    self.unheard.append((order, order.left))
                    self.end(order)
            self.fills_are_heard()
            self.carry_out(len(self.to_do))
            while self.readings:
                self.a_reading_is_heard(0, again=False)
            self.time_passes(30)
        raise AssertionError(f"it comes to no end: {self.state}")


def is_towards_zero(position: int, quantity: int) -> bool:
    return quantity == 0 or (quantity * position < 0 and abs(quantity) <= abs(position))


def test_a_flatten_closes_and_never_opens_whatever_happens_beside_it_i09_i16_i42_i59() -> None:
    run_state_machine_as_test(
        FlattenBesideAVenue,
        settings=settings(
            max_examples=40,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(HypothesisPhase.explicit, HypothesisPhase.reuse, HypothesisPhase.generate),
        ),
    )
