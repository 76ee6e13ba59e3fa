"""The rules for orders, tried: limits to buy far below the market, each taken out again at once.

Nothing here is at the market, nothing is a stop, and nothing could trade but in a fall of a third
within seconds. Where the price is not known nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from hydra.trading.echo import echo_mismatch, words
from hydra.trading.exact import add, multiply
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.canary import contract
from hydra.venues.alpaca.canary.desk import PREFIX, Desk, Seen
from hydra.venues.alpaca.canary.judging import (
    Found,
    answer_to_probe,
    judged,
    line_of,
    unknown,
)
from hydra.venues.alpaca.canary.lines import Line, Verdict
from hydra.venues.alpaca.canary.listening import OrderEar
from hydra.venues.alpaca.canary.reading import CALLED, Market
from hydra.venues.alpaca.order_matrix import (
    PROBED,
    AssetKind,
    Extra,
    Hours,
    OrderRule,
    Portion,
)
from hydra.venues.alpaca.outcomes import Ok, Outcome, Refused, describe
from hydra.venues.alpaca.payloads import read_fills, reader
from hydra.venues.alpaca.sending import amount

FAR = Decimal("0.7")
"""Of what is bid: so low a probe bids."""
HALF = Decimal("0.5")
COIN_WORTH, TOO_LITTLE_WORTH = Decimal(12), Decimal(5)
"""USD, at the probe's limit: over and under what the broker takes of a coin."""
NAME_LENGTH_OVER = 129
NOBODYS = "ZZZZZ"
NOBODYS_PRICE = Decimal("0.01")
"""Should there come to be such a share, it is not to be had for this."""
UPDATE_WITHIN_S = 5.0

BY_ID, BY_NAME, LISTED, CANCEL, UPDATES, FILLS = PATH = (
    "path: by id",
    "path: by name",
    "path: list of open orders",
    "path: cancel",
    "path: trade updates",
    "path: fills",
)
"""The checks of the whole path, which one order that rests goes."""


class Probe(msgspec.Struct, frozen=True):
    """One order to be tried, and the body of the request that places it."""

    order: Order
    body: bytes


def probe_of(rule: OrderRule, market: Market, name: str) -> Probe:
    """The order that tries the rule: it buys, at a limit far below what is bid."""
    terms = market.terms
    price = terms.price_below(multiply(market.bid, FAR))
    assert price is not None and price > 0, "a market has a price and its steps"
    symbol, quantity = market.symbol, Decimal(1)
    if rule.kind is AssetKind.CRYPTO:
        worth = TOO_LITTLE_WORTH if rule.extra is Extra.UNDER_THE_FLOOR else COIN_WORTH
        quantity = terms.whole(worth / price)
        if rule.extra is not Extra.UNDER_THE_FLOOR:
            quantity = add(quantity, terms.quantity_step)
    elif rule.portion is Portion.FRACTION:
        quantity = HALF
    match rule.extra:
        case Extra.BETWEEN_PRICES:
            price = add(price, Decimal("0.001"))
        case Extra.NO_SUCH_SYMBOL:
            symbol, price = NOBODYS, NOBODYS_PRICE
        case Extra.LONG_NAME:
            name = name.ljust(NAME_LENGTH_OVER, "x")
        case _:
            pass
    order = Order(
        client_order_id=name,
        symbol=symbol,
        side=Side.BUY,
        quantity=quantity,
        order_type=OrderType.LIMIT,
        time_in_force=rule.time_in_force,
        limit_price=price,
    )
    return Probe(order, _body(order, is_extended=rule.extra is Extra.EXTENDED_HOURS))


