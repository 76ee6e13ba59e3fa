"""Long answers in pages: by symbol, then by time; a token says where the next page begins."""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias, TypeVar

from hydra.venues.simulated.market.rows import BadQuery, Page, PageQuery


class Timed(Protocol):
    """A row of a symbol; no other of its kind has the same symbol and time."""

    @property
    def symbol(self) -> str:
        """Whose row it is."""

    @property
    def at(self) -> int:
        """Its time (UTC ns)."""


T = TypeVar("T", bound=Timed)

RowsOf: TypeAlias = Callable[[str, int, int, bool], Iterator[T]]
"""The rows of a symbol from one time to another (both included), descending if asked."""


def page_of(query: PageQuery, rows_of: RowsOf[T]) -> Page[T]:
    """The page that is asked for. Raises `BadQuery`."""
    if query.limit < 1:
        raise BadQuery("invalid limit")
    rows: list[T] = []
    after = None if query.token is None else read_token(query.token)
    for symbol in sorted(set(query.symbols)):
        start, end = query.start, query.end
        if after is not None:
            if symbol < after[0]:
                continue
            if symbol == after[0]:
                start, end = _rest(query, start, end, after[1])
        for row in rows_of(symbol, start, end, query.descending):
            if len(rows) == query.limit:
                return Page(tuple(rows), token_of(rows[-1].symbol, rows[-1].at))
            rows.append(row)
    return Page(tuple(rows), None)


def token_of(symbol: str, at: int) -> str:
    """Names the last row of a page."""
    return base64.urlsafe_b64encode(f"{symbol}|{at}".encode()).decode()


def read_token(token: str) -> tuple[str, int]:
    """Symbol and time of the row that the page before ended with. Raises `BadQuery`."""
    try:
        text = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode()
        symbol, separator, at = text.rpartition("|")
        if separator and at.isascii() and at.isdecimal():
            return symbol, int(at)
    except (binascii.Error, UnicodeError):
        pass
    raise BadQuery("invalid page_token")


def _rest(query: PageQuery, start: int, end: int, at: int) -> tuple[int, int]:
    return (start, min(end, at - 1)) if query.descending else (max(start, at + 1), end)
