"""Everything that is wrong with a journal is found, named, and said where."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.journal import JournalDamaged
from hydra.store.journal_files import link_fault
from hydra.store.journal_line import MAX_LINE_BYTES
from hydra.store.journal_reading import (
    Fault,
    Finding,
    everything_in,
    findings_in,
    read_journal,
)
from tests.store.journals import (
    contents_of,
    events_in,
    lay_out,
    new_file,
    record,
    write,
    write_numbers,
)

Lines: TypeAlias = list[bytes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "app.jsonl"


def faults_in(path: Path) -> list[tuple[str, int, Fault, str]]:
    return [
        (found.path.name, found.line_number, found.fault, found.reason)
        for found in findings_in(path)
    ]


def changed(line: bytes) -> bytes:
    return line.replace(b"Counted", b"Pounded")


def test_a_whole_journal_has_no_findings(path: Path) -> None:
    write_numbers(path, 50)

    assert list(findings_in(path)) == []


def test_a_journal_without_lines_has_neither_findings_nor_records(path: Path) -> None:
    write(path)

    assert list(findings_in(path)) == []
    assert list(read_journal(path)) == []


def test_where_nothing_is_there_is_no_journal(path: Path) -> None:
    path.parent.mkdir()

    for look in (read_journal, findings_in):
        with pytest.raises(FileNotFoundError, match="there is no journal"):
            list(look(path))


def test_what_is_written_while_it_is_read_changes_no_line_that_was_there_i54(path: Path) -> None:
    """An engine is at work: what was half a line at the end is whole a moment later."""
    write_numbers(path, 6)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    faults = []
    for item in everything_in(path):
        if isinstance(item, Finding):
            faults.append(item.fault)
            path.write_bytes(whole)

    assert faults == [Fault.TORN]
    assert list(findings_in(path)) == []


TABLE: list[tuple[str, Callable[[Lines], Lines], list[tuple[int, Fault, str]]]] = [
    (
        "torn",
        lambda lines: [*lines[:8], lines[8][:40]],
        [(9, Fault.TORN, "torn: it has no end")],
    ),
    (
        "zeros at the end",
        lambda lines: [*lines, bytes(4_000)],
        [(10, Fault.TORN, "torn: it has no end")],
    ),
    (
        "somebody's notes at the end",
        lambda lines: [*lines, b"notes"],
        [(10, Fault.CHANGED, "torn: it has no end")],
    ),
    (
        "changed",
        lambda lines: [*lines[:3], changed(lines[3]), *lines[4:]],
        [(4, Fault.CHANGED, "its checksum does not fit")],
    ),
    (
        "changed twice",
        lambda lines: [*lines[:3], changed(lines[3]), lines[4], changed(lines[5]), *lines[6:]],
        [
            (4, Fault.CHANGED, "its checksum does not fit"),
            (6, Fault.CHANGED, "its checksum does not fit"),
        ],
    ),
    (
        "first line changed",
        lambda lines: [changed(lines[0]), *lines[1:]],
        [(1, Fault.CHANGED, "its checksum does not fit")],
    ),
    (
        "glued",
        lambda lines: [*lines[:3], lines[3][:-1], *lines[4:]],
        [(4, Fault.GLUED, "lines that were written one after the other are glued (2 of them)")],
    ),
    (
        "three glued",
        lambda lines: [*lines[:3], lines[3][:-1], lines[4][:-1], *lines[5:]],
        [(4, Fault.GLUED, "lines that were written one after the other are glued (3 of them)")],
    ),
    (
        "a whole one behind a torn one",
        lambda lines: [*lines[:3], lines[3][:50], *lines[4:]],
        [(4, Fault.GLUED, "lines that were written one after the other are glued (2 of them)")],
    ),
    (
        "zeros in the middle",
        lambda lines: [*lines[:3], bytes(len(lines[3]) - 1) + b"\n", *lines[4:]],
        [(4, Fault.CHANGED, "111 bytes, all of them zero")],
    ),
    (
        "zeros instead of lines",
        lambda lines: [*lines[:3], bytes(len(lines[3])) + lines[4], *lines[5:]],
        [(4, Fault.GLUED, "lines that were written one after the other are glued (2 of them)")],
    ),
    (
        "too long",
        lambda lines: [*lines[:3], b"x" * 3 * MAX_LINE_BYTES + b"\n", *lines[4:]],
        [(4, Fault.CHANGED, "longer than 65536 bytes")],
    ),
    (
        "one taken out",
        lambda lines: [*lines[:3], *lines[4:]],
        [(4, Fault.MISSING, "it has seq 5, wanted 4")],
    ),
    (
        "first taken out",
        lambda lines: lines[1:],
        [(1, Fault.MISSING, "it has seq 2, wanted 1")],
    ),
    (
        "one twice",
        lambda lines: [*lines[:3], lines[2], *lines[3:]],
        [(4, Fault.REPEATED, "it has seq 3, wanted 4")],
    ),
    (
        "two swapped",
        lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
        [
            (4, Fault.MISSING, "it has seq 5, wanted 4"),
            (5, Fault.REPEATED, "it has seq 4, wanted 6"),
        ],
    ),
    (
        "one changed and two taken out behind it",
        lambda lines: [*lines[:3], changed(lines[3]), *lines[6:]],
        [
            (4, Fault.CHANGED, "its checksum does not fit"),
            (5, Fault.MISSING, "it has seq 7, wanted 4"),
        ],
    ),
    (
        "empty line",
        lambda lines: [*lines[:3], b"\n", *lines[3:]],
        [(4, Fault.CHANGED, "an empty line")],
    ),
]


@pytest.mark.parametrize(
    ("change", "faults"),
    [row[1:] for row in TABLE],
    ids=[row[0] for row in TABLE],
)
def test_damage_is_found_and_named_with_its_place_and_the_rest_is_read_i63(
    path: Path, change: Callable[[Lines], Lines], faults: list[tuple[int, Fault, str]]
) -> None:
    write(path, *(record(number) for number in range(1, 10)))
    lines = change(path.read_bytes().splitlines(keepends=True))
    new_file(path, b"".join(lines))

    found = list(findings_in(path))

    assert [(each.line_number, each.fault, each.reason) for each in found] == faults
    content = path.read_bytes()
    for each in found:
        assert content[: each.offset].count(b"\n") == each.line_number - 1
        assert each.offset == 0 or content[each.offset - 1 : each.offset] == b"\n"
    with pytest.raises(JournalDamaged) as damaged:
        list(read_journal(path))
    first = damaged.value
    assert (first.path, first.line_number, first.offset, first.reason) == (
        path,
        found[0].line_number,
        found[0].offset,
        found[0].reason,
    )


@pytest.mark.parametrize("fault", list(Fault))
def test_only_what_a_crash_leaves_is_made_good_by_opening(path: Path, fault: Fault) -> None:
    finding = Finding(path, 1, 0, fault, "")

    assert finding.is_left_by_a_crash == (fault in (Fault.TORN, Fault.NO_LIVE_FILE))


def test_damage_in_one_file_does_not_hide_that_in_the_others_i63(path: Path) -> None:
    write_numbers(path, 22)
    contents = contents_of(path)
    assert len(contents) == 4
    _, second, third, live = contents
    lines = contents[second].splitlines(keepends=True)
    contents[second] = b"".join([*lines[:-1], changed(lines[-1])])
    contents[third] += b"x"
    contents[live] = contents[live][:-5]
    lay_out(contents)

    assert faults_in(path) == [
        (second.name, 7, Fault.CHANGED, "its checksum does not fit"),
        (third.name, 8, Fault.CHANGED, "torn: it has no end"),
        (live.name, 3, Fault.TORN, "torn: it has no end"),
    ]


def test_files_taken_away_are_found_wherever_they_lay_i54(path: Path) -> None:
    write_numbers(path, 22)
    contents = contents_of(path)
    first, second, third, live = contents

    def without(file: Path) -> list[tuple[str, int, Fault, str]]:
        lay_out({each: content for each, content in contents.items() if each != file})
        return faults_in(path)

    beginning = "the journal begins with seq 9, wanted 1: what lies before was taken away, and not"
    gone = "it has seq {}, wanted {}: {}, which lay before it, is not there"
    assert without(first) == [(second.name, 1, Fault.FILE_MISSING, f"{beginning} by pruning")]
    assert without(second) == [(third.name, 1, Fault.FILE_MISSING, gone.format(16, 9, second.name))]
    assert without(third) == [(live.name, 1, Fault.FILE_MISSING, gone.format(23, 16, third.name))]
    assert without(live) == [(live.name, 1, Fault.NO_LIVE_FILE, "there are only full files")]
    lay_out({first: contents[first], second: contents[second], third: contents[third]})
    assert len(events_in(path)) == 22  # what is there can be read


def test_a_file_that_goes_on_from_another_one_is_found_i54(path: Path) -> None:
    write_numbers(path, 22)
    contents = contents_of(path)
    _, _, third, live = contents
    other = path.parent.parent / "other" / path.name
    write(
        other,
        *(record(number) | {"price": "187.31"} for number in range(1, 23)),
        file_bytes_max=900,
    )
    contents[third] = other.with_name(third.name).read_bytes()
    lay_out(contents)

    reason = "it goes on from another line than the last one of {}"
    second = list(contents)[1]
    assert faults_in(path) == [
        (third.name, 1, Fault.LINK, reason.format(second.name)),
        (live.name, 1, Fault.LINK, reason.format(third.name)),
    ]


def test_a_file_whose_name_says_another_number_is_found_i63(path: Path) -> None:
    write_numbers(path, 9)
    full, _ = contents_of(path)
    full.rename(full.with_name("app.000000000003.jsonl"))

    assert (
        "app.000000000003.jsonl",
        1,
        Fault.LINK,
        "it has seq 1, by its name 3",
    ) in faults_in(path)


def test_the_first_line_of_a_file_must_be_a_link() -> None:
    assert link_fault({"seq": 1, "event": "Counted"}, None) is None
    assert link_fault({"seq": 7, "event": "journal_continued"}, None) is None
    assert link_fault({"seq": 7, "event": "Counted"}, None) == "it has seq 7, wanted 1"


@given(damage=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**6), st.binary(max_size=9))))
def test_any_damage_whatever_is_read_to_the_end(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("damage") / "logs" / "app.jsonl"
    write_numbers(path, 22)
    files = [bytearray(content) for content in contents_of(path).values()]
    for number, place, junk in damage:
        begin = place % (len(files[number]) + 1)
        files[number][begin : begin + len(junk)] = junk
    lay_out(dict(zip(contents_of(path), map(bytes, files), strict=True)))

    strictly: str | None = None
    try:
        list(read_journal(path))
    except JournalDamaged as error:
        strictly = str(error)

    first = next(findings_in(path), None)
    assert (first is None) == (strictly is None)
    if first is not None:
        assert strictly == (
            f"{first.path}, line {first.line_number} (byte {first.offset}): {first.reason}"
        )
    assert len(list(findings_in(path))) >= (first is not None)
