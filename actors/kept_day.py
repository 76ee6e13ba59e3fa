"""The account's day on record: what a restart goes on from."""

from typing import Any

import msgspec

from hydra.actor import MINUTE, Context, Ref
from hydra.trading.account_day import AccountDay
from messages.control import ACCOUNT_DAY, RecordValue

KNOWN_EVERY = 5 * MINUTE
"""Machine time. Not every observation is worth a record; but a day is measured from the last one of
before it, also where nobody was there when it began.
"""


class KeptDay:
    """Day start, peak and the drawdown's state survive a restart (C2), and what was known last."""

    def __init__(self, persister: Ref[Any]) -> None:
        self._persister = persister
        self._kept = AccountDay()
        self._kept_at: int | None = None

    def keep(self, day: AccountDay, ctx: Context) -> None:
        """Put on record what of it a restart must not miss."""
        if _lasting(day) != _lasting(self._kept) or self._is_time(ctx):
            self.keep_all(day, ctx)

    def keep_carried(self, day: AccountDay, ctx: Context) -> None:
        """Put on record what was made in the day and nothing else tells: by orders of an earlier
        one, or round trips that left a little. Before the next order is, so that it lacks one at
        most of them.
        """
        if (day.carried, day.round_trips) != (self._kept.carried, self._kept.round_trips):
            self.keep_all(day, ctx)

    def keep_all(self, day: AccountDay, ctx: Context) -> None:
        """Put all that is known now on record, as before the record is read."""
        if day.day_start is None or (day.known, *_lasting(day)) == (
            self._kept.known,
            *_lasting(self._kept),
        ):
            return
        self._kept, self._kept_at = day, ctx.now()
        value = msgspec.json.encode(day).decode()
        ctx.tell(self._persister, RecordValue(key=ACCOUNT_DAY, value=value))

    def _is_time(self, ctx: Context) -> bool:
        return self._kept_at is None or ctx.now() - self._kept_at >= KNOWN_EVERY


def _lasting(day: AccountDay) -> tuple[object, ...]:
    return (
        day.session,
        day.day_start,
        day.peak,
        day.state,
        day.changes,
        day.carried,
        day.round_trips,
        day.differs,
        day.agreed,
    )
