"""Ledgers as older Hydras wrote them, kept to be opened by every later one."""

from pathlib import Path

import apsw

from hydra.store.private_files import make_private_file, make_private_folder

VERSION_1 = Path(__file__).with_name("version_1.sql")
VERSION_1_CHAIN = "97c6b3c9190bdf573272bb243622aa91032cdc7389e5936e9445efdac1a2cffd"
VERSION_1_STATE = "db2bbd1a0ee352be6037de34f66fd29a35c16243e8f23d8c8a52c8b00c48c364"
"""What the Hydra that wrote it said of it."""


def ledger_of_version_1(path: Path) -> Path:
    """One that its engine left without a word, as it lay on the disk then."""
    make_private_folder(path.parent)
    make_private_file(path)
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "wal")
    for _ in connection.execute(VERSION_1.read_text(encoding="utf-8")):
        pass
    connection.close()
    return path
