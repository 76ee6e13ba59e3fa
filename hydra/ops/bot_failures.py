"""Bots that have failed, as a run tells of them: one that trades nothing is else taken for idle."""

import msgspec

from hydra.runtime.runtime import Runtime
from hydra.venues.one_line import one_line
from supervisors import paths

QUARANTINED = "quarantined"


class BotFailure(msgspec.Struct, frozen=True):
    """A bot that has failed so many times since the start, and of what the last time."""

    bot: str
    times: int
    error: str
    is_quarantined: bool

    def __str__(self) -> str:
        times = "once" if self.times == 1 else f"{self.times} times, the last time"
        is_over = "; it is quarantined, until the next start" if self.is_quarantined else ""
        return f"{self.bot:<18} FAILED {times} of {self.error}{is_over}"


def failures_of_bots(runtime: Runtime) -> tuple[BotFailure, ...]:
    """In the order of their names. To be asked before the tree stops."""
    above = f"{paths.BOTS.path}/"
    cells = [cell for path, cell in list(runtime.cells.items()) if path.startswith(above)]
    return tuple(
        BotFailure(
            cell.name,
            cell.failed_count,
            one_line(cell.last_failure()),
            cell.shown_status == QUARANTINED,
        )
        for cell in sorted(cells, key=lambda cell: cell.path)
        if cell.failed_count
    )
