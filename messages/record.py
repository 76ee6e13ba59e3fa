"""How the record is made durable: the persister's words to itself, and the disk's to it."""

from messages.message import Message


class CommitRecords(Message, frozen=True):
    """Make durable what was recorded. It waits behind what is in the mailbox already, so that all
    of that shares one commit.
    """


class JournalSynced(Message, frozen=True, kw_only=True):
    """The journal is on the disk up to this line."""

    seq: int
