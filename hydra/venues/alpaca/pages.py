"""All pages of a list, or nothing: a page that is repeated or out of place is a failure (I62).

That a page is shorter than was asked for is no end: the broker may allow less. The end is where a
page brings nothing new.
"""

from collections.abc import Callable

from hydra.trading.durations import SECOND
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.payloads import FillPayload, OrderPayload
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.times import nanoseconds

PAGES_MAX = 10_000


def all_orders(page_until: Callable[[int | None], list[OrderPayload]]) -> list[OrderPayload]:
    """Every order, newest first. `page_until` gives those submitted before an instant (UTC ns).

    Each page overlaps the one before by the second in which that one ended, because orders of one
    instant could lie on both sides of its end, and the broker may cut the instant short.
    """
    found: dict[str, OrderPayload] = {}
    until: int | None = None
    for _ in range(PAGES_MAX):
        page = page_until(until)
        submitted = [_submitted_at(order) for order in page]
        if until is not None and any(at >= until for at in submitted):
            raise ReadFailed("a page of orders has some that belong on an earlier one")
        fresh = {order.id: order for order in page if order.id not in found}
        if not fresh:
            return list(found.values())
        found.update(fresh)
        until = (min(submitted) // SECOND + 1) * SECOND
    raise ReadFailed(f"more than {PAGES_MAX} pages of orders")


def all_fills(page_after: Callable[[str | None], list[FillPayload]]) -> list[FillPayload]:
    """Every execution. `page_after` gives those that follow the one of this id."""
    found: dict[str, FillPayload] = {}
    token: str | None = None
    for _ in range(PAGES_MAX):
        page = page_after(token)
        if not page:
            return list(found.values())
        for execution in page:
            if execution.id in found:
                raise ReadFailed(f"execution {execution.id} is on two pages")
            found[execution.id] = execution
        token = page[-1].id
    raise ReadFailed(f"more than {PAGES_MAX} pages of executions")


def _submitted_at(order: OrderPayload) -> int:
    at = order.submitted_at or order.created_at
    if at is None:
        raise BadAnswer(f"order {order.id} does not say when it was submitted")
    return nanoseconds(at)
