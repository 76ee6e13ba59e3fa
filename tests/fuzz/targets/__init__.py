"""The targets by name. Each is imported when it is asked for, after the probes are in place."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

from tests.fuzz.target import Target

MODULES = {
    "settings": "settings_files",
    "strict_yaml": "settings_files",
    "journal": "journal",
    "kill_file": "kill_file",
    "env_file": "own_files",
    "halt_marker": "own_files",
    "debug_socket": "debug_socket",
    "control_socket": "control_socket",
    "dashboard": "dashboard",
    "csv": "bars",
    "csv_gz": "bars",
    "parquet": "parquet_bars",
    "candles": "bars",
    "option_chain": "option_chain",
    "signals": "signals",
    "market_data": "streams",
    "trade_updates": "streams",
    "websocket": "streams",
    "rest_bodies": "rest",
    "http": "rest",
    "account": "account",
    "statement": "statement",
    "flight": "flight",
    "certificate": "certificates",
}
"""Target and module. The function of the target's name there makes it."""

NAMES = tuple(MODULES)


def target_named(name: str, folder: Path) -> AbstractContextManager[Target]:
    """The target, ready to be fed for as long as the block. It may write into the folder."""
    make: Callable[[Path], AbstractContextManager[Target]]
    make = getattr(import_module(f"tests.fuzz.targets.{MODULES[name]}"), name)
    return make(folder)
