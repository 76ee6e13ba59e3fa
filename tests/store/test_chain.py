from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.chain import NO_LINK, SqlRow, StateSum, link_of, row_hash

EVENT: dict[str, Any] = {
    "before": bytes(range(32)),
    "seq": 7,
    "at": 1_704_205_800_000_000_000,
    "version": 1,
    "kind": "ValuePut",
    "body": b'{"type":"ValuePut"}',
    "state": bytes(range(32, 64)),
}
ROW: SqlRow = ("name", "Zoë", 3, None, b"\x00lots")


def test_links_and_names_are_made_as_in_every_ledger_there_is_i54_i55() -> None:
    link = link_of(**EVENT).hex()
    share = row_hash("kv", ROW)

    # What these are is in files that people have. They change with a new schema version only.
    assert link == "8740b6d5c7ace1ccd7b36a09312a21d9799d4583cb73b433ed6190b61ce5ea16"
    assert share == int("8b2a5026949a19a88775a52a712ca41932011595420df4533d0b10eafd0e6139", 16)


@pytest.mark.parametrize(
    "change",
    [
        {"before": NO_LINK},
        {"seq": 8},
        {"at": EVENT["at"] + 1},
        {"at": -EVENT["at"]},
        {"version": 2},
        {"kind": "ValuePuT"},
        {"body": b'{"type":"ValuePut" }'},
        {"state": None},
        {"kind": "ValuePut{", "body": EVENT["body"][1:]},
    ],
)
def test_a_link_names_each_part_of_its_event_and_all_before_it_i54(
    change: dict[str, Any],
) -> None:
    assert link_of(**{**EVENT, **change}) != link_of(**EVENT)


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("facts", ROW),
        ("kv", ROW[:-1]),
        ("kv", ("Zoë", "name", *ROW[2:])),
        ("kv", ("name", "Zoe", *ROW[2:])),
        ("kv", ("name", "Zoë", "3", *ROW[3:])),
        ("kv", ("name", "Zoë", 3, "", *ROW[4:])),
        ("kv", ("name", "Zoë", 3, ROW[4])),
        ("kv", (*ROW[:4], "")),
        ("kv", (*ROW, "more")),
        ("kv", (*ROW, None, 0)),
        ("kv", ("nameZoë", "", *ROW[2:])),
    ],
)
def test_a_row_s_share_is_of_its_table_and_of_each_value_i55(table: str, row: SqlRow) -> None:
    assert row_hash(table, row) != row_hash("kv", ROW)


def test_a_column_that_says_nothing_yet_at_a_row_s_end_is_no_part_of_its_share_i55() -> None:
    assert row_hash("kv", (*ROW, None)) == row_hash("kv", (*ROW, None, None)) == row_hash("kv", ROW)
    assert row_hash("kv", ("name", None, None)) == row_hash("kv", ("name",))


@given(
    rows=st.lists(st.integers(0, 2**256 - 1), max_size=8),
    gone=st.lists(st.integers(0, 2**256 - 1), max_size=8),
    data=st.data(),
)
def test_a_state_is_named_by_its_rows_and_not_by_how_they_came_i55(
    rows: list[int], gone: list[int], data: st.DataObject
) -> None:
    plain = StateSum()
    for row in rows:
        plain.add(row)

    steps = [(StateSum.add, row) for row in (*rows, *gone)]
    steps += [(StateSum.remove, row) for row in gone]
    other = StateSum()
    for step, row in data.draw(st.permutations(steps)):
        step(other, row)

    assert other.digest == plain.digest
    assert StateSum(int.from_bytes(plain.digest, "big")).digest == plain.digest
    assert len(plain.digest) == len(NO_LINK)
