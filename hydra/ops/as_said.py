"""Commands that a person is told to type: they have to mean the engine that he spoke of.

Whoever names a folder or a venue and is told `hydra-trader resume` would let another engine go, the
one that the settings mean. So what he named is said again behind the verb.
"""

import re
import shlex
from pathlib import Path

import msgspec

from hydra.ops.config.cli import CONFIG

_COMMAND = re.compile(r"hydra-trader (config [a-z-]+|[a-z-]+)(?![a-z-])")
_TAKE_ALL = (
    *("backup", "bridge", "dashboard", "export", "flatten", "halt", "health", "mode", "preflight"),
    *("reconcile", "report", "restore", "resume", "run", "snapshot", "status", "verify", "watch"),
    "why",
)
_TAKE_SOME = {
    "certify": ("--config", "--state-dir"),
    "config": ("--venue", "--config", "--state-dir"),
    "debug": ("--state-dir",),
    # Which says its venue itself: nobody probes live.
    "canary": ("--config", "--state-dir", "--log-dir"),
}


class AsSaid(msgspec.Struct, frozen=True):
    """The options that named an engine, in their order; none: the settings alone did."""

    options: tuple[tuple[str, str], ...] = ()

    def in_words(self, text: str) -> str:
        """The text with these options behind each command in it that takes them."""
        return _COMMAND.sub(self._completed, text) if self.options else text

    def _completed(self, command: re.Match[str]) -> str:
        verb = command[1].partition(" ")[0]
        taken = [
            f" {option} {shlex.quote(value)}"
            for option, value in self.options
            if verb in _TAKE_ALL or option in _TAKE_SOME.get(verb, ())
        ]
        return command[0] + "".join(taken)


NOTHING_SAID = AsSaid()


def as_said(
    venue: str | None, config: Path | None, state_dir: Path | None, log_dir: Path | None
) -> AsSaid:
    """What a command line says of the engine that it means."""
    said = {
        "--venue": venue,
        "--config": None if config == CONFIG else config,
        "--state-dir": state_dir,
        "--log-dir": log_dir,
    }
    return AsSaid(tuple((option, str(value)) for option, value in said.items() if value))
