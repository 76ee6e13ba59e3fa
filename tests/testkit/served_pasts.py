"""A past on the in-process venue, as it would have been on the local venue's process."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from hydra.venues.simulated.brokerage.books import Trade
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.market.tape import open_tape
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.request_log import SealedFile, read_log
from hydra.venues.simulated.requests import Submit
from hydra.venues.simulated.server.log_lines import FORMAT
from hydra.venues.simulated.server.rebuild import ClockTerms, Source, open_venue, terms_of
from tests.testkit.falsified import Past
from tests.testkit.forged_logs import body_of, request_of


def serve_instead(past: Past, market: MarketData) -> None:
    """Ask the other venue the same at the same moments, and put its executions on record."""
    asked = [
        (line.at, line.request.order)
        for line in read_log(past.files.venue_log)
        if isinstance(line, RequestReceived) and isinstance(line.request, Submit)
    ]
    past.files.venue_log.unlink()
    log = SealedFile.of(past.files.venue_account, FORMAT)
    terms, source = terms_of(market, 0), Source(origin=market.origin, digest=market.digest)
    cache = past.files.cache
    venue = open_venue(
        log,
        open_tape(market, terms.market, cache),
        source,
        terms,
        ClockTerms(speed=0),
        machine_time=lambda: 0,
        wall_clock=lambda: 0,
    )

    async def ask_again() -> None:
        for at, order in asked:
            await venue.move_to(at)
            body = body_of(order)
            number = venue.note_arrival("POST", "/v2/orders", body, is_whole=True)
            venue.receive(request_of(body))
            venue.note_answer(number, 200)
        await venue.move_to(venue.tape.ends_at)

    asyncio.run(ask_again())
    log.close()
    for number, trade in enumerate(venue.at_present().trades, start=1):
        filled = past.event("OrderFilled", number)
        past.change_body(filled, partial(put_execution, trade))


def put_execution(trade: Trade, body: dict[str, Any]) -> None:
    """The execution in the event as this venue made it."""
    assert body["fill"]["quantity"] == str(trade.quantity), "the same orders trade the same"
    body["fill"].update(execution_id=trade.execution_id, price=str(trade.price), at=trade.at)
