"""From when on the venue is read: what a clean comparison has settled is not read again.

The *watermark* is the market time up to which record and venue are known to say the same; 0: it is
not known, and everything is read. It outlives the process. Two rules keep a comparison from `since`
on as good as one of the whole history:

- It is read from well before the watermark, and from well before every order of ours that was sent
  and is not proven over: a broker lists orders by when they came to it.
- What the record has of before that need not be listed (`must_be_listed`). All else must be.

All times are market time (UTC ns). Ours and the venue's may differ by less than `EDGE`, and so may
two times that the venue gives for one execution.
"""

from collections.abc import Iterable

from hydra.trading.durations import HOUR, MINUTE

OVERLAP = 10 * MINUTE
"""So far before the watermark reading begins."""
EDGE = OVERLAP // 2
"""So far behind the beginning of what is read an execution may still be dated before it."""
RECORDED_EVERY = HOUR
"""A newer watermark is worth a record when it is so much newer: reading more is always right."""


def read_from(watermark: int, unfinished: Iterable[int]) -> int:
    """The `since` of the next snapshot. `unfinished`: when each order was sent that is not proven
    over; 0 if that is not known of one.
    """
    return max(0, min((watermark, *unfinished)) - OVERLAP)


def advanced(watermark: int, began_at: int, unfinished: Iterable[int]) -> int:
    """The watermark after a clean comparison that began then. It never goes back."""
    return max(watermark, min((began_at, *unfinished)))


def must_be_listed(at: int, since: int) -> bool:
    """Whether an execution on record, of then, has to be in a snapshot from `since` on.

    One of earlier was held against the venue by the comparison that moved the watermark past it.
    """
    return since <= 0 or at >= since + EDGE


def recovered(text: str, now: int) -> int:
    """The watermark that is on record, or 0 if that is none.

    One of later than now is none: a clock was wrong when it was written, or is wrong now, and what
    was settled by then cannot be told.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) < _DIGITS_MAX
    at = int(text) if is_number else 0
    return at if at <= now else 0


class Watermark:
    """Keeps it, and what bounds it. Equal calls leave an equal one."""

    def __init__(self) -> None:
        self._at = 0
        self._recorded = 0
        self._unfinished: dict[str, int] = {}

    @property
    def since(self) -> int:
        """From when on the venue is to be read now."""
        return read_from(self._at, self._unfinished.values())

    def recover(self, text: str, now: int) -> bool:
        """Go on from what is on record; False if something is, and it is no watermark."""
        self._at = self._recorded = recovered(text, now)
        return not text or text == str(self._at)

    def order_sent(self, client_order_id: str, at: int) -> None:
        """It may be at the venue from now on. `at` 0: nobody knows when it was sent."""
        self._unfinished[client_order_id] = at

    def order_ended(self, client_order_id: str) -> None:
        """It is proven over, or was never sent."""
        self._unfinished.pop(client_order_id, None)

    def clean(self, began_at: int) -> str | None:
        """A comparison that began then found nothing; gives what is to be put on record, if so."""
        self._at = advanced(self._at, began_at, self._unfinished.values())
        if not self._at or self._at - self._recorded < RECORDED_EVERY:
            return None
        self._recorded = self._at
        return str(self._at)


_DIGITS_MAX = 20
"""A market time in nanoseconds has 19 digits until the year 2286."""
