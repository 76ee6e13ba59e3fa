"""Whole histories of a venue: a market of two days, and what is asked of the venue in between."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.orders import Order
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.venue_view import VenueSnapshot
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import BarBegun, SessionClosed, market_events
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Replace,
    Request,
    Submit,
    TakeSnapshot,
    VenueMessage,
)
from hydra.venues.simulated.resting_orders import RestingOrder
from tests.venues.simulated.draws import SYMBOLS, orders, ranges
from tests.venues.simulated.orders import MINUTE

DAY = 24 * 60 * MINUTE
BEFORE_ALL = -(2**62)


class Asked(msgspec.Struct, frozen=True):
    """A request at its market time."""

    at: int
    request: Request


Step: TypeAlias = Asked | BarBegun | Bar | SessionClosed


class History(msgspec.Struct, frozen=True):
    """Requests and market events in the order in which they come."""

    data: MarketData
    steps: tuple[Step, ...]


class State(msgspec.Struct, frozen=True):
    """All that can be seen of a venue."""

    view: VenueSnapshot
    working: tuple[RestingOrder, ...]
    requests: int
    events: int


def state_of(exchange: SimulatedExchange) -> State:
    """Looking so early changes nothing, and leaves nothing out."""
    return State(
        view=exchange.engine.snapshot(at=BEFORE_ALL, since=BEFORE_ALL),
        working=exchange.engine.open_orders,
        requests=exchange.requests_seen,
        events=exchange.events_seen,
    )


def do(exchange: SimulatedExchange, step: Step) -> tuple[VenueMessage, ...]:
    """One step; gives what the venue tells."""
    match step:
        case Asked(at=at, request=request):
            return exchange.receive(request, at)
        case BarBegun(bar=bar):
            return exchange.begin_bar(bar)
        case Bar():
            return exchange.on_bar(step)
        case SessionClosed(at=at):
            return exchange.close_session(at)


def what_is_left(history: History, exchange: SimulatedExchange) -> Iterator[Step]:
    """The steps that the venue has not seen, whether they are requests or market events."""
    requests = events = 0
    for step in history.steps:
        if isinstance(step, Asked):
            requests += 1
            if requests > exchange.requests_seen:
                yield step
        else:
            events += 1
            if events > exchange.events_seen:
                yield step


def market_of(minutes: Sequence[tuple[float, float, float, float]]) -> MarketData:
    """A bar of each symbol a minute, the first half on one day and the rest on the next."""
    half = (len(minutes) + 1) // 2
    bars = tuple(
        Bar(symbol, start_at, start_at + MINUTE, *prices, 1_000.0)
        for number, prices in enumerate(minutes)
        for start_at in (number * MINUTE if number < half else DAY + (number - half) * MINUTE,)
        for symbol in SYMBOLS
    )
    days = [(0, "1970-01-01"), (DAY, "1970-01-02")]
    sessions = [ExchangeSession(date, at, at + 60 * MINUTE, False) for at, date in days]
    return MarketData(
        bars=bars, sessions=SessionTable(tuple(sessions)), symbols=SYMBOLS, origin="drawn"
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Some minutes of market, with up to three requests before each of its events."""
    data = market_of(draw(st.lists(ranges(), min_size=2, max_size=8)))
    asked = st.lists(
        st.tuples(st.sampled_from("oooocrls"), orders(), st.integers(0, 3)), max_size=3
    )
    steps: list[Step] = []
    sent: list[Order] = []
    now = 0
    for at, event in market_events(data.bars, data.sessions):
        for kind, order, number in draw(asked):
            now += 1_000
            steps.append(Asked(now, _request(kind, order, number, sent)))
        if isinstance(event, BarBegun | Bar | SessionClosed):
            steps.append(event)
        now = max(now, at)
    return History(data, tuple(steps))


def _request(kind: str, order: Order, number: int, sent: list[Order]) -> Request:
    """`kind` is how it begins: an order, a cancel, a replacement, a look-up, a snapshot."""
    chosen = sent[-1 - number % len(sent)] if sent else order
    name = f"order-{len(sent)}"
    match kind:
        case "c":
            return Cancel(chosen.client_order_id)
        case "l":
            return LookUp(chosen.client_order_id)
        case "s":
            return TakeSnapshot(number, since=0)
        case "r" if sent:
            new = structs.replace(chosen, client_order_id=name, quantity=order.quantity)
            sent.append(structs.replace(new, replaces=chosen.client_order_id))
            return Replace(sent[-1])
        case _:
            sent.append(structs.replace(order, client_order_id=name))
            return Submit(sent[-1])
