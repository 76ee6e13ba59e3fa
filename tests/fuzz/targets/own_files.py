"""Small files of the operator's and of our own: `.env`, and the marker of a halt."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.settings import SettingsRefused
from hydra.settings.secrets import load_secrets
from hydra.store.halt_marker import Clear, Halted, HaltMarker, Unreadable, read_halt_marker
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.fuzz.spoiling import TEXTS, spoilt_bytes, spoilt_lines
from tests.fuzz.target import Target, Verdict, require

CANARY = "CANARY7CANARY7CANARY7CANARY7"
"""So long that it can be nothing but a key in the wrong place."""
ENV = f"""# keys
ALPACA_KEY=PK{CANARY}
ALPACA_SECRET="{CANARY}bbbbb"
HYDRA_KILL_SWITCH=close_only
export HYDRA_STRATEGY_MODE=normal
"""
NAMES = (
    *("ALPACA_KEY", "ALPACA_SECRET", "HYDRA_KILL_SWITCH", "HYDRA_KILL_SWITCH_FILE", "ALPACA_PAPER"),
    *("LIVE_DISABLE_NETWORK", "HYDRA_LIVE", "ALPACA_KEYS", "export", "", " ", CANARY),
)


@contextmanager
def env_file(folder: Path) -> Iterator[Target]:
    """The file of the keys. Whatever is wrong with it, nothing tells what stands in it (I83)."""
    path = folder / ".env"

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        path.chmod(0o600)
        try:
            secrets = load_secrets(path, {})
        except SettingsRefused as refused:
            text = str(refused)
            require(CANARY not in text, "the refusal tells a value")
            require(all(line.isprintable() for line in text.split("\n")), f"odd: {text!r:.200}")
            return Verdict.REFUSED
        shown = f"{secrets.alpaca_key!r} {secrets.alpaca_secret} {secrets.strategy_mode}"
        require(CANARY not in shown, "what was read shows a key")
        return Verdict.ACCEPTED

    seeds = (ENV.encode(), b"", b"\n# nothing\n")
    yield Target(name="env_file", feed=feed, seeds=seeds, spoil=_spoilt_env, input_bytes_max=70_000)


def _spoilt_env(data: bytes, dice: random.Random) -> bytes:
    match dice.randrange(4):
        case 0:
            return spoilt_bytes(data, dice)
        case 1:
            return spoilt_lines(data, dice)
        case _:
            name = dice.choice(NAMES).encode()
            value = dice.choice((*TEXTS, "close_only", "'a", '"a', "${HOME}", f"{CANARY} #"))
            sign = dice.choice((b"=", b" = ", b"", b": "))
            return data + name + sign + value.encode("utf-8", "surrogatepass") + b"\n"


CAUSE = Cause(
    code="operator",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=1_795_444_267_000_000_000,
    detail="a test",
)


@contextmanager
def halt_marker(folder: Path) -> Iterator[Target]:
    """The marker: only the very bytes that were written as clear are read as clear (I03)."""
    path = folder / "kept" / "halt_marker"
    clear, halted, cleared = _markers(path)

    def feed(data: bytes) -> Verdict:
        path.write_bytes(data)
        path.chmod(0o600)
        reading = read_halt_marker(path)
        match reading:
            case Clear():
                require(data in (clear, cleared), "what nobody wrote is read as clear")
            case Halted(cause=cause):
                is_ours = cause == CAUSE or cause.state is TradingState.HALTED
                require(is_ours, f"a halt that is none: {cause}")
            case Unreadable(reason=reason):
                require(bool(reason), "unreadable without a reason")
        marker = HaltMarker.open(path, at=1, first_start=False)
        try:
            is_clear = marker.standing is None
        finally:
            marker.close()
        require(is_clear is isinstance(reading, Clear), "reader and writer see two things")
        return Verdict.REFUSED if isinstance(reading, Unreadable) else Verdict.ACCEPTED

    yield Target(
        name="halt_marker",
        feed=feed,
        seeds=(clear, halted, cleared),
        spoil=lambda data, dice: _spoilt_marker(data, (clear, halted, cleared), dice),
    )


def _markers(path: Path) -> tuple[bytes, bytes, bytes]:
    """As it is made, halted, and cleared again."""
    marker = HaltMarker.open(path, at=1, first_start=True)
    try:
        clear = path.read_bytes()
        marker.halt(CAUSE)
        halted = path.read_bytes()
        marker.clear()
        return clear, halted, path.read_bytes()
    finally:
        marker.close()


def _spoilt_marker(data: bytes, whole: tuple[bytes, ...], dice: random.Random) -> bytes:
    """By bytes, or one block of the one and one of the other, as no write leaves them."""
    if dice.random() < 0.3:
        half = len(data) // 2
        return dice.choice(whole)[:half] + dice.choice(whole)[half:]
    if dice.random() < 0.3:
        content = bytearray(data)
        if content:
            content[dice.randrange(min(200, len(content)))] ^= 1 << dice.randrange(8)
        return bytes(content)
    return spoilt_bytes(data, dice)
