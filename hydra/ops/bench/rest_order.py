"""What one order over REST costs its client: ours, the vendor's own and bare urllib3, by turns.

All send the same order to the same broker on loopback, whose time is the same for all of them.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from queue import SimpleQueue
from time import monotonic, perf_counter_ns, time_ns

import urllib3

from hydra import __version__
from hydra.ops.bench.gate import KEY, open_gate
from hydra.ops.bench.loopback import KEY as KEY_ID
from hydra.ops.bench.loopback import SECRET, Broker, broker
from hydra.ops.bench.order_chain import intent
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import answer_from, collector_at_rest
from hydra.ports import PermitClass
from hydra.runtime.gate import Gate
from hydra.runtime.statistics import percentile
from hydra.testkit.builders import approved
from hydra.trading.durations import MILLISECOND
from hydra.trading.orders import Role
from hydra.venues.alpaca.budget import Shares, Use
from hydra.venues.alpaca.calls import Calls, Passage
from hydra.venues.alpaca.http import CALL_WITHIN_S, Request
from hydra.venues.alpaca.outcomes import Ok
from hydra.venues.alpaca.payloads import read_order
from hydra.venues.alpaca.sending import order_body
from hydra.venues.alpaca.vendor_client import vendor_submit
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from messages.orders import OrderAccepted, OrderApproved

Send = Callable[[], None]
"""Sends the order once; raises `CouldNotMeasure` if it was not taken."""

TURNS = 100
IN_A_TURN = 8
"""Orders that one client sends before it is another's turn."""
WARM_UP = 3
BETWEEN_ORDERS = 610 * MILLISECOND
"""As close as the request budget lets entries come. Its cost depends on how many it remembers."""
WITHIN_S = 5.0

BESIDE_VENDOR = Figure(
    name="rest_order",
    unit="µs",
    what="our HTTP client under request budget and order gate, from the order to its answer read "
    "and judged, the way over loopback included; p50",
    bound="alpaca-py's submit_order by turns with it",
    bar=Bar(ratio_at_most=0.5),
)
BESIDE_BARE = Figure(
    name="rest_order_client",
    unit="µs",
    what=BESIDE_VENDOR.what,
    bound="bare urllib3 with the same bytes by turns with it",
    aim="1.3 of the bound",
)
WITH_LANE = Figure(
    name="rest_order_venue",
    unit="µs",
    what="AlpacaVenue.submit until it tells that the order was accepted, by way of its lane; p50",
    bound=BESIDE_BARE.bound,
)


class BudgetClock:
    """Machine time in which orders come just as fast as the budget allows, however they come."""

    def __init__(self) -> None:
        self._now = 0

    def pass_on(self) -> None:
        """It is time for the next order."""
        self._now += BETWEEN_ORDERS

    def __call__(self) -> int:
        return self._now


def our_client(peer: Broker, stack: ExitStack, order: OrderApproved, gate: Gate) -> Send:
    """What a thread of the adapter does with an order."""
    clock = BudgetClock()
    calls = Calls(
        peer.client(),
        Shares(),
        minutes_by=clock,
        market_time=time_ns,
        ended=lambda _: None,
    )
    stack.enter_context(closing(calls))
    name = order.order.client_order_id

    def send() -> None:
        clock.pass_on()
        outcome = calls.call(
            Request(method="POST", target="/v2/orders", body=order_body(order.order, Role.ENTRY)),
            read_order,
            Use.ENTRY,
            deadline=monotonic() + CALL_WITHIN_S,
            passage=Passage(gate, name, gate.epoch, KEY, PermitClass.ENTRY),
            name=name,
        )
        if not isinstance(outcome, Ok):
            raise CouldNotMeasure(f"our client: {outcome}")

    return send


def our_venue(peer: Broker, stack: ExitStack, order: OrderApproved, gate: Gate) -> Send:
    """The same from the engine's side: asked for in one thread, told from another."""
    clock = BudgetClock()
    told: SimpleQueue[object] = SimpleQueue()
    venue = AlpacaVenue(
        peer.client(),
        gate,
        terms=AlpacaTerms(),
        market_time=time_ns,
        machine_time=clock,
        tell=told.put,
    )
    stack.callback(venue.close, WITHIN_S)

    def send() -> None:
        clock.pass_on()
        venue.submit(order, KEY)
        report = answer_from(told, "an order's answer", within_s=WITHIN_S)
        if not isinstance(report, OrderAccepted):
            raise CouldNotMeasure(f"our venue: {report}")

    return send


def vendors_client(peer: Broker, order: OrderApproved) -> Send:
    """alpaca-py as it comes, but for the environment, which it is not to read."""
    try:
        submit = vendor_submit(peer.rest_url, KEY_ID, SECRET)(order.order)
    except ImportError as error:
        raise CouldNotMeasure(f"alpaca-py, the peer, cannot be loaded: {error}") from error

    def send() -> None:
        submit()

    return send


def bare_urllib3(peer: Broker, stack: ExitStack, order: OrderApproved) -> Send:
    """The least that can be done with the library that both stand on."""
    pool = urllib3.HTTPConnectionPool("127.0.0.1", peer.rest_port, maxsize=1)
    stack.callback(pool.close)
    body = order_body(order.order, Role.ENTRY)
    headers = {
        "APCA-API-KEY-ID": KEY_ID,
        "APCA-API-SECRET-KEY": SECRET,
        "User-Agent": f"hydra-trader/{__version__}",
        "Content-Type": "application/json",
    }

    def send() -> None:
        answered = pool.urlopen(
            "POST", "/v2/orders", body=body, headers=headers, retries=False, timeout=WITHIN_S
        )
        if answered.status != 200 or not answered.data:
            raise CouldNotMeasure(f"bare urllib3: status {answered.status}")

    return send


@contextmanager
def clients(kind: str = "accept") -> Iterator[tuple[Send, ...]]:
    """Ours, ours with its lane, the vendor's and the bare one, on one broker of this kind."""
    gate = open_gate()
    order = approved(intent("bench", 1, 0), epoch=gate.epoch, expires_at=1 << 62)
    with ExitStack() as stack:
        peer = stack.enter_context(broker(kind))
        yield (
            our_client(peer, stack, order, gate),
            our_venue(peer, stack, order, gate),
            vendors_client(peer, order),
            bare_urllib3(peer, stack, order),
        )


def by_turns(senders: tuple[Send, ...], turns: int) -> list[list[int]]:
    """Nanoseconds of each sender's orders. Who begins changes, so that nobody always does."""
    took: list[list[int]] = [[] for _ in senders]
    for turn in range(turns):
        for offset in range(len(senders)):
            number = (turn + offset) % len(senders)
            send = senders[number]
            for _ in range(IN_A_TURN):
                began = perf_counter_ns()
                send()
                took[number].append(perf_counter_ns() - began)
    return took


def take_rest_order(effort: Effort) -> tuple[Measured, ...]:
    """Medians in µs."""
    with clients() as senders:
        for send in senders * WARM_UP:
            send()
        with collector_at_rest():
            took = by_turns(senders, effort.count(TURNS, least=2))
    ours, with_lane, vendors, bare = (percentile(each, 0.5) / 1_000 for each in took)
    return Measured(ours, vendors), Measured(ours, bare), Measured(with_lane, bare)


REST_ORDER = Measurement(
    name="rest_order", figures=(BESIDE_VENDOR, BESIDE_BARE, WITH_LANE), take=take_rest_order
)
