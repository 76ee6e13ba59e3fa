"""The side of a cell that pykka sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell


class Inbox:
    """pykka's inbox protocol over the cell's mailbox, so that pykka's own refs and stop work.

    `empty` is always true: no teardown of pykka's may drain a mailbox that outlives a restart.
    """

    __slots__ = ("cell",)

    cell: Cell

    def put(self, envelope: Any) -> None:
        """Accept pykka's envelope (`message`, `reply_to`)."""
        self.cell.runtime.accept_foreign(self.cell, envelope.message, envelope.reply_to)

    def get(self) -> Any:
        """pykka's loop never runs here."""
        raise NotImplementedError("the runtime, not pykka's loop, takes from this mailbox")

    def empty(self) -> bool:
        """See the class."""
        return True
