"""The REST and WebSocket face: the adapter, and the local venue in the broker's place.

Everything passes real sockets: orders over HTTP, their ends over the trading stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic_ns, sleep
from typing import Any

from msgspec import structs

from hydra.ports import GateKey
from hydra.settings.secret import Secret
from hydra.trading.orders import Order, Role
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.stream import Conversation, Heard, Stream
from hydra.venues.alpaca.trading_stream import NAME, TradingConversation
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from hydra.venues.alpaca.websocket import Message
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.queries import ActivityQuery, OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.requests import BrokerRequest, PlaceOrder, ReplaceOrder
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.log_lines import RequestArrived, RequestReceived, VenueLine
from hydra.venues.simulated.server.rest.keys import ApiKeys
from messages.streams import StreamConnected, StreamLost
from tests.contracts.venues.face import KEY, Booked, Books, Face, FaceTerms, Traits
from tests.contracts.venues.scene import ENTRY, bars
from tests.contracts.venues.served import Served
from tests.venues.server.kit import FREE, PATIENCE_S, TOKEN, venue_on

KEYS = ApiKeys("HYDRA0001", "a-secret")
QUIET_S = 0.02
"""For so long nothing more has to come, once everything seems to be over."""
ALL_REQUESTS = Shares(a_minute=100_000)
ORDERS_MAX = 10_000


class RestFace(Face):
    """Asked and told on different threads; what is told is waited for."""

    traits = Traits(
        has_stream=True,
        tells_replacements=False,
        looks_when_a_cancel_is_refused=True,
        replaces_what_has_traded=False,
    )

    def __init__(self, terms: FaceTerms, *, call_within_s: float = 10.0) -> None:
        super().__init__()
        self._lines: list[VenueLine] = []
        self._updates = 0
        self._updates_heard = 0
        self._submitted: list[str] = []
        self._machine_time_passed = 0
        self.answered: set[str] = set()
        """Of these orders the adapter has said what came of its request, or of a look."""
        self.served = self._serve(terms)
        local, network = self.served.venue, Network(loopback_only=True)
        self._stream = Stream(
            NAME,
            f"{self.served.url.replace('http', 'ws')}/stream",
            {},
            lambda: _Counted(TradingConversation(KEYS.key_id, KEYS.secret)),
            self._hear,
            network.connect,
        )
        keys = Keys(Secret(KEYS.key_id), Secret(KEYS.secret))
        self._alpaca = AlpacaVenue(
            HttpClient(self.served.url, keys, network, call_within_s=call_within_s),
            self.gate,
            terms=AlpacaTerms(
                trades_crypto=True,
                shares=ALL_REQUESTS,
                failures_max=1_000,
                call_within_s=call_within_s,
                snapshot_within_s=call_within_s,
            ),
            market_time=local.now,
            machine_time=lambda: monotonic_ns() + self._machine_time_passed,
            tell=self._be_answered,
            report_stream=self._stream.report,
        )
        self.venue = self._alpaca
        self._stream.start()
        self.until(lambda: bool(self.of(StreamConnected)), "a connection")
        self.told.clear()

    def _serve(self, terms: FaceTerms) -> Served:
        venue = venue_on(
            *bars(),
            terms=BrokerageTerms(
                starting_cash=terms.starting_cash,
                max_participation=terms.max_participation,
                shorts_allowed=terms.shorts_allowed,
                crypto_taker_fee_bps=terms.coin_fee_bps,
                crypto_maker_fee_bps=terms.coin_fee_bps,
                multiplier=2 if terms.shorts_allowed else 1,
            ),
        )
        venue.record_in(self._lines.append)
        venue.on_updates(self._count_update)
        return Served(venue, AppTerms(keys=KEYS, rest=FREE, admin_token=TOKEN))

    def submit(
        self, order: Order, role: Role = ENTRY, epoch: int | None = None, key: GateKey = KEY
    ) -> str:
        name = super().submit(order, role, epoch, key)
        self._submitted.append(name)
        return name

    def go_to(self, at: int) -> None:
        self.served.run(self.served.venue.move_to(at))

    def pass_machine_time(self, duration: int) -> None:
        """For the adapter so much more time (ns) has gone by than for us."""
        self._machine_time_passed += duration

    def books(self) -> Books:
        return self.served.do(self._books)

    def requests(self) -> tuple[BrokerRequest, ...]:
        """All that was ever asked of the venue and came there, by its own log."""
        return tuple(
            line.request for line in tuple(self._lines) if isinstance(line, RequestReceived)
        )

    def arrivals(self, method: str) -> list[RequestArrived]:
        """All that ever came there by this method, whatever befell it then; reads apart."""
        return [
            line
            for line in tuple(self._lines)
            if isinstance(line, RequestArrived) and line.method == method
        ]

    def order_requests(self) -> tuple[str, ...]:
        return tuple(
            each.client_order_id or ""
            for each in self.requests()
            if isinstance(each, PlaceOrder | ReplaceOrder)
        )

    def settle(self) -> None:
        self.until(self._is_at_rest, "an end of all that is under way")
        told = -1
        while told != len(self.told):
            told = len(self.told)
            sleep(QUIET_S)

    def cut_stream(self) -> None:
        self.served.admin("POST", "/streams", {"type": "reset"})
        self.until(lambda: bool(self.of(StreamLost)), "the end of the stream")

    def close(self) -> None:
        self.gate.before_passing = lambda _: None
        try:
            assert self._alpaca.close(within_s=PATIENCE_S)
            assert self.gate.in_flight() == ()
            self._stream.ask_to_stop()
        finally:
            self.served.close()
        assert self._stream.stop(within_s=PATIENCE_S)

    def _is_at_rest(self) -> bool:
        return (
            self.gate.in_flight() == ()
            and self._updates == self._updates_heard
            and self.answered >= set(self._submitted)
        )

    def _count_update(self, update: TradeUpdate) -> None:
        self._updates += 1

    def _hear(self, fact: Any) -> None:
        if isinstance(fact, _UpdateHeard):
            self._updates_heard += 1
        else:
            self.told.append(fact)

    def _be_answered(self, message: Any) -> None:
        self.told.append(message)
        name = getattr(message, "client_order_id", None)
        if name is not None:
            self.answered.add(name)

    def _books(self) -> Books:
        broker = self.served.venue.at_present()
        query = OrderQuery(which=WhichOrders.ALL, limit=ORDERS_MAX, ascending=True)
        sheet = broker.account()
        return Books(
            orders=tuple(_booked(each) for each in broker.orders(query)),
            positions={each.symbol: each.quantity for each in broker.positions()},
            cash=sheet.cash,
            executions=tuple(_executions(broker)),
        )


class _UpdateHeard:
    """Told behind everything that one update says."""


class _Counted:
    """A conversation that says at the end of each update that it was one."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._is_live = False

    def opened(self) -> tuple[Message, ...]:
        return self._talk.opened()

    def due(self) -> tuple[Message, ...]:
        return self._talk.due()

    def hear(self, message: Message) -> Heard:
        heard = self._talk.hear(message)
        if not self._is_live:
            self._is_live = heard.is_live
            return heard
        return structs.replace(heard, tell=(*heard.tell, _UpdateHeard()))


def _booked(order: BrokerOrder) -> Booked:
    return Booked(order.client_order_id, not order.status.is_terminal, order.filled_quantity)


def _executions(broker: Brokerage) -> Iterator[str]:
    """Their ids, oldest first."""
    query = ActivityQuery(types=frozenset({"FILL"}), ascending=True)
    return (each.id.rpartition("::")[2] for each in broker.activities(query))
