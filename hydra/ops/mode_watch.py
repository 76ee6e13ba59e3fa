"""Which strategy mode is followed: what the configuration, kill events and operators say of it."""

from collections.abc import Callable

from hydra.ops.reload_tree import NotTaken
from hydra.runtime.runtime import Runtime
from hydra.settings import Settings
from hydra.trading.strategy_modes import (
    STRATEGY_MODE,
    ModeWord,
    StrategyMode,
    chosen,
    followed,
    stepped_down,
    written,
)
from messages.control import RecordValue
from messages.positions import RecoverValue, ValueRecovered
from supervisors import paths

ON_RECORD_WITHIN_S = 5.0
SOURCE = "reload"


class ModeWatch:
    """The mode of one run. Told of by `Reload`, in its thread."""

    def __init__(
        self,
        runtime: Runtime,
        settings: Settings,
        named: StrategyMode | None,
        word: ModeWord,
        say: Callable[[str], None],
    ) -> None:
        """`named`: by the environment, which goes before the files. `word` is on record."""
        self._runtime = runtime
        self._named = named
        self._say = say
        self._on_record = word
        self.configured = named or settings.modes.selected
        self.word = word

    @property
    def mode(self) -> StrategyMode:
        """The one to be followed."""
        return followed(self.configured, self.word)

    def configured_in(self, settings: Settings) -> None:
        """The files are other ones."""
        self.configured = self._named or settings.modes.selected

    def look(self, in_force: Settings) -> bool:
        """Step down for what has been latched since; whether another mode is to be followed.

        Whether, and from where, is said by what is `in_force`: files that wait for a restart have
        no say in it.
        """
        before, word = self.mode, self.word
        if in_force.modes.step_down:
            from_mode = max(self.configured, in_force.modes.selected, key=lambda mode: mode.rank)
            word = stepped_down(from_mode, word, self._runtime.gate.standing(), self._now())
        self._put(word)
        return self.mode is not before

    def choose(self, mode: StrategyMode, reason: str, by: str) -> None:
        """An operator's choice. Raises `NotAllowed`; `NotTaken` if it is not on record."""
        before = self.word
        word = chosen(self.configured, before, mode, reason=reason, by=by, at=self._now())
        self._put(word)
        if self._on_record != word:
            if word.mode.rank < before.mode.rank:
                self.word = before  # nobody comes up by a word that a restart would not find
            raise NotTaken(f"mode {mode.value} is not on record")

    def _put(self, word: ModeWord) -> None:
        """From here on it counts, and it goes on record, now or at the next look."""
        if word != self.word:
            before, self.word = self.mode, word
            self._runtime.log(
                "strategy_mode",
                SOURCE,
                {
                    "mode": self.mode.value,
                    "before": before.value,
                    "reason": word.reason,
                    "by": word.by,
                },
            )
            if self.mode is not before:
                self._say(f"strategy mode {self.mode.value}: {word.reason}")
        if self.word != self._on_record and self._is_recorded(self.word):
            self._on_record = self.word

    def _is_recorded(self, word: ModeWord) -> bool:
        text = written(word)
        runtime = self._runtime
        runtime.tell(paths.STATE_PERSISTER, RecordValue(key=STRATEGY_MODE, value=text))
        question = RecoverValue(key=STRATEGY_MODE)  # answered once it is durable
        found = runtime.answer_to(paths.STATE_PERSISTER, question, within=ON_RECORD_WITHIN_S)
        return isinstance(found, ValueRecovered) and found.value == text

    def _now(self) -> int:
        return self._runtime.market_time_at(self._runtime.now())
