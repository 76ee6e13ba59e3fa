"""The simulated venue's in-process face: the exchange behind the `Venue` port."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from hydra.crash_points import reached
from hydra.ports import PERMIT_CLASSES, GateKey, OrderGate, PermitClass
from hydra.trading.bars import Bar
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Request,
    TakeSnapshot,
    VenueMessage,
    request_to_send,
)
from messages.orders import OrderApproved


class InProcessVenue:
    """Passes the order gate at the last instant, then hands the request to the exchange.

    The lock orders requests and market events, which come from different threads in a live run.
    Everything is told in that one order, also by whichever thread, so that a snapshot agrees with
    the reports told before it; and the lock is never held while anybody is told anything.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        gate: OrderGate,
        market_time: Callable[[], int],
        tell: Callable[[VenueMessage], None],
    ) -> None:
        self._exchange = exchange
        self._gate = gate
        self._market_time = market_time
        self._tell = tell
        self._lock = threading.Lock()
        self._untold: deque[VenueMessage] = deque()
        self._somebody_tells = False

    def submit(self, approved: OrderApproved, key: GateKey) -> None:
        """See `Venue.submit`."""
        order = approved.order
        permit_class = PERMIT_CLASSES[approved.intent.decision.role]
        reached("venue.submit.asked")
        self._request(
            request_to_send(order), order.client_order_id, approved.epoch, key, permit_class
        )

    def cancel(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.cancel`."""
        self._request(
            Cancel(client_order_id), client_order_id, self._gate.epoch, key, PermitClass.CANCEL
        )

    def look_up(self, client_order_id: str, key: GateKey) -> None:
        """See `Venue.look_up`."""
        self._request(
            LookUp(client_order_id), client_order_id, self._gate.epoch, key, PermitClass.READ
        )

    def take_snapshot(self, number: int, since: int, key: GateKey) -> None:
        """See `Venue.take_snapshot`."""
        self._request(
            TakeSnapshot(number, since),
            f"snapshot {number}",
            self._gate.epoch,
            key,
            PermitClass.READ,
        )

    @property
    def has_stream(self) -> bool:
        """See `Venue.has_stream`. Who is told is told at once."""
        return False

    def report_stream(self) -> None:
        """See `Venue.report_stream`."""

    def cut(self, client_order_ids: tuple[str, ...]) -> None:
        """See `Venue.cut`. A request is over before anybody could ask for that."""

    def begin_bars(self, bars: Iterable[Bar]) -> None:
        """Bars begin, all at one time: what rests sees their opens."""
        self._happen(bars, self._exchange.begin_bar)

    def on_bars(self, bars: Iterable[Bar]) -> None:
        """Bars have closed, all at one time: what rests may fill."""
        self._happen(bars, self._exchange.on_bar)

    def _happen(self, bars: Iterable[Bar], to: Callable[[Bar], tuple[VenueMessage, ...]]) -> None:
        with self._lock:
            for bar in bars:
                if told := to(bar):  # of nearly every bar there is nothing to tell
                    self._untold.extend(told)
            is_news = bool(self._untold)
        if is_news:
            self._tell_all()

    def close_session(self, at: int) -> None:
        """The exchange has closed: day orders expire."""
        with self._lock:
            self._untold.extend(self._exchange.close_session(at))
        self._tell_all()

    def _request(
        self, request: Request, name: str, epoch: int, key: GateKey, permit_class: PermitClass
    ) -> None:
        permit = self._gate.enter(name, epoch, key, permit_class)
        try:
            reached("venue.request.before")
            with self._lock:
                self._untold.extend(self._exchange.receive(request, self._market_time()))
            reached("venue.request.answered")
        finally:
            self._gate.leave(permit)
        self._tell_all()

    def _tell_all(self) -> None:
        """Tell what is untold. Where another thread is at it already, it tells ours too."""
        while (message := self._next_to_tell()) is not None:
            try:
                self._tell(message)
                reached("venue.told")
            finally:
                self._somebody_tells = False

    def _next_to_tell(self) -> VenueMessage | None:
        with self._lock:
            if self._somebody_tells or not self._untold:
                return None
            self._somebody_tells = True
            return self._untold.popleft()