class Probing:
    """Tries each rule; every order has its end looked for before the next is sent."""

    def __init__(
        self,
        desk: Desk,
        run: str,
        markets: Mapping[AssetKind, Market | str],
        *,
        is_open: bool,
        ear: OrderEar,
    ) -> None:
        """`run` is in the names of its orders. A market that is a text is why there is none; a kind
        that is not there is left out.
        """
        self._desk = desk
        self._run = run
        self._markets = markets
        self._is_open = is_open
        self._ear = ear
        self._used: set[str] = set()
        self._walked = False

    def lines(self) -> Iterator[Line]:
        """One a rule, and with the first order that rests, one a part of the whole path."""
        for kind, market in self._markets.items():
            yield self._probed_with(kind, market)
        for rule in PROBED:
            if rule.kind in self._markets:
                yield from self._tried(rule)
        if not self._walked:
            for check in PATH:
                yield unknown(check, "no order rested")

    def _probed_with(self, kind: AssetKind, market: Market | str) -> Line:
        check = f"{CALLED[kind]} to probe with"
        if isinstance(market, str):
            return Line(check=check, verdict=self._without(kind), line=market)
        line = f"{market.symbol}, {words(market.bid)} bid"
        return Line(check=check, verdict=Verdict.PASS, line=line)

    def _without(self, kind: AssetKind) -> Verdict:
        """What is to be said where there is nothing to probe with. A share that is closed has no
        price to go by; it will have one.
        """
        is_closed = kind is AssetKind.EQUITY and not self._is_open
        return Verdict.NOT_NOW if is_closed else Verdict.UNKNOWN

    def _tried(self, rule: OrderRule) -> Iterator[Line]:
        check = f"order {rule.name}"
        market = self._markets[rule.kind]
        if rule.hours is Hours.REGULAR and not self._is_open:
            yield Line(check=check, verdict=Verdict.NOT_NOW, line=f"seen {rule.hours.value} only")
        elif isinstance(market, str):
            line = f"not sent: no {CALLED[rule.kind]} to probe with"
            yield Line(check=check, verdict=self._without(rule.kind), line=line)
        elif rule.extra is Extra.NAME_AGAIN and self._name("share-day") not in self._used:
            yield unknown(check, "no order of a name to be used again was taken")
        else:
            again = rule.extra is Extra.NAME_AGAIN
            name = self._name("share-day" if again else rule.name)
            yield from self._sent(check, rule, probe_of(rule, market, name))

    def _name(self, of: str) -> str:
        return f"{PREFIX}{self._run}-{of}"

    def _sent(self, check: str, rule: OrderRule, probe: Probe) -> Iterator[Line]:
        name = probe.order.client_order_id
        outcome = self._desk.place(name, probe.body)
        if not isinstance(outcome, Ok):
            line = answer_to_probe(check, rule.refused, outcome)
            assert line is not None, "only what was taken leaves none"
            yield line
            return
        self._used.add(name)
        seen = outcome.value
        found = echo_of(probe.order, seen) + judged(contract.ORDER, [seen.row])
        walks = rule.refused is None and not self._walked and _rests(rule)
        if walks:
            self._walked = True
            yield from self._shown(probe.order, seen)
        asked = self._desk.cancel(seen.payload.id)
        end = self._desk.ended(seen.payload.id, name)
        if walks:
            yield _cancel_line(asked, end)
            yield self._told(probe.order)
            yield self._untraded(seen.payload.id)
        yield _end_line(check, rule, found, seen, end)

    def _shown(self, order: Order, placed: Seen) -> Iterator[Line]:
        """Whether each way of looking shows the order that was placed."""
        by_id, by_name = (
            self._desk.look(placed.payload.id),
            self._desk.look_by_name(order.client_order_id),
        )
        for check, outcome in ((BY_ID, by_id), (BY_NAME, by_name)):
            if not isinstance(outcome, Ok):
                yield unknown(check, describe(outcome))
                continue
            found = echo_of(order, outcome.value) + judged(contract.ORDER, [outcome.value.row])
            if outcome.value.payload.id != placed.payload.id:
                found += Found((f"it shows order {words(outcome.value.payload.id)}",))
            yield line_of(check, found, "it is the order that was sent")
        listed = self._desk.ask("/v2/orders", {"status": "open", "limit": "500"})
        yield _listed_line(listed, placed.payload.id)

    def _told(self, order: Order) -> Line:
        check = UPDATES
        if not self._ear.is_live:
            return unknown(check, "the trading stream does not hear")
        updates = self._ear.updates_of(order.client_order_id, "canceled", UPDATE_WITHIN_S)
        if not updates:
            return unknown(check, "nothing was told of the order")
        found = judged(contract.UPDATE, updates)
        found += judged(contract.ORDER, [each.get("order") for each in updates])
        events = [str(each.get("event")) for each in updates]
        if not found.faults and "canceled" not in events:
            return unknown(check, f"told were {words(', '.join(events))}, and not that it ended")
        return line_of(check, found, ", ".join(events))

    def _untraded(self, order_id: str) -> Line:
        check = FILLS
        query = {"direction": "desc", "page_size": "100", "order_id": order_id}
        outcome = self._desk.ask("/v2/account/activities/FILL", query)
        if not isinstance(outcome, Ok):
            return unknown(check, describe(outcome))
        try:
            fills = [each for each in read_fills(outcome.value) if each.order_id == order_id]
        except BadAnswer as bad:
            return line_of(check, Found((f"Hydra cannot read it: {bad}",)), "")
        return line_of(
            check, Found(tuple(f"execution {words(each.id)}" for each in fills)), "it never traded"
        )


