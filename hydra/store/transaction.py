"""All or nothing, and the first error is the one that is seen."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Commit what the block did, durably, when it ends; undo all of it when it raises.

    Used rather than `with connection`, which rolls back in any case: after a full disk SQLite has
    done so already, and the complaint about that would hide what happened.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
