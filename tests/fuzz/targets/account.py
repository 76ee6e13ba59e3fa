"""The account's side of the broker: an order sent, canceled and looked up, and the whole account.

Asked through the adapter as the gateway asks it. Whatever the broker answers, each question has one
word for an answer, no outcome is made up (I19), and amounts are what was written, digit for digit.
"""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from queue import Empty, Queue
from time import monotonic, sleep
from typing import Any

from hydra.ports import GateKey
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.trading.amounts import is_amount
from hydra.trading.causes import ACTOR_FAILED, kind_of
from hydra.trading.orders import Fill, Role
from hydra.trading.trading_state import Cause
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from hydra.venues.alpaca.http import Answer
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from messages.orders import OrderAccepted, OrderRejected, OrderUnknown, OrderWithheld
from messages.reconciliation import (
    OrderFound,
    OrderNotFound,
    ReconcileNow,
    SnapshotFailed,
    SnapshotTaken,
)
from tests.fuzz.exactness import require_written, tree_of
from tests.fuzz.scripts import NO_END, Scripted, script, spoilt_scripts
from tests.fuzz.target import Broken, Target, Verdict, require
from tests.venues.alpaca.samples import (
    ASSET,
    ID,
    NAME,
    account_json,
    approved,
    fill_json,
    order,
    order_json,
    position_json,
)

KEY = GateKey("/gateway", 1)
NOW = 1_795_444_267_000_000_000
WITHIN_S = 30.0
CALL_WITHIN_S = 1_000.0
"""No answer here is late: how long the machine takes is not what is looked at."""

BY_NAME = "GET /v2/orders:by_client_order_id"
ORDER = f"GET /v2/orders/{ID}"
FEE = {
    "id": "2026::fee-1",
    "activity_type": "CFEE",
    "date": "2026-11-23",
    "net_amount": "0",
    "symbol": "BTCUSD",
    "qty": "-0.000012345",
    "price": "90000",
    "status": "executed",
}
COIN = {"id": "coin-1", "class": "crypto", "symbol": "BTC/USD", "status": "active"}
HELD_COIN = position_json(asset_id="coin-1", symbol="BTCUSD", asset_class="crypto", qty="0.5")
LEG = order_json(id="leg-1", client_order_id="hy1-leg", status="held", type="stop", qty="12")
SEEDS = (
    script(
        ("POST /v2/orders", 200, order_json()),
        (BY_NAME, 200, order_json(filled_qty="5", status="partially_filled")),
        ("GET /v2/account/activities/FILL", 200, [fill_json()]),
        ("GET /v2/positions", 200, [position_json(), HELD_COIN]),
        ("GET /v2/account", 200, account_json()),
        ("GET /v2/orders", 200, [order_json(status="filled", filled_qty="5"), LEG]),
        ("GET /v2/orders", 200, []),
        ("GET /v2/account/activities/FILL", 200, []),
        ("GET /v2/account/activities/FILL", 200, [fill_json()]),
        ("GET /v2/account/activities", 200, [FEE]),
        ("GET /v2/assets", 200, [COIN]),
        (ORDER, 200, order_json()),
        (f"DELETE /v2/orders/{ID}", 204, ""),
        ("DELETE /v2/orders", 207, [{"id": ID, "status": 200}]),
    ),
    script(
        ("POST /v2/orders", 422, {"code": 40010001, "message": "client_order_id must be unique"})
    ),
    script(("POST /v2/orders", 403, {"code": 40310000, "message": "insufficient buying power"})),
    script(("POST /v2/orders", 422, {"code": 42210000, "message": "these do not go together"})),
    script(
        ("GET /v2/positions", 200, [position_json(asset_id=ASSET, qty="-3", side="short")]),
        ("GET /v2/account", 200, account_json(trading_blocked=True)),
        (
            "GET /v2/orders",
            200,
            [order_json(replaces="other-1", legs=[LEG], order_class="bracket")],
        ),
        ("GET /v2/orders/other-1", 200, order_json(id="other-1", status="replaced")),
    ),
)
HUGE_LISTS: tuple[tuple[str, int, Any], ...] = (
    ("GET /v2/account", 200, account_json()),
    ("GET /v2/orders", 200, [order_json(id=f"id-{number}") for number in range(500)]),
)
HUGE = (
    lambda: script(("POST /v2/orders", 200, order_json(qty="9" * 1_000_000))),
    lambda: b"=== POST /v2/orders 200\n" + b'{"legs":[' * 100_000,
    lambda: script(("GET /v2/positions", 200, [position_json()] * 2_000), *HUGE_LISTS),
)
WORDS = (
    *("new", "filled", "canceled", "rejected", "replaced", "held", "pending_cancel", "executed"),
    *("simple", "bracket", "mleg", "legs", "limit", "market", "stop", "trailing_stop"),
    *("buy", "sell", "sell_short", "long", "short", "day", "gtc", "opg", "USD", "CFEE", "FEE"),
    *("ACTIVE", "BLOCKED", "crypto", "us_equity", "code", "message", "qty", "filled_qty"),
    *("id", "client_order_id", "submitted_at", "updated_at", "replaces", "replaced_by"),
    *(ID, NAME, ASSET, "other-1", "leg-1", "coin-1", "hy1-other"),
)

