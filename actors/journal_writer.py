"""The journal writer: everything that is worth knowing later, one line each, in order."""

from collections.abc import Mapping
from typing import TypeAlias

from hydra.actor import Actor, Context, unhandled
from hydra.ports import Journal
from messages.health import HealthReported, ReportHealth
from messages.journal import PruneJournal, WriteEntry

Inbox: TypeAlias = WriteEntry | PruneJournal | ReportHealth


class JournalWriter(Actor[Inbox]):
    """Owns the journal. A line that cannot be written makes it fail, which shuts the order gate."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._last_seq = 0

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case WriteEntry():
                record = {  # our own keys last, so that no field can pass for them
                    **message.fields,
                    "ts": message.at,
                    "event": message.event,
                    "source": message.source,
                }
                self._last_seq = self._journal.append(record)
            case PruneJournal():
                self._journal.prune(at=ctx.market_time(), wall_ns=message.wall_ns)
            case ReportHealth():
                detail = f"last line {self._last_seq}"
                ctx.reply(HealthReported(component="journal", is_well=True, detail=detail))
            case _:
                unhandled(message)

    def state_view(self) -> Mapping[str, object]:
        """How far it has written."""
        return {"last_seq": self._last_seq}
