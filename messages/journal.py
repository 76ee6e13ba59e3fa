"""What is to be written in the journal."""

from collections.abc import Mapping

from messages.message import Message


class WriteEntry(Message, frozen=True, kw_only=True):
    """One line for the journal. `at` is market time; `source` is who says it."""

    at: int
    event: str
    source: str
    fields: Mapping[str, object]


class PruneJournal(Message, frozen=True, kw_only=True):
    """Take out what is older than journals are kept for. `wall_ns` is now, by the machine (UTC)."""

    wall_ns: int
