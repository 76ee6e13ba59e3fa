"""Who may send is proved again and again: the safety chain's progress renews the gate's lease."""

from __future__ import annotations

from hydra.actor import MILLISECOND, SECOND
from hydra.runtime.cell import Cell
from hydra.runtime.gate import NO_LEASE
from hydra.runtime.life import Status
from hydra.runtime.runtime import Runtime
from hydra.runtime.system import Ping

LEASE = 2 * SECOND
RENEW_EVERY = 500 * MILLISECOND
DETECT_WITHIN = 2 * SECOND
"""A member of the safety chain that proves no progress for this long counts as dead (T_DETECT)."""
_STOOD_STILL = DETECT_WITHIN - RENEW_EVERY
"""Where this was gone for longer, who was asked just before was last heard of a renewal earlier:
longer ago than `DETECT_WITHIN`, by no fault of its own.
"""


class LeaseKeeper:
    """Pings the safety chain and renews the lease while every member has answered in time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._found_late: set[tuple[str, int]] = set()
        self._ticked_at: int | None = None
        self._went_on_at: int | None = None
        """When this last went on after it had stood still: the process was stopped, say."""

    def tick(self, now: int) -> None:
        """To be called every `RENEW_EVERY` of machine time.

        Whoever was not asked is not late: if this stood still itself, each member has its time anew
        from then on. That renews nothing: until all have answered there is no lease.
        """
        runtime = self._runtime
        if self._ticked_at is not None and now - self._ticked_at > _STOOD_STILL:
            self._went_on_at = now
        self._ticked_at = now
        members = runtime.safety_chain()
        chain = [cell for cell in members if cell is not None]
        late = [cell for cell in chain if self._is_late(cell, now)]
        were_asked = self._went_on_at is None or now - self._went_on_at > DETECT_WITHIN
        to_blame = late if were_asked else []
        found_late = self._found_late
        self._found_late = {(cell.path, cell.incarnation) for cell in to_blame}
        for cell in to_blame:
            if (cell.path, cell.incarnation) not in found_late:  # once for each silence
                detail = f"no progress for {(now - cell.progress_at) / SECOND:.1f} s"
                runtime.trip_for(cell, detail)
                runtime.remember("halted", detail, cell.path, cell.incarnation)
        running = all(cell is not None and cell.status is Status.RUNNING for cell in members)
        runtime.gate.renew_lease(now + LEASE if chain and running and not late else NO_LEASE)
        for cell in chain:
            cell.tell_system(Ping())

    @staticmethod
    def _is_late(cell: Cell, now: int) -> bool:
        return cell.status is Status.RUNNING and now - cell.progress_at > DETECT_WITHIN