Word = Any


class _Told:
    """What the adapter tells and what trips its gate, each waited for by whoever asked."""

    def __init__(self) -> None:
        self.words: Queue[Word] = Queue()

    def next(self) -> Word:
        try:
            word = self.words.get(timeout=WITHIN_S)
        except Empty:
            raise Broken("there was no answer") from None
        require(not isinstance(word, Cause), f"it halts: {word}")
        return word


class _Gate(Gate):
    """Open; it says when it is tripped, as where a thread of the adapter has died."""

    def __init__(self, told: _Told) -> None:
        super().__init__(lambda: 0)
        self._told = told
        self.register(KEY)
        self.renew_lease(UNLIMITED_LEASE)
        self.arm((), "a test", self.epoch)

    def trip(self, cause: Cause) -> tuple[str, ...]:
        # Others are what an answer means: that a key is refused, say.
        if kind_of(cause.code) is ACTOR_FAILED:
            self._told.words.put(cause)
        return super().trip(cause)


@contextmanager
def account(folder: Path) -> Iterator[Target]:
    """A script of all that the broker answers while one order lives."""
    died: list[BaseException] = []
    before = threading.excepthook
    threading.excepthook = lambda arguments: died.append(arguments.exc_value or SystemExit())

    def feed(data: bytes) -> Verdict:
        client, told = Scripted(data), _Told()
        gate = _Gate(told)
        venue = AlpacaVenue(
            client,
            gate,
            terms=AlpacaTerms(
                trades_crypto=True,
                shares=NO_END,
                failures_max=1 << 30,
                call_within_s=CALL_WITHIN_S,
                snapshot_within_s=CALL_WITHIN_S,
                wait_max_s=CALL_WITHIN_S,
            ),
            market_time=lambda: NOW,
            machine_time=lambda: 0,
            tell=told.words.put,
        )
        try:
            return _asked(venue, gate, client, told)
        finally:
            assert venue.close(WITHIN_S)
            if died:
                raise died.pop()

    try:
        yield Target(name="account", feed=feed, seeds=SEEDS, spoil=spoilt_scripts(WORDS), huge=HUGE)
    finally:
        threading.excepthook = before


def _asked(venue: AlpacaVenue, gate: Gate, client: Scripted, told: _Told) -> Verdict:
    venue.submit(approved(order(), role=Role.ENTRY, epoch=gate.epoch), KEY)
    _require_proven(told.next(), client)
    _settle(venue)
    venue.look_up(NAME, KEY)
    looked_up = _told_of(told, OrderFound, OrderNotFound)
    require(looked_up.client_order_id == NAME, "an answer about another order")
    if isinstance(looked_up, OrderFound):
        require(looked_up.found.order.client_order_id == NAME, "another order was found for it")
        _require_order(looked_up.found, client)
        _require_fills(looked_up.fills, client)
    heard_before = len(client.given)
    venue.take_snapshot(1, 0, KEY)
    taken = _told_of(told, SnapshotTaken, SnapshotFailed)
    if isinstance(taken, SnapshotTaken):
        _require_snapshot(taken.snapshot, client)
        _require_whole(taken.snapshot, client.given[heard_before:])
    venue.cancel_all(KEY)
    require(isinstance(told.next(), ReconcileNow), "canceling all ended in another word")
    # Its answer may be no word at all: the end of the order, or the next comparison, has the truth.
    venue.cancel(NAME, KEY)
    _settle(venue)
    with contextlib.suppress(Empty):
        word = told.words.get_nowait()
        require(isinstance(word, OrderFound | OrderNotFound), f"to a cancel it said {word}")
    return Verdict.ACCEPTED if isinstance(taken, SnapshotTaken) else Verdict.REFUSED


