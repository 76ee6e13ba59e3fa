"""The server behind the control socket: the same as the debug socket's, with other commands."""

from pathlib import Path

from hydra.ops.control.account import ReadAccount
from hydra.ops.control.commands import control_table
from hydra.ops.control.configuring import Reloading
from hydra.ops.control.facts import EngineFacts
from hydra.ops.control.halting import MarkHalt
from hydra.ops.debug.server import CommandServer
from hydra.ops.debug.session import Limits
from hydra.runtime.runtime import Runtime


class ControlServer(CommandServer):
    """See `CommandServer`; `reload`, `mark_halt` and `read_account` as in `control_table`."""

    def __init__(
        self,
        runtime: Runtime,
        path: Path,
        facts: EngineFacts,
        *,
        reload: Reloading | None = None,
        mark_halt: MarkHalt | None = None,
        read_account: ReadAccount | None = None,
        limits: Limits | None = None,
        user: int | None = None,
    ) -> None:
        table = control_table(facts, mark_halt, reload, read_account)
        super().__init__(runtime, path, table, limits=limits, user=user)
