"""The marker of a halt that the ledger could not take."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.crash_points import VARIABLE
from hydra.store.halt_marker import (
    BLOCK_BYTES,
    CODE_CHARACTERS_MAX,
    DETAIL_CHARACTERS_MAX,
    MARKER_BYTES,
    MORE_HALTS,
    Clear,
    Halted,
    HaltMarker,
    HaltMarkerFailed,
    Unreadable,
    read_halt_marker,
)
from hydra.store.private_files import RightsTooOpen
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.faults.quota import no_descriptor_to_spare, no_file_longer_than

ROOT = Path(__file__).resolve().parent.parent.parent

FULL = Cause(
    code="ledger_failed",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=1_767_623_400_000_000_000,
    detail="database or disk is full",
)
OTHER = structs.replace(FULL, code="kill_switch", detail="halt_all")
CLOSING = structs.replace(FULL, code="daily_loss", state=TradingState.CLOSE_ONLY)

HALTS_ONCE = """
import os, sys
from pathlib import Path
from hydra.crash_points import arm_from
from hydra.store.halt_marker import HaltMarker
from tests.store.test_halt_marker import FULL

marker = HaltMarker.open(Path(sys.argv[1]), at=1, first_start=True)
arm_from(os.environ)
marker.halt(FULL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "halt.marker"


@pytest.fixture
def marker(path: Path) -> Iterator[HaltMarker]:
    marker = HaltMarker.open(path, at=1, first_start=True)
    yield marker
    marker.close()


def opened(path: Path, *, first_start: bool = False, at: int = 7) -> Cause | None:
    """What stands for an engine that starts now."""
    marker = HaltMarker.open(path, at=at, first_start=first_start)
    marker.close()
    return marker.standing


def opened_whole(path: Path) -> tuple[Cause, ...]:
    """All that stands for an engine that starts now."""
    marker = HaltMarker.open(path, at=7, first_start=False)
    marker.close()
    return marker.causes


def unreadable(detail: str, at: int = 7) -> Cause:
    return Cause(
        code="halt_marker_unreadable",
        cause_class=CauseClass.INTEGRITY,
        state=TradingState.HALTED,
        since=at,
        detail=detail,
    )


def test_a_first_start_makes_a_clear_marker_that_is_private_i03_i84(path: Path) -> None:
    assert opened(path, first_start=True) is None
    assert read_halt_marker(path) == Clear()
    assert path.stat().st_size == MARKER_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert [other.name for other in path.parent.iterdir()] == ["halt.marker"]


def test_a_halt_stands_at_every_start_until_it_is_cleared_i03(
    path: Path, marker: HaltMarker
) -> None:
    marker.halt(FULL)
    halted = (marker.standing, read_halt_marker(path), opened(path), opened(path, first_start=True))
    marker.clear()
    cleared = (marker.standing, read_halt_marker(path), opened(path))

    assert halted == (FULL, Halted(FULL), FULL, FULL)
    assert cleared == (None, Clear(), None)


def test_a_halt_needs_no_new_space_and_no_new_descriptor_i03_i65(
    path: Path, marker: HaltMarker
) -> None:
    blocks_before = path.stat().st_blocks

    with no_file_longer_than(MARKER_BYTES), no_descriptor_to_spare():
        marker.halt(FULL)
        marker.clear()
        marker.halt(OTHER)

    assert read_halt_marker(path) == Halted(OTHER)
    assert (path.stat().st_size, path.stat().st_blocks) == (MARKER_BYTES, blocks_before)
    assert blocks_before * 512 >= MARKER_BYTES


def test_a_person_can_read_the_marker(path: Path, marker: HaltMarker) -> None:
    marker.halt(FULL)

    lines = path.read_bytes()[:BLOCK_BYTES].split(b"\n")

    assert lines[0] == b"HYDRA HALT MARKER 1"
    assert b'"detail":"database or disk is full"' in lines[1]


def test_every_halt_stands_and_the_worst_one_first_i03(path: Path, marker: HaltMarker) -> None:
    for cause in (CLOSING, FULL, OTHER, CLOSING):
        marker.halt(cause)

    all_of_them = (FULL, CLOSING, OTHER)
    assert (marker.standing, marker.causes) == (FULL, all_of_them)
    assert read_halt_marker(path) == Halted(FULL, (CLOSING, OTHER))
    assert opened_whole(path) == all_of_them


def test_of_one_code_the_newest_stands_and_never_milder_i03_i04(
    path: Path, marker: HaltMarker
) -> None:
    worse = structs.replace(CLOSING, state=TradingState.HALTED, detail="worse")
    later = structs.replace(CLOSING, since=CLOSING.since + 1, detail="once more")

    stood = []
    for cause in (CLOSING, worse, later):
        marker.halt(cause)
        stood.append(marker.causes)

    still_halted = structs.replace(later, state=TradingState.HALTED)
    assert stood == [(CLOSING,), (worse,), (still_halted,)]
    assert read_halt_marker(path) == Halted(still_halted)


def test_a_halt_that_stands_is_not_written_again_i03(path: Path, marker: HaltMarker) -> None:
    marker.halt(FULL)
    before = path.read_bytes()
    marker.halt(FULL)
    marker.halt(structs.replace(FULL, since=FULL.since - 1))

    assert path.read_bytes() == before


def test_what_a_clearing_lets_go_is_all_of_it_i03(path: Path, marker: HaltMarker) -> None:
    marker.halt(FULL)
    marker.halt(OTHER)
    marker.clear()

    assert (marker.causes, read_halt_marker(path)) == ((), Clear())


def test_what_stands_nowhere_any_more_is_let_go_and_the_rest_stays_i03(
    path: Path, marker: HaltMarker
) -> None:
    long = structs.replace(OTHER, code="c" * 300)
    for cause in (FULL, OTHER, long):
        marker.halt(cause)

    marker.keep_only(lambda: {FULL.code, long.code})
    kept = read_halt_marker(path)
    marker.keep_only(lambda: {"another"})

    assert kept == Halted(FULL, (structs.replace(long, code="c" * CODE_CHARACTERS_MAX),))
    assert read_halt_marker(path) == Clear()


def test_those_that_had_no_room_are_let_go_with_the_last_one_i03(
    path: Path, marker: HaltMarker
) -> None:
    for number in range(100):
        marker.halt(structs.replace(FULL, code=f"{number} {'x' * 150}"))
    (worst, *_) = marker.causes

    marker.keep_only(lambda: {worst.code})
    with_one = {cause.code for cause in marker.causes}
    marker.keep_only(set)

    assert with_one == {worst.code, MORE_HALTS}
    assert read_halt_marker(path) == Clear()


def test_nothing_is_let_go_of_a_marker_that_failed_i03(path: Path, marker: HaltMarker) -> None:
    marker.halt(FULL)
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(HaltMarkerFailed):
        marker.halt(OTHER)

    marker.keep_only(set)

    assert marker.standing is not None


def test_a_marker_made_anew_has_all_halts_that_were_readable_i03(
    path: Path, marker: HaltMarker
) -> None:
    for cause in (FULL, OTHER, CLOSING):
        marker.halt(cause)
    spoilt = bytearray(path.read_bytes())
    newest_is_first = spoilt.index(b'"daily_loss"') < BLOCK_BYTES
    older = BLOCK_BYTES if newest_is_first else 0
    spoilt[older : older + BLOCK_BYTES] = bytes(BLOCK_BYTES)
    path.write_bytes(spoilt)

    assert opened_whole(path) == (FULL, OTHER, CLOSING)
    assert read_halt_marker(path) == Halted(FULL, (OTHER, CLOSING))


@given(
    causes=st.lists(
        st.tuples(st.text(max_size=300), st.text(max_size=600), st.sampled_from(TradingState)),
        min_size=1,
        max_size=30,
    )
)
def test_however_many_halts_come_none_is_forgotten_and_the_worst_is_first_i03(
    causes: list[tuple[str, str, TradingState]],
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "halt.marker"
        marker = HaltMarker.open(path, at=1, first_start=True)
        for code, detail, state in causes:
            marker.halt(structs.replace(FULL, code=code, detail=detail, state=state))
        marker.close()
        found = read_halt_marker(path)

    assert isinstance(found, Halted)
    assert found.causes == marker.causes
    codes = {code[:CODE_CHARACTERS_MAX].encode(errors="replace").decode() for code, _, _ in causes}
    kept = {cause.code for cause in found.causes}
    assert codes <= kept or MORE_HALTS in kept
    assert found.cause.state.severity == max(state.severity for _, _, state in causes) or (
        MORE_HALTS in kept
    )


def test_a_marker_of_a_version_that_knew_one_halt_is_read_i03(
    path: Path, marker: HaltMarker
) -> None:
    marker.halt(FULL)

    assert b'"others"' not in path.read_bytes()
    assert read_halt_marker(path) == Halted(FULL)


@given(code=st.text(), detail=st.text(max_size=2_000), since=st.integers(0, 2**63 - 1))
def test_a_halt_never_fails_for_its_words_i03(code: str, detail: str, since: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "halt.marker"
        marker = HaltMarker.open(path, at=1, first_start=True)
        marker.halt(structs.replace(FULL, code=code, detail=detail, since=since))
        marker.close()

        found = read_halt_marker(path)

    assert found == Halted(
        structs.replace(
            FULL,
            code=code[:CODE_CHARACTERS_MAX].encode(errors="replace").decode(),
            detail=detail[:DETAIL_CHARACTERS_MAX].encode(errors="replace").decode(),
            since=since,
        )
    )


@pytest.mark.parametrize("character", ["\0", "\x1f", '"', "\\", "\ud800", "\U0001f6d1"])
def test_the_longest_words_fit_a_block_i03(path: Path, marker: HaltMarker, character: str) -> None:
    marker.halt(
        structs.replace(FULL, code=character * 500, detail=character * 5_000, since=-(2**63))
    )

    assert isinstance(read_halt_marker(path), Halted)


def test_a_halt_of_one_bot_that_had_to_go_here_holds_for_every_order_i03(
    path: Path, marker: HaltMarker
) -> None:
    marker.halt(structs.replace(FULL, bot="m" * 5_000, symbol="AAPL"))

    assert read_halt_marker(path) == Halted(FULL)


SECTORS = st.lists(st.sampled_from(["old", "new", "zeros", "noise"]), min_size=8, max_size=8)


@given(sectors=SECTORS, history=st.lists(st.sampled_from(["halt", "clear"]), max_size=4))
def test_a_torn_halt_never_reads_as_clear_i03(sectors: list[str], history: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "halt.marker"
        marker = HaltMarker.open(path, at=1, first_start=True)
        for step in [*history, "clear"]:
            marker.halt(OTHER) if step == "halt" else marker.clear()
        before = path.read_bytes()
        marker.halt(FULL)
        marker.close()
        after = path.read_bytes()

        torn = torn_write(before, after, sectors)
        path.write_bytes(torn)
        found = read_halt_marker(path)
        standing = opened(path)

    if torn == after:
        assert (found, standing) == (Halted(FULL), FULL)
    elif torn == before:  # nothing of it came to the disk, and nobody was told that it had
        assert (found, standing) == (Clear(), None)
    else:
        assert isinstance(found, Unreadable)
        assert standing == unreadable(found.reason)


@given(sectors=SECTORS)
def test_a_torn_clearing_leaves_the_halt_that_stood_i03(sectors: list[str]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "halt.marker"
        marker = HaltMarker.open(path, at=1, first_start=True)
        marker.halt(FULL)
        before = path.read_bytes()
        marker.clear()
        marker.close()
        after = path.read_bytes()

        torn = torn_write(before, after, sectors)
        path.write_bytes(torn)
        found = read_halt_marker(path)
        standing = opened(path)

    assert (found, standing) == ((Clear(), None) if torn == after else (Halted(FULL), FULL))


def test_a_torn_halt_after_a_lesser_one_is_not_read_as_the_lesser_i03(
    path: Path, marker: HaltMarker
) -> None:
    marker.halt(CLOSING)
    before = path.read_bytes()
    marker.halt(FULL)

    path.write_bytes(torn_write(before, path.read_bytes(), ["new"] * 4 + ["zeros"] * 4))

    standing = opened(path)
    assert standing is not None and standing.state is TradingState.HALTED


def torn_write(before: bytes, after: bytes, sectors: list[str]) -> bytes:
    """What may be found after a power cut: each sector of the block in any condition."""
    start = 0 if before[BLOCK_BYTES:] == after[BLOCK_BYTES:] else BLOCK_BYTES
    assert before[:start] == after[:start]
    contents = bytearray(before)
    for number, condition in enumerate(sectors):
        sector = slice(start + number * 512, start + (number + 1) * 512)
        contents[sector] = {
            "old": before[sector],
            "new": after[sector],
            "zeros": bytes(512),
            "noise": bytes(range(256)) * 2,
        }[condition]
    return bytes(contents)


@pytest.mark.parametrize("byte", range(0, MARKER_BYTES, 61))
def test_a_flipped_bit_in_a_clear_marker_halts_i03(
    path: Path, marker: HaltMarker, byte: int
) -> None:
    content = bytearray(path.read_bytes())
    content[byte] ^= 1
    path.write_bytes(content)

    assert isinstance(read_halt_marker(path), Unreadable)
    assert opened(path) == unreadable(reason_of(path, byte))


def reason_of(path: Path, byte: int) -> str:
    block, place = divmod(byte, BLOCK_BYTES)
    if place < len(b"HYDRA HALT MARKER 1\n"):
        return f"{path}: block {block + 1}: it does not begin as a halt marker of this version"
    return (
        f"{path}: block {block + 1}: its checksum does not fit;"
        " a write was torn, or the disk changed it"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "found 0 bytes, wanted 8192"),
        (bytes(BLOCK_BYTES), "found 4096 bytes, wanted 8192"),
        (bytes(MARKER_BYTES + 1), "found more, wanted 8192"),
        (
            b"HYDRA HALT MARKER 2\n".ljust(BLOCK_BYTES, b"\0") * 2,
            (
                "block 1: it does not begin as a halt marker of this version;"
                " block 2: it does not begin as a halt marker of this version"
            ),
        ),
    ],
)
def test_a_marker_that_is_not_ours_or_not_whole_halts_i03(
    path: Path, marker: HaltMarker, content: bytes, reason: str
) -> None:
    path.write_bytes(content)

    assert read_halt_marker(path) == Unreadable(f"{path}: {reason}")
    assert opened(path, first_start=True) == unreadable(f"{path}: {reason}")


def test_two_blocks_of_one_number_cannot_say_which_is_newer_i03(
    path: Path, marker: HaltMarker
) -> None:
    path.write_bytes(path.read_bytes()[:BLOCK_BYTES] * 2)

    assert read_halt_marker(path) == Unreadable(f"{path}: two blocks have the number 1")


def test_two_blocks_with_one_lost_between_them_are_not_clear_i03(
    path: Path, marker: HaltMarker
) -> None:
    before = path.read_bytes()
    marker.halt(FULL)
    marker.clear()
    path.write_bytes(before[:BLOCK_BYTES] + path.read_bytes()[BLOCK_BYTES:])

    reason = "its blocks have the numbers 1 and 4: one between was lost"
    assert read_halt_marker(path) == Unreadable(f"{path}: {reason}")


def test_a_marker_that_went_missing_halts_from_then_on_i03(path: Path, marker: HaltMarker) -> None:
    path.unlink()

    assert read_halt_marker(path) == Unreadable(f"{path} is missing")
    assert opened(path, at=7) == unreadable(f"{path} is missing", at=7)
    assert opened(path, at=8) == unreadable(f"{path} is missing", at=7)


def test_a_marker_that_others_may_write_refuses_the_start_i03_i84(
    path: Path, marker: HaltMarker
) -> None:
    path.chmod(0o620)

    assert read_halt_marker(path) == Unreadable(
        f"{path} has rights 0620, wanted 0600: chmod 600 {path}"
    )
    with pytest.raises(RightsTooOpen):
        opened(path)


def test_a_halt_into_a_replaced_marker_takes_the_false_one_away_i03_i58(
    path: Path, marker: HaltMarker
) -> None:
    restored = path.read_bytes()
    path.rename(path.with_name("moved"))
    path.write_bytes(restored)
    path.chmod(0o600)

    with pytest.raises(HaltMarkerFailed, match="another file is in its place"):
        marker.halt(FULL)

    assert read_halt_marker(path) == Unreadable(f"{path} is missing")


def test_a_halt_that_cannot_be_written_takes_the_marker_away_i03(
    path: Path, marker: HaltMarker
) -> None:
    with no_file_longer_than(100), pytest.raises(HaltMarkerFailed, match="cannot halt in"):
        marker.halt(FULL)

    assert read_halt_marker(path) == Unreadable(f"{path} is missing")
    with pytest.raises(HaltMarkerFailed, match="not cleared, because it failed before"):
        marker.clear()


def test_a_clearing_that_fails_leaves_the_halt_i03(path: Path, marker: HaltMarker) -> None:
    marker.halt(FULL)

    with no_file_longer_than(100), pytest.raises(HaltMarkerFailed, match="cannot clear"):
        marker.clear()

    assert (marker.standing, read_halt_marker(path)) == (FULL, Halted(FULL))


def test_a_marker_that_cannot_be_made_refuses_the_start_i03(path: Path) -> None:
    with no_file_longer_than(100), pytest.raises(HaltMarkerFailed, match="no halt marker"):
        opened(path, first_start=True)

    assert read_halt_marker(path) == Unreadable(f"{path} is missing")


@pytest.mark.parametrize(
    ("crash_at", "found"),
    [("halt_marker.before", Clear()), ("halt_marker.written", Halted(FULL))],
)
def test_a_halt_is_there_once_it_was_written_though_the_process_is_killed_i03_i59(
    path: Path, crash_at: str, found: Clear | Halted
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", HALTS_ONCE, str(path)],
        env={**os.environ, VARIABLE: crash_at},
        cwd=ROOT,
        timeout=30,
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    assert read_halt_marker(path) == found
