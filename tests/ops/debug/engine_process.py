"""A small engine in a process of its own: one actor hangs, one has failed. Ends with its input.

Run as `python -m tests.ops.debug.engine_process FOLDER`; says `ready` once it can be looked into.
"""

import sys
from pathlib import Path

from hydra.ops.debug.session import Limits
from tests.ops.debug.engines import FRAIL, KEEPER, SENDER, Crash, Note, Pass, live
from tests.waiting import eventually


def main() -> None:
    with live(Path(sys.argv[1]), Limits()) as engine:
        engine.make_it_hang()
        engine.runtime.tell(FRAIL, Crash())
        engine.runtime.tell(KEEPER, Note(text="a"))
        engine.runtime.tell(SENDER, Pass(order="order-1"))
        cells = engine.runtime.cells
        assert eventually(lambda: cells[KEEPER.path].processed == 2)
        assert eventually(lambda: cells[FRAIL.path].incarnation == 2)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
