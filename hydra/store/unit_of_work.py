"""What one commit changes: collected in memory, written in one transaction, or dropped."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import apsw
import msgspec

from hydra.store.chain import SqlRow, StateSum, row_hash
from hydra.store.tables import TABLES, Key, Table

E = TypeVar("E")

Place: TypeAlias = tuple[str, Key]
LookUp: TypeAlias = Callable[[Table[Any], Key], Any]
"""Gives what is stored at a key, or None."""

ENTITIES_KEPT = 20_000
"""So many stay at hand between two commits; when there are more, all are looked up anew."""


class Written(msgspec.Struct, frozen=True):
    """What becomes of one table: rows that are new or changed, and keys of rows that are gone."""

    table: Table[Any]
    added: list[SqlRow]
    replaced: list[SqlRow]
    gone: list[Key]


class StoredAlready(Exception):
    """What was to be new has the key of something that is stored."""


class UnitOfWork:
    """Entities as they are by now. They are looked up as they are asked for, and changed here."""

    def __init__(self, look_up: LookUp, state: bytes = StateSum().digest) -> None:
        """`state` names the stored state that this starts from."""
        self._look_up = look_up
        self._state = StateSum(int.from_bytes(state, "big"))
        self._now: dict[Place, Any] = {}
        self._touched: dict[Place, Table[Any]] = {}
        self._hashes: dict[Place, int] = {}
        self._known_alone: set[Place] = set()

    def get(self, table: Table[E], *key: str) -> E | None:
        """The entity of this key, if there is one."""
        place = (table.name, key)
        try:
            found: E | None = self._now[place]
        except KeyError:
            alone = (table.name, key[:-1]) in self._known_alone
            found = None if alone else self._look_up(table, key)
            self._now[place] = found
            if found is not None:
                self._hashes[place] = row_hash(table.name, table.encode(found))
        return found

    def put(self, table: Table[E], entity: E, *key: str) -> None:
        """This is what its key names from here on."""
        place = (table.name, key)
        if place not in self._now:
            self.get(table, *key)  # what is stored has a share in the state's name
        self._now[place] = entity
        self._touched[place] = table

    def add(self, table: Table[E], entity: E, *key: str) -> None:
        """This is new: the caller knows of nothing that is stored under this key.

        Raises `StoredAlready` if something is known here; the database refuses what is not.
        """
        place = (table.name, key)
        if self._now.get(place) is not None:
            raise StoredAlready(f"{table.name} {', '.join(key)} is on record already")
        self._now[place] = entity
        self._touched[place] = table

    def delete(self, table: Table[Any], *key: str) -> None:
        """There is nothing of this key from here on."""
        self.put(table, None, *key)

    def nothing_stored_under(self, table: Table[Any], *key: str) -> None:
        """Nothing whose key begins so can be stored yet: no need to look for it."""
        self._known_alone.add((table.name, key))

    def written(self) -> tuple[list[Written], bytes]:
        """What is to be written, in the order that it has to be, and the state's new name."""
        by_table: dict[str, Written] = {}
        for place, table in self._touched.items():
            name, key = place
            before = self._hashes.pop(place, None)
            entity = self._now[place]
            if before is None and entity is None:
                continue
            part = by_table.get(name)
            if part is None:
                part = by_table[name] = Written(table, [], [], [])
            if before is not None:
                self._state.remove(before)
            if entity is None:
                part.gone.append(key)
                continue
            row = table.encode(entity)
            (part.added if before is None else part.replaced).append(row)
            self._hashes[place] = after = row_hash(name, row)
            self._state.add(after)
        self._touched.clear()
        in_order = [by_table[table.name] for table in TABLES if table.name in by_table]
        return in_order, self._state.digest

    def forget_what_is_stored(self) -> None:
        """After a commit all can be looked up again; more than a few are not kept."""
        if len(self._now) > ENTITIES_KEPT:
            self._now.clear()
            self._hashes.clear()
            self._known_alone.clear()


def write(connection: apsw.Connection, parts: list[Written]) -> None:
    """Bring the tables up to date. The caller holds the transaction."""
    for part in parts:
        insert, replace, delete = _STATEMENTS[part.table.name]
        if part.gone:
            connection.executemany(delete, part.gone)
        if part.added:
            connection.executemany(insert, part.added)
        if part.replaced:
            connection.executemany(replace, part.replaced)


_STATEMENTS = {table.name: (table.insert, table.replace, table.delete) for table in TABLES}
"""Put together once: a commit is on the way of every order."""
