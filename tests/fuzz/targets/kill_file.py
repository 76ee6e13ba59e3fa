"""The kill switch's file and variable: nothing but the one word means less than a halt (I07)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.store.kill_file import read_kill_file
from hydra.trading.kill_switch import CONTENT_BYTES_MAX, Source, Written, kill_cause
from hydra.trading.trading_state import TradingState
from tests.fuzz.spoiling import spoilt_bytes
from tests.fuzz.target import Target, Verdict, require

WORDS = (b"close_only", b"close_only\n", b"halt_all", b"", b"CLOSE_ONLY", b"close_only \r\n\t ")
HUGE = (lambda: b"close_only" + b" " * 8_000_000, lambda: b"\0" * 8_000_000)
BLANKS = b" \t\r\n"


@contextmanager
def kill_file(folder: Path) -> Iterator[Target]:
    """The content of a file of ours in a folder of ours; and the same as a variable."""
    path = folder / "kill_switch"
    folder.chmod(0o700)

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        path.chmod(0o600)
        seen = read_kill_file(path, pause=lambda: None)
        wanted = _wanted(data)
        for source, sight in ((Source.STATE_FILE, seen), (Source.ENVIRONMENT, Written(data))):
            cause = kill_cause(source, str(path), sight, 1)
            require(cause is not None, "what stands there is no kill at all")
            assert cause is not None
            require(cause.state is wanted, f"{cause.state} of {data[:80]!r}, wanted {wanted}")
            require(cause.detail.isprintable(), "its words have characters of the file's")
            twin = kill_cause(source, str(path), Written(_of_its_size(data)), 1)
            is_told = "known word" in cause.detail and twin is not None
            require(not is_told or "capitals" in cause.detail or cause == twin, "it is repeated")
        return Verdict.ACCEPTED if wanted is TradingState.CLOSE_ONLY else Verdict.REFUSED

    yield Target(
        name="kill_file", feed=feed, seeds=WORDS, spoil=_spoil, huge=HUGE, input_bytes_max=4096
    )


def _wanted(data: bytes) -> TradingState:
    """Said a second time, and simply: the word, blanks after it, and no more than 64 bytes."""
    is_word = data[:10] == b"close_only" and not data[10:].strip(BLANKS)
    is_short = len(data) <= CONTENT_BYTES_MAX
    return TradingState.CLOSE_ONLY if is_word and is_short else TradingState.HALTED


def _of_its_size(data: bytes) -> bytes:
    """What nobody knows either, so that the words of the one are those of the other."""
    word = data.rstrip(BLANKS)
    return b"?" * len(word) + data[len(word) :]


def _spoil(data: bytes, dice: random.Random) -> bytes:
    if dice.random() < 0.3:
        return dice.choice(WORDS) + dice.choice((b"", b" ", b"\n", b"\0", b"x", b" " * 80))
    return spoilt_bytes(data, dice)
