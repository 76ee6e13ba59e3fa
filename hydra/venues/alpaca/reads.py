"""Reading the account over REST: one method a request, each whole or a `ReadFailed`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode

from hydra.trading.echo import words
from hydra.venues.alpaca.budget import Use
from hydra.venues.alpaca.calls import Calls, Passage
from hydra.venues.alpaca.http import Request
from hydra.venues.alpaca.outcomes import Ok, Refused, describe
from hydra.venues.alpaca.payloads import (
    AccountPayload,
    AssetPayload,
    FeePayload,
    FillPayload,
    OrderPayload,
    PositionPayload,
    read_account,
    read_assets,
    read_fees,
    read_fills,
    read_order,
    read_orders,
    read_positions,
)
from hydra.venues.alpaca.times import rfc3339

T = TypeVar("T")

ORDERS_A_PAGE = 500
FILLS_A_PAGE = 100


class ReadFailed(Exception):
    """The account could not be read whole. Its text says what failed; nothing follows from it."""


class Reads(Protocol):
    """What has to be asked of the broker to know an account. Each raises `ReadFailed`."""

    def account(self) -> AccountPayload:
        """The account itself."""

    def positions(self) -> list[PositionPayload]:
        """All that is held; the broker has no pages here."""

    def orders(
        self, *, status: str, nested: bool, after: int | None, until: int | None
    ) -> list[OrderPayload]:
        """A page of the orders submitted between the two (UTC ns, exclusive), newest first."""

    def fills(
        self, *, after: int | None, order_id: str | None, page_token: str | None
    ) -> list[FillPayload]:
        """A page of executions; `page_token` is the id of the last one of the page before."""

    def fees(self, *, after: int | None, page_token: str | None) -> list[FeePayload]:
        """A page of fees, of coins and of all else; pages as of `fills`."""

    def order(self, order_id: str) -> OrderPayload | None:
        """One order by the broker's id; None if the broker says that there is none.

        An answer that shows another one is no answer: what it says must not be taken for this one.
        """

    def order_by_name(self, client_order_id: str) -> OrderPayload | None:
        """The same by our name of it."""

    def coins(self) -> list[AssetPayload]:
        """All coin pairs there are."""


class RestReads:
    """`Reads` over one host, all for one purpose and by one deadline (monotonic, s)."""

    def __init__(self, calls: Calls, use: Use, passage: Passage | None, deadline: float) -> None:
        self._calls = calls
        self._use = use
        self._passage = passage
        self._deadline = deadline

    def account(self) -> AccountPayload:
        """See `Reads.account`."""
        return self._got("/v2/account", {}, read_account)

    def positions(self) -> list[PositionPayload]:
        """See `Reads.positions`."""
        return self._got("/v2/positions", {}, read_positions)

    def orders(
        self, *, status: str, nested: bool, after: int | None, until: int | None
    ) -> list[OrderPayload]:
        """See `Reads.orders`."""
        query = {
            "status": status,
            "limit": str(ORDERS_A_PAGE),
            "direction": "desc",
            "nested": "true" if nested else "false",
        }
        if after is not None:
            query["after"] = rfc3339(after)
        if until is not None:
            query["until"] = rfc3339(until)
        return self._got("/v2/orders", query, read_orders)

    def fills(
        self, *, after: int | None, order_id: str | None, page_token: str | None
    ) -> list[FillPayload]:
        """See `Reads.fills`."""
        query = _page_of_activities(after, page_token)
        if order_id is not None:
            query["order_id"] = order_id
        return self._got("/v2/account/activities/FILL", query, read_fills)

    def fees(self, *, after: int | None, page_token: str | None) -> list[FeePayload]:
        """See `Reads.fees`."""
        query = {"activity_types": "CFEE,FEE", **_page_of_activities(after, page_token)}
        return self._got("/v2/account/activities", query, read_fees)

    def order(self, order_id: str) -> OrderPayload | None:
        """See `Reads.order`."""
        found = self._found(order_path(order_id), {})
        if found is not None and found.id != order_id:
            raise ReadFailed(f"asked for order {words(order_id)}, got {words(found.id)}")
        return found

    def order_by_name(self, client_order_id: str) -> OrderPayload | None:
        """See `Reads.order_by_name`."""
        path = "/v2/orders:by_client_order_id"
        found = self._found(path, {"client_order_id": client_order_id})
        if found is not None and found.client_order_id != client_order_id:
            got = words(found.client_order_id)
            raise ReadFailed(f"asked for {words(client_order_id)}, got {got}")
        return found

    def coins(self) -> list[AssetPayload]:
        """See `Reads.coins`."""
        return self._got("/v2/assets", {"asset_class": "crypto"}, read_assets)

    def _found(self, path: str, query: Mapping[str, str]) -> OrderPayload | None:
        outcome = self._calls.call(
            get(path, query), read_order, self._use, deadline=self._deadline, passage=self._passage
        )
        match outcome:
            case Ok(value):
                return value
            case Refused(is_absence=True):
                return None
            case other:
                raise ReadFailed(f"GET {path}: {describe(other)}")

    def _got(self, path: str, query: Mapping[str, str], read: Callable[[bytes], T]) -> T:
        outcome = self._calls.call(
            get(path, query), read, self._use, deadline=self._deadline, passage=self._passage
        )
        if isinstance(outcome, Ok):
            return outcome.value
        raise ReadFailed(f"GET {path}: {describe(outcome)}")


def _page_of_activities(after: int | None, page_token: str | None) -> dict[str, str]:
    query = {"direction": "desc", "page_size": str(FILLS_A_PAGE)}
    if after is not None:
        query["after"] = rfc3339(after)
    if page_token is not None:
        query["page_token"] = page_token
    return query


def get(path: str, query: Mapping[str, str]) -> Request:
    """The request that reads this."""
    return Request(method="GET", target=f"{path}?{urlencode(query)}" if query else path)


def order_path(order_id: str) -> str:
    """Where one order lies, by the broker's id."""
    return f"/v2/orders/{quote(order_id, safe='')}"
