"""What a cell does for those who look in from outside: the debugger, and pykka's proxies.

Each runs in the cell's own turn, on its control lane, so that nobody sees it half-way through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.runtime.envelope import Envelope
from hydra.runtime.system import Foreign, Inspect, Resume, Retap, Suspend

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell


def suspend(cell: Cell, _message: Suspend, envelope: Envelope) -> None:
    """Take nothing more from the user lane, until resumed."""
    cell.suspended = True
    cell.receive = None
    cell.runtime.record("suspended", cell, "by the debugger")
    cell.context.answer(envelope, None)


def resume(cell: Cell, _message: Resume, envelope: Envelope) -> None:
    """Go on where it was suspended."""
    if cell.suspended:
        cell.suspended = False
        cell.runtime.record("resumed", cell, "by the debugger")
        cell.open_user_lane()
    cell.context.answer(envelope, None)


def inspect(cell: Cell, _message: Inspect, envelope: Envelope) -> None:
    """Show the actor's state, unless whoever asked has gone: a view is work."""
    special = envelope.special
    if special is not None and 0 < special.deadline < cell.runtime.now():
        return
    cell.context.answer(envelope, cell.view())


def retap(cell: Cell, _message: Retap, _envelope: Envelope) -> None:
    """Somebody began or ceased to listen to what it handles."""
    cell.receiver_changed()


def call_foreign(cell: Cell, message: Foreign, envelope: Envelope) -> None:
    """A call through a pykka proxy: pykka handles it, on this cell."""
    try:
        cell.context.answer(envelope, cell._handle_receive(message.payload))
    except Exception as error:  # the caller's mistake; it goes back to the caller
        cell.context.answer_error(envelope, error)
