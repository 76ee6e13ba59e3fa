"""Judges a world by what does not lie: the venue's log, the ledger, the order of the journal."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from hydra.proving.exposures import worst_exposure
from hydra.trading.exact import add, total
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Side
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.playback import market_events
from hydra.venues.simulated.rebuild import play_until
from hydra.venues.simulated.requests import Replace, Submit
from tests.engine.harness import Life, World

NEVER_SENT = (OrderStatus.INTENDED, OrderStatus.WITHHELD)


def require_sound(world: World) -> None:
    """What holds of every world, whatever happened in it; the newest life's ledger is open."""
    require_one_request_for_each_attempt(world)
    for life in world.lives:
        require_nothing_sent_while_shut(world, life)


def require_one_request_for_each_attempt(world: World) -> None:
    """No order came to the venue twice, or without being on record as it came (I13 to I20)."""
    ledger = world.lives[-1].ledger
    sent = [each.order for each in world.requests if isinstance(each, Submit | Replace)]
    names = Counter(order.client_order_id for order in sent)
    assert [name for name, times in names.items() if times > 1] == []
    on_record = {each.state.order.client_order_id: each.state for each in ledger.orders()}
    assert [order for order in sent if on_record[order.client_order_id].order != order] == []
    never = {name for name, state in on_record.items() if state.status in NEVER_SENT}
    assert never.isdisjoint(names)


def require_nothing_sent_while_shut(world: World, life: Life) -> None:
    """Every order that came to the venue came in a state that lets it pass (I01, I06, I09).

    At one instant several states may have been: any of them will do, since the log has no finer
    time; what comes between two instants has one state only.
    """
    states = [(r["ts"], r["state"]) for r in life.journal.events("trading_state")]
    for line in world.log.lines[life.lines_before : life.lines_after]:
        if not isinstance(line, RequestReceived):
            continue
        if not isinstance(line.request, Submit | Replace):
            continue
        before = [state for ts, state in states if ts < line.at][-1:]
        possible = {*before, *(state for ts, state in states if ts == line.at)}
        name = line.request.order.client_order_id
        reducing = {"ACTIVE", "CLOSE_ONLY"}
        passing = {"e": {"ACTIVE"}, "x": reducing, "p": reducing}.get(name[-1])
        assert passing is None or possible & passing, (name, possible)


def require_agreement(world: World) -> None:
    """Every cent and every share at the venue is some bot's, and nothing else is (I23, I61)."""
    ledger, account = world.lives[-1].ledger, world.exchange.engine.account
    opening = ledger.opening_cash
    assert opening is not None
    assert add(opening, total(each.cash for each in ledger.sub_ledgers())) == account.cash
    held: dict[str, Decimal] = {}
    for each in ledger.inventories():
        symbol = each.inventory.symbol
        held[symbol] = add(held.get(symbol, Decimal(0)), each.inventory.position)
    assert {symbol: quantity for symbol, quantity in held.items() if quantity} == world.positions
    ours = {each.state.order.client_order_id for each in ledger.orders()}
    at_venue = sorted((f.execution_id, f.quantity, f.price) for f in world.fills)
    assert sorted((f.execution_id, f.quantity, f.price) for f in ledger.fills()) == at_venue
    assert {fill.client_order_id for fill in world.fills} <= ours


def exposures(world: World) -> Iterator[Decimal]:
    """The account's worst-case exposure after everything that happened at an honest venue (I31):
    its log played again, each order filling whole at the highest price that it could.
    """
    exchange = SimulatedExchange()
    events = list(market_events(world.data.bars, world.data.sessions))
    for line in world.log.lines:
        if not isinstance(line, RequestReceived):
            continue
        while exchange.events_seen < line.events:
            at, _ = events[exchange.events_seen]
            play_until(exchange, events[exchange.events_seen : exchange.events_seen + 1], at)
            yield exposure_of(exchange)
        exchange.receive(line.request, line.at)
        yield exposure_of(exchange)


def require_never_oversold(world: World) -> None:
    """At no time more was on offer than was held, by the log of an honest venue played again: the
    stops and exits of a position could all have filled, and none of them sold what was not there.
    """
    exchange = SimulatedExchange()
    events = list(market_events(world.data.bars, world.data.sessions))
    for line in world.log.lines:
        if not isinstance(line, RequestReceived):
            continue
        while exchange.events_seen < line.events:
            at, _ = events[exchange.events_seen]
            play_until(exchange, events[exchange.events_seen : exchange.events_seen + 1], at)
        exchange.receive(line.request, line.at)
        engine = exchange.engine
        for symbol in world.data.symbols:
            on_offer = total(
                each.remaining
                for each in engine.open_orders
                if each.order.symbol == symbol and each.order.side is Side.SELL
            )
            assert on_offer <= engine.account.position(symbol), line


def exposure_of(exchange: SimulatedExchange) -> Decimal:
    """What is held, and every open buy filled whole at the highest price that it could."""
    engine = exchange.engine
    symbols = {each.symbol for each in engine.account.positions()}
    symbols |= {each.order.symbol for each in engine.open_orders}
    return total(worst_exposure(engine, symbol) for symbol in symbols)