def _settle(venue: AlpacaVenue) -> None:
    """As its own `settle`, but that looks again at once: nothing here takes long."""
    until = monotonic() + WITHIN_S
    while not venue.is_idle and monotonic() < until:
        sleep(0)
    require(venue.is_idle, "it goes on and on")


def _told_of(told: _Told, *kinds: type[Any]) -> Word:
    """The next word, after what is left of the order's own."""
    while not isinstance(word := told.next(), kinds):
        is_own = hasattr(word, "client_order_id")
        require(is_own, f"an answer to something that was not asked: {word}")
    return word


def _require_proven(word: Word, client: Scripted) -> None:
    """No yes and no no without the broker's own, by status and in a form that can be read."""
    require(word.client_order_id == NAME, f"of an order that was not sent: {word}")
    (status,) = (each.status for asked, each in client.given if asked == b"POST /v2/orders")
    match word:
        case OrderAccepted():
            require(status == 200, f"accepted on {status}")
        case OrderRejected():
            is_no = 400 <= status < 500 and status not in (408, 409, 425, 429)
            require(is_no or status == 200, f"rejected on {status}")
        case OrderUnknown():
            pass
        case OrderWithheld():
            require(False, "it was sent, and told as if it had not been")
        case _:
            require(status == 200, f"{type(word).__name__} on {status}")


def _require_snapshot(snapshot: VenueSnapshot, client: Scripted) -> None:
    account = snapshot.account
    numbers = [account.cash, *(each.quantity for each in snapshot.positions)]
    numbers += [each.amount for each in snapshot.fees]
    numbers += [] if account.equity is None else [account.equity]
    _require_amounts(numbers, client)
    for fee in snapshot.fees:
        require(fee.amount > 0, f"a fee of {fee.amount}")
    for venue_order in snapshot.orders:
        _require_order(venue_order, client)
    _require_fills(snapshot.fills, client)
    require(
        len({each.venue_order_id for each in snapshot.orders}) == len(snapshot.orders),
        "an order is there twice",
    )


def _require_whole(snapshot: VenueSnapshot, given: list[tuple[bytes, Answer]]) -> None:
    """Whatever was listed on any page is in it: nothing is passed over in silence (I62)."""
    orders, fills, positions = set(), set(), 0
    for asked, answer in given:
        rows = tree_of(answer.body)
        if not isinstance(rows, list):
            continue
        match asked:
            case b"GET /v2/orders":
                orders |= {row["id"] for row in _with_legs(rows)}
            case b"GET /v2/account/activities/FILL":
                fills |= {row["id"].rpartition("::")[2] for row in rows}
            case b"GET /v2/positions":
                positions = len(rows)
            case _:
                continue
    missing = orders - {each.venue_order_id for each in snapshot.orders}
    require(not missing, f"orders that were listed are missing: {missing}"[:300])
    missing = fills - {each.execution_id for each in snapshot.fills}
    require(not missing, f"executions that were listed are missing: {missing}"[:300])
    require(len(snapshot.positions) == positions, f"{len(snapshot.positions)} of {positions} held")


def _with_legs(rows: list[Any]) -> Iterator[Any]:
    for row in rows:
        yield row
        yield from _with_legs(row.get("legs") or [])


def _require_order(found: VenueOrder, client: Scripted) -> None:
    prices = (found.order.limit_price, found.order.stop_price)
    numbers = [found.order.quantity, found.filled_quantity, *(each for each in prices if each)]
    _require_amounts(numbers, client)
    require(found.filled_quantity >= 0, f"{found.filled_quantity} are filled")
    require(found.order.quantity >= 0, f"an order of {found.order.quantity}")
    require(0 <= found.at < 2**63, f"at {found.at}, which no record can hold")


def _require_fills(fills: tuple[Fill, ...], client: Scripted) -> None:
    for fill in fills:
        _require_amounts([fill.quantity, fill.price], client)
        require(fill.quantity > 0, f"an execution of {fill.quantity}")
        require(0 <= fill.at < 2**63, f"at {fill.at}, which no record can hold")
    ids = [(fill.client_order_id, fill.execution_id) for fill in fills]
    require(len(set(ids)) == len(ids), f"an execution is there twice: {ids}")


def _require_amounts(numbers: list[Decimal], client: Scripted) -> None:
    require(all(map(is_amount, numbers)), f"one is no amount: {numbers}")
    require_written(numbers, *(answer.body for _, answer in client.given))
