"""What is to be written in the journal."""

from collections.abc import Mapping

from messages.message import Message


class WriteEntry(Message, frozen=True, kw_only=True):
    """One line for the journal. `at` is market time; `source` is who says it."""

    at: int
    event: str
    source: str
    fields: Mapping[str, object]
