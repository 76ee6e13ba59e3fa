"""The record of signals: what has its end there is known for ever, at a cost that does not grow."""

import tracemalloc
from pathlib import Path

import msgspec
import pytest

from hydra.store.signal_record import SignalRecord, SignalRecordDamaged
from messages.signals import SignalDone, SignalNote

MIB = 1024 * 1024
MANY = 20_000
"""Some 4 MiB of them."""


def note(number: int, done: SignalDone = SignalDone.REFUSED) -> SignalNote:
    return SignalNote(
        id=f"s-{number}", at=number, done=done, symbol="AAPL", reason="it is too old" + "." * 100
    )


def written(folder: Path, numbers: range) -> Path:
    """A record that an earlier life left, with the end of these signals in it."""
    record = SignalRecord(folder)
    record.close()
    with record.orders.open("ab") as file:
        for number in numbers:
            file.write(msgspec.json.encode(note(number)) + b"\n")
    return record.orders


def reopened(folder: Path) -> SignalRecord:
    record = SignalRecord(folder)
    record.close()
    return record


def known(record: SignalRecord, *numbers: int) -> list[bool]:
    return [f"s-{number}" in record.ended for number in numbers]


def test_a_start_does_not_read_again_what_an_earlier_one_has_settled(tmp_path: Path) -> None:
    orders = written(tmp_path / "kept", range(MANY))
    reopened(tmp_path / "kept")
    with orders.open("r+b") as file:
        file.write(b"?")  # whoever reads this finds damage
    written_since = SignalRecord(tmp_path / "kept")
    written_since.note(note(MANY))
    written_since.note(note(MANY + 1, SignalDone.WANTED))
    written_since.close()

    again = reopened(tmp_path / "kept")

    assert known(again, 0, MANY - 1, MANY, MANY + 1) == [True, True, True, False]


@pytest.mark.parametrize("spoilt", [b"", b"{}\n", b"nonsense", b"{}\n12345678", None], ids=repr)
def test_what_was_settled_is_read_again_where_that_cannot_be_trusted(
    tmp_path: Path, spoilt: bytes | None
) -> None:
    written(tmp_path / "kept", range(MANY))
    reopened(tmp_path / "kept")
    ended = tmp_path / "kept" / "ended.bin"
    content = ended.read_bytes()
    ended.write_bytes(content[:-1] + b"\xff" if spoilt is None else spoilt)

    again = reopened(tmp_path / "kept")

    assert known(again, 0, MANY - 1, MANY) == [True, True, False]
    assert ended.read_bytes() == content


def test_orders_that_are_others_or_fewer_are_read_whole(tmp_path: Path) -> None:
    orders = written(tmp_path / "kept", range(MANY))
    reopened(tmp_path / "kept")
    content = orders.read_bytes()

    orders.write_bytes(content[: len(content) // 2].rpartition(b"\n")[0] + b"\n")
    fewer = reopened(tmp_path / "kept")
    orders.write_bytes(b"")
    written(tmp_path / "kept", range(MANY, 2 * MANY + 1))
    others = reopened(tmp_path / "kept")

    assert known(fewer, 0, MANY - 1) == [True, False]
    assert known(others, 0, MANY, 2 * MANY) == [False, True, True]


def test_a_start_never_holds_all_that_it_reads(tmp_path: Path) -> None:
    size = written(tmp_path / "kept", range(MANY)).stat().st_size

    tracemalloc.start()
    try:
        reopened(tmp_path / "kept")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size > 4 * MIB
    assert most < size


def test_damage_is_told_with_its_line_also_behind_what_is_settled(tmp_path: Path) -> None:
    orders = written(tmp_path / "kept", range(MANY))
    reopened(tmp_path / "kept")
    with orders.open("ab") as file:
        file.write(b"nonsense\n")

    with pytest.raises(SignalRecordDamaged, match=rf"orders\.jsonl:{MANY + 1}: "):
        SignalRecord(tmp_path / "kept")


def test_a_torn_end_is_taken_away_however_long_it_is(tmp_path: Path) -> None:
    orders = written(tmp_path / "kept", range(2))
    whole = orders.read_bytes()
    with orders.open("ab") as file:
        file.write(b"x" * (2 * MIB))

    assert known(reopened(tmp_path / "kept"), 0, 1) == [True, True]
    assert orders.read_bytes() == whole
