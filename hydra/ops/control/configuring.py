"""The configuration that a running engine is held to: told, and its strategy mode chosen."""

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta

from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import Refused, Row, utc_text
from hydra.ops.debug.halting import Reason
from hydra.ops.debug.looking import Arguments
from hydra.ops.reload import Reload
from hydra.ops.reload_tree import NotTaken
from hydra.runtime.runtime import Runtime
from hydra.trading.strategy_modes import NotAllowed, StrategyMode

Reloading = Callable[[], Reload | None]
"""The watch over the files of the settings; None: this engine has none, or not yet."""

Mode = Annotated[str, Meta(min_length=1, max_length=20)]


class ChooseMode(Arguments, frozen=True):
    """`mode`: one of the strategy modes, by its name."""

    mode: Mode
    reason: Reason


class Choosing:
    """The command `mode`."""

    def __init__(self, reload: Reloading) -> None:
        self._reload = reload

    def choose(self, runtime: Runtime, arguments: ChooseMode, caller: Caller) -> dict[str, Any]:
        """Follow a strategy mode: what it takes away at once, the rest with a restart."""
        reload = self._reload()
        if reload is None:
            raise Refused("this engine does not follow its configuration while it runs")
        try:
            mode = StrategyMode(arguments.mode)
        except ValueError:
            there_are = ", ".join(each.value for each in StrategyMode)
            raise Refused(f"found {arguments.mode!r}, wanted one of {there_are}") from None
        runtime.log(
            "control_mode",
            "control",
            {"mode": mode.value, "reason": arguments.reason, "by": caller.name},
        )
        try:
            reload.choose_mode(mode, arguments.reason, caller.name)
        except (NotAllowed, NotTaken) as refused:
            raise Refused(str(refused)) from None
        told = configuration_told(reload)
        assert told is not None, "there is a watch"
        return told


def no_reload() -> None:
    """Where nobody watches the files."""


def configuration_told(reload: Reload | None) -> Row | None:
    """What is in force, and what waits for a restart; times in words. None: nobody watches."""
    if reload is None:
        return None
    told = reload.told()
    for name in ("since", "refused_since", "pending_since"):
        told[name] = None if told[name] is None else utc_text(told[name])
    return told
