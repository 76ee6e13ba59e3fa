"""Figures about how messages are handled: percentiles of the last ones, rates over a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from hydra.actor import SECOND

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell


class Handling(msgspec.Struct, frozen=True):
    """How the messages that a cell still remembers went. Nanoseconds; `waited` is in the mailbox.

    `remembered` is how many these figures rest on; at 0 they mean nothing.
    """

    remembered: int
    wait_p50: int
    wait_p99: int
    handle_p50: int
    handle_p99: int
    handle_max: int


class Count(msgspec.Struct, frozen=True):
    """What a cell had handled, and what waited in its user lane, at one moment."""

    processed: int
    depth: int


class Rate(msgspec.Struct, frozen=True):
    """User messages a second: those that came into the mailbox, and those that were handled."""

    came: float
    handled: float


def percentile(values: Sequence[int], share: float) -> int:
    """The smallest value that `share` (0 to 1) of all do not exceed; 0 if there are none."""
    if not values:
        return 0
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def handling_of(cell: Cell) -> Handling:
    """The figures of one cell, from its ring of handled messages."""
    ring = list(cell.handled)
    waited = [max(0, began - envelope.at) for envelope, began, _ in ring]
    took = [duration for _, _, duration in ring]
    return Handling(
        remembered=len(ring),
        wait_p50=percentile(waited, 0.50),
        wait_p99=percentile(waited, 0.99),
        handle_p50=percentile(took, 0.50),
        handle_p99=percentile(took, 0.99),
        handle_max=max(took, default=0),
    )


def counts_of(cells: Iterable[Cell]) -> dict[str, Count]:
    """What to take twice, some time apart, for `rates`."""
    return {cell.path: Count(cell.processed, len(cell.mailbox.user)) for cell in cells}


def rates(before: Mapping[str, Count], after: Mapping[str, Count], apart: int) -> dict[str, Rate]:
    """Messages a second by path, for those cells that were there both times. `apart` in ns."""
    seconds = max(apart, 1) / SECOND
    found: dict[str, Rate] = {}
    for path, now in after.items():
        then = before.get(path)
        if then is None:
            continue
        handled = max(0, now.processed - then.processed)
        came = max(0, handled + now.depth - then.depth)
        found[path] = Rate(came / seconds, handled / seconds)
    return found
