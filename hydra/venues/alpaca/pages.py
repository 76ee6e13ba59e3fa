"""All pages of a list, or nothing: a page that is repeated or out of place is a failure (I62).

That a page is shorter than was asked for is no end: the broker may allow less. The end is where a
page brings nothing new, and has room for more.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from hydra.trading.durations import SECOND
from hydra.trading.echo import words
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.payloads import OrderPayload
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.times import nanoseconds


class Listed(Protocol):
    """A line of a list, named by an id of its own."""

    id: str


A = TypeVar("A", bound=Listed)

PAGES_MAX = 10_000
PAGE_LEAST = 50
"""Of orders: so many the broker gives by itself. A page of fewer is not full."""


def all_orders(page_until: Callable[[int | None], list[OrderPayload]]) -> list[OrderPayload]:
    """Every order, newest first. `page_until` gives those submitted before an instant (UTC ns).

    Each page overlaps the one before by the second in which that one ended, because orders of one
    instant could lie on both sides of its end, and the broker may cut the instant short. Where a
    page may be full of that second alone, the next one overlaps by its last instant only.
    """
    found: dict[str, OrderPayload] = {}
    until: int | None = None
    oldest: int | None = None
    is_close = False
    for _ in range(PAGES_MAX):
        page = page_until(until)
        submitted = [_submitted_at(order) for order in page]
        if until is not None and any(at >= until for at in submitted):
            raise ReadFailed("a page of orders has some that belong on an earlier one")
        if is_close and oldest not in submitted:
            raise ReadFailed("orders of one second fill a page, and the broker skips the others")
        fresh = {order.id: order for order in page if order.id not in found}
        if not fresh:
            if oldest is None or len(page) < PAGE_LEAST:
                return list(found.values())
            if is_close:
                raise ReadFailed("orders of one instant fill a page, and it shows no others")
            until, is_close = oldest + 1, True
            continue
        found.update(fresh)
        until = (min(submitted) // SECOND + 1) * SECOND
        oldest, is_close = min(submitted if oldest is None else (oldest, *submitted)), False
    raise ReadFailed(f"more than {PAGES_MAX} pages of orders")


def all_activities(page_after: Callable[[str | None], list[A]]) -> list[A]:
    """Every activity of a kind. `page_after` gives those that follow the one of this id."""
    found: dict[str, A] = {}
    token: str | None = None
    for _ in range(PAGES_MAX):
        page = page_after(token)
        if not page:
            return list(found.values())
        for activity in page:
            if activity.id in found:
                raise ReadFailed(f"activity {words(activity.id)} is on two pages")
            found[activity.id] = activity
        token = page[-1].id
    raise ReadFailed(f"more than {PAGES_MAX} pages of activities")


def _submitted_at(order: OrderPayload) -> int:
    at = order.submitted_at or order.created_at
    if at is None:
        raise BadAnswer(f"order {words(order.id)} does not say when it was submitted")
    return nanoseconds(at)
