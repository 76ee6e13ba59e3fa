"""An engine in virtual time whose configuration lies in files, and the watch over them."""

import shutil
from pathlib import Path
from typing import Any

from hydra.actor import ChildSpec
from hydra.ops.config.history import Content
from hydra.ops.mode_watch import ModeWatch
from hydra.ops.reload import Reload
from hydra.ops.reload_source import ConfigSource
from hydra.ops.session import WatchedConditions
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.settings import Settings
from hydra.settings.strategy_mode import in_mode
from hydra.trading.strategy_modes import STRATEGY_MODE, StrategyMode, followed, read
from tests.engine.harness import ENTRY_AT, World, quiet, without_bots

CONFIG = Path(__file__).resolve().parents[2] / "config"


class Followed:
    """One engine, its files, and what it said. Only the test's own hand trades, in bots' names,
    unless they are wanted.
    """

    def __init__(
        self,
        folder: Path,
        *,
        with_bots: bool = False,
        named: StrategyMode | None = None,
        source: ConfigSource | None = None,
    ) -> None:
        self.config = folder / "config"
        if not self.config.exists():
            shutil.copytree(CONFIG, self.config)
        self._with_bots = with_bots
        self._named = named
        self._source = source
        self.said: list[str] = []
        self.kept: list[tuple[Content, str]] = []
        self.restarts: list[str] = []
        self.world = World(quiet(), ledger_path=folder / "ledger.db")
        self.start()

    def start(self) -> None:
        """A process begins: it reads the files, and what is on record of the mode."""
        source = self._source or ConfigSource(
            self.config, signal_check=fault_in_signal, plugin_check=fault_in_plugin
        )
        base = source.read()
        ledger = self.world.open_ledger()
        word = read(ledger.get(STRATEGY_MODE))
        ledger.close()
        mode = followed(self._named or base.modes.selected, word)
        conditions = WatchedConditions()
        self.life = self.world.begin(
            with_bots=self._with_bots, settings=in_mode(base, mode), conditions=conditions
        )
        modes = ModeWatch(self.life.runtime, base, self._named, word, self.said.append)
        self.reload = Reload(
            self.life.runtime,
            source,
            base,
            self.life.tree,
            self._rebuilt,
            modes,
            say=self.said.append,
            keep=lambda content, _settings, how: self.kept.append((content, how)),
        )
        self.reload.on_restart(self.restarts.append)
        conditions.watches.append(self.reload)

    def begun(self) -> "Followed":
        """At a time at which entries may be made."""
        self.life.run_to(max(ENTRY_AT, self.world.now))
        self.look()
        return self

    def _rebuilt(self, settings: Settings) -> ChildSpec:
        tree = self.life.parts.rebuilt(settings)
        return tree.tree if self._with_bots else without_bots(tree)

    def edit(self, old: str, new: str, name: str = "settings.yaml") -> None:
        """Save a file with one place changed; nobody has looked yet."""
        text = (self.config / name).read_text()
        assert text.count(old) >= 1, old
        (self.config / name).write_text(text.replace(old, new, 1))

    def look(self, times: int = 2) -> None:
        """What is found has to be found twice."""
        for _ in range(times):
            self.reload.look_once()

    def reloads(self, old: str, new: str, name: str = "settings.yaml") -> None:
        """Edit, and be looked at."""
        self.edit(old, new, name)
        self.look()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of the journal."""
        self.life.runtime.settle()
        return self.life.journal.events(name)

    @property
    def denials(self) -> list[str]:
        """Which checks have denied, in order."""
        return [event["check"] for event in self.events("order_denied")]
