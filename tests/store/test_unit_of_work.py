from typing import Any

import pytest

from hydra.store.chain import StateSum, row_hash
from hydra.store.tables import FILLS, INVENTORIES, KV, Key, Table
from hydra.store.unit_of_work import ENTITIES_KEPT, StoredAlready, UnitOfWork, Written


class Stored:
    """A database of one table; it remembers what was looked up in it."""

    def __init__(self) -> None:
        self.rows: dict[Key, Any] = {}
        self.asked: list[Key] = []

    def look_up(self, table: Table[Any], key: Key) -> Any:
        self.asked.append(key)
        return self.rows.get(key)

    def unit(self) -> UnitOfWork:
        total = StateSum()
        for row in self.rows.values():
            total.add(row_hash(KV.name, row))
        return UnitOfWork(self.look_up, total.digest)


def named(*rows: tuple[str, str]) -> bytes:
    total = StateSum()
    for row in rows:
        total.add(row_hash(KV.name, row))
    return total.digest


@pytest.fixture
def stored() -> Stored:
    return Stored()


def test_what_is_new_what_is_changed_and_what_is_gone_are_told_apart(stored: Stored) -> None:
    stored.rows = {("old",): ("old", "1"), ("gone",): ("gone", "1"), ("left",): ("left", "1")}
    unit = stored.unit()

    unit.put(KV, ("old", "2"), "old")
    unit.put(KV, ("old", "3"), "old")
    unit.put(KV, ("new", "1"), "new")
    unit.delete(KV, "gone")
    unit.put(KV, ("passing", "1"), "passing")
    unit.delete(KV, "passing")

    assert unit.written() == (
        [Written(KV, [("new", "1")], [("old", "3")], [("gone",)])],
        named(("old", "3"), ("new", "1"), ("left", "1")),
    )
    assert unit.written() == ([], named(("old", "3"), ("new", "1"), ("left", "1")))


def test_what_comes_back_after_it_was_deleted_is_new(stored: Stored) -> None:
    stored.rows = {("key",): ("key", "1")}
    unit = stored.unit()
    unit.delete(KV, "key")
    unit.written()

    unit.put(KV, ("key", "1"), "key")

    assert unit.written() == ([Written(KV, [("key", "1")], [], [])], named(("key", "1")))


def test_what_is_new_cannot_have_the_key_of_something_that_is_known_i15(stored: Stored) -> None:
    unit = stored.unit()
    unit.add(KV, ("key", "1"), "key")

    with pytest.raises(StoredAlready, match="kv key is on record already"):
        unit.add(KV, ("key", "2"), "key")

    assert unit.written() == ([Written(KV, [("key", "1")], [], [])], named(("key", "1")))


def test_what_nothing_can_be_stored_under_is_not_looked_up(stored: Stored) -> None:
    unit = stored.unit()

    unit.nothing_stored_under(FILLS, "order")

    assert unit.get(FILLS, "order", "execution") is None
    assert stored.asked == []
    assert unit.get(FILLS, "another", "execution") is None
    assert unit.get(INVENTORIES, "order", "AAPL") is None
    assert stored.asked == [("another", "execution"), ("order", "AAPL")]


def test_only_so_much_is_kept_at_hand_and_the_rest_is_looked_up_again(stored: Stored) -> None:
    unit = stored.unit()
    unit.nothing_stored_under(FILLS, "order")
    for number in range(ENTITIES_KEPT):
        unit.add(KV, (str(number), "1"), str(number))
    _, state = unit.written()
    unit.forget_what_is_stored()
    assert unit.get(KV, "0") == ("0", "1")
    assert stored.asked == []

    unit.get(KV, "one more")
    unit.forget_what_is_stored()
    stored.rows = {("0",): ("0", "1")}
    stored.asked.clear()

    assert unit.get(KV, "0") == ("0", "1")
    assert unit.get(FILLS, "order", "execution") is None
    assert stored.asked == [("0",), ("order", "execution")]
    assert unit.written() == ([], state)
    unit.put(KV, ("0", "1"), "0")
    assert unit.written() == ([Written(KV, [], [("0", "1")], [])], state)