def echo_of(order: Order, seen: Seen) -> Found:
    """Whether what is shown is the order that was sent, in words that Hydra reads."""
    try:
        shown = wire.venue_order(seen.payload, lambda _: None)
    except BadAnswer as bad:
        return Found((str(bad),))
    faults = [fault for fault in (echo_mismatch(order, shown.order), shown.unread) if fault]
    return Found(tuple(faults))


def _rests(rule: OrderRule) -> bool:
    return rule.time_in_force is not TimeInForce.IOC


def _end_line(check: str, rule: OrderRule, found: Found, seen: Seen, end: Seen | str) -> Line:
    """What is said of a rule whose order was taken."""
    refused = answer_to_probe(check, rule.refused, Ok(seen.payload))
    if refused is not None:
        return refused
    faults = found.faults
    if rule.extra is Extra.EXTENDED_HOURS:
        faults = tuple(each for each in faults if each != wire.IN_EXTENDED_HOURS)
        if faults == found.faults:
            faults += ("it was asked to work in extended hours, and does not say so",)
    if isinstance(end, str):
        if faults:
            return line_of(check, Found(faults, found.news), "")
        line = f"it was taken, and its end was not seen: {end}"
        return Line(check=check, verdict=Verdict.UNKNOWN, line=line, news=found.news)
    found = Found(faults, found.news) + judged(contract.ORDER, [end.row])
    if end.payload.filled_qty != 0:
        found += Found((f"it TRADED: {words(end.payload.filled_qty)} filled",))
    status = words(end.payload.status)
    if end.payload.status not in ("canceled", "expired"):
        found += Found((f"it ended as {status}, wanted canceled",))
    return line_of(check, found, f"taken, then {status}")


def _cancel_line(asked: Outcome[None], end: Seen | str) -> Line:
    check = CANCEL
    if isinstance(asked, Refused):
        line = f"the cancel of an order that rests was refused: {asked}"
        return Line(check=check, verdict=Verdict.DRIFTED, line=line)
    if not isinstance(asked, Ok):
        return unknown(check, describe(asked))
    if isinstance(end, str):
        return unknown(check, f"its end was not seen: {end}")
    return Line(check=check, verdict=Verdict.PASS, line=f"it ended as {words(end.payload.status)}")


def _listed_line(outcome: Outcome[bytes], order_id: str) -> Line:
    check = LISTED
    if not isinstance(outcome, Ok):
        return unknown(check, describe(outcome))
    try:
        rows = _read_rows(outcome.value)
    except BadAnswer as bad:
        return line_of(check, Found((f"it is no list of orders: {bad}",)), "")
    found = judged(contract.ORDER, rows)
    if all(row.get("id") != order_id for row in rows):
        found += Found(("an order that rests is not in it",))
    return line_of(check, found, "it is in it")


_read_rows = reader(list[dict[str, object]])


def _body(order: Order, *, is_extended: bool) -> bytes:
    assert order.limit_price is not None, "a probe has a limit"
    body: dict[str, object] = {
        "symbol": order.symbol,
        "qty": amount(order.quantity),
        "side": order.side.value,
        "type": order.order_type.value,
        "time_in_force": order.time_in_force.value,
        "client_order_id": order.client_order_id,
        "limit_price": amount(order.limit_price),
    }
    if is_extended:
        body["extended_hours"] = True
    return msgspec.json.encode(body)
