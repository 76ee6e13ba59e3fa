"""The disk of the power cuts keeps what a real one promises to keep, and nothing else for sure."""

from pathlib import Path

import pytest

from hydra.testkit.disk.log import DiskLog
from hydra.testkit.disk.power_cut import SECTOR_BYTES, Image, Style, image_at, images
from tests.faults.damage import with_bit_flipped

HALF = SECTOR_BYTES // 2
OLD, NEW = b"o", b"N"


@pytest.fixture
def log() -> DiskLog:
    """One file of three sectors has been on the platter for long."""
    return DiskLog(Path("/nowhere"), {"a": OLD * 3 * SECTOR_BYTES})


def found(log: DiskLog, *styles: Style, cut: int | None = None) -> list[dict[str, bytes]]:
    """All that may be there after a cut of the whole log, in whatever order."""
    cut = len(log) if cut is None else cut
    several = images(log, 1, 500, styles=styles, first_cut=cut)
    return sorted((image.files for image in several), key=lambda files: sorted(files.items()))


def test_what_was_synced_is_there_whatever_happens(log: DiskLog) -> None:
    file = log.opened("a")
    log.wrote(file, 0, NEW)
    log.synced(file)

    assert found(log, *Style) == [{"a": NEW + OLD * (3 * SECTOR_BYTES - 1)}]


def test_what_was_not_synced_may_be_lost_or_kept(log: DiskLog) -> None:
    file = log.opened("a")
    log.truncated(file, 0)
    log.wrote(file, 0, NEW)

    assert image_at(log, style=Style.LOST).files == {"a": OLD * 3 * SECTOR_BYTES}
    assert image_at(log, style=Style.KEPT).files == {"a": NEW}


def test_writes_come_in_any_order_with_zeros_between(log: DiskLog) -> None:
    file = log.opened("b")
    log.folder_synced(".")
    log.wrote(file, 0, NEW)
    log.wrote(file, 3, NEW)

    contents = [b"", NEW, b"\0\0\0" + NEW, NEW + b"\0\0" + NEW]
    a = {"a": OLD * 3 * SECTOR_BYTES}
    assert found(log, Style.REORDERED) == sorted(
        ({**a, "b": content} for content in contents), key=lambda files: sorted(files.items())
    )


def test_a_write_is_torn_where_sectors_end_and_nothing_beside_it_changes(log: DiskLog) -> None:
    file = log.opened("a")
    log.wrote(file, HALF, NEW * 2 * SECTOR_BYTES)

    def torn(*, first: bool, second: bool, third: bool) -> dict[str, bytes]:
        pieces = [(first, HALF), (second, SECTOR_BYTES), (third, HALF)]
        middle = b"".join((NEW if is_new else OLD) * size for is_new, size in pieces)
        return {"a": OLD * HALF + middle + OLD * HALF}

    assert found(log, Style.TORN) == sorted(
        (
            torn(first=first, second=second, third=third)
            for first in (False, True)
            for second in (False, True)
            for third in (False, True)
        ),
        key=lambda files: sorted(files.items()),
    )


def test_a_failed_sync_is_not_made_good_by_the_next_one(log: DiskLog) -> None:
    file = log.opened("a")
    log.wrote(file, 0, NEW)
    log.sync_failed(file)
    log.wrote(file, 2, NEW)
    log.synced(file)

    rest = OLD * (3 * SECTOR_BYTES - 3)
    assert found(log, *Style) == [{"a": b"NoN" + rest}, {"a": b"ooN" + rest}]


def test_what_a_failed_sync_gave_up_never_covers_what_was_written_later(log: DiskLog) -> None:
    file = log.opened("a")
    log.truncated(file, 1)
    log.wrote(file, 0, b"1")
    log.sync_failed(file)
    log.wrote(file, 0, b"2")
    log.synced(file)

    starts = {files["a"][:1] for files in found(log, *Style)}
    assert starts == {b"2"}


def test_a_name_is_there_for_sure_only_when_its_folder_was_synced(log: DiskLog) -> None:
    file = log.opened("b")
    log.wrote(file, 0, NEW)
    log.synced(file)
    a = {"a": OLD * 3 * SECTOR_BYTES}
    assert found(log, *Style) == [a, {**a, "b": NEW}]

    log.folder_synced(".")
    assert found(log, *Style) == [{**a, "b": NEW}]


def test_a_deleted_file_may_come_back_with_what_it_had(log: DiskLog) -> None:
    log.deleted("a")
    new = log.opened("a")
    log.wrote(new, 0, NEW)
    log.synced(new)

    old = {"a": OLD * 3 * SECTOR_BYTES}
    assert found(log, Style.REORDERED) == [{}, {"a": NEW}, old]


def test_a_rename_is_there_as_a_whole_or_not(log: DiskLog) -> None:
    log.renamed("a", "b")

    old = OLD * 3 * SECTOR_BYTES
    assert found(log, *Style) == [{"a": old}, {"b": old}]


def test_an_image_knows_what_was_promised_by_then(log: DiskLog) -> None:
    log.acknowledge(1)
    log.acknowledge(2)

    assert [image_at(log, cut).acknowledged for cut in range(3)] == [0, 1, 2]


def test_the_same_seed_gives_the_same_images(log: DiskLog) -> None:
    file = log.opened("a")
    for number in range(20):
        log.wrote(file, number, NEW)

    def some(seed: int) -> list[Image]:
        return list(images(log, seed, 50))

    assert some(1) == some(1)
    assert some(1) != some(2)
    assert len({(image.acknowledged, image.files["a"]) for image in some(1)}) == 50


def test_an_image_is_laid_out_instead_of_the_one_before(tmp_path: Path, log: DiskLog) -> None:
    image_at(log).lay_out(tmp_path)
    Image(0, Style.LOST, 0, {"b/c": NEW}).lay_out(tmp_path)

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["c"]
    assert (tmp_path / "b" / "c").read_bytes() == NEW


def test_a_flipped_bit_is_the_only_difference() -> None:
    assert with_bit_flipped(b"\0\0\0", 9) == b"\0\2\0"
