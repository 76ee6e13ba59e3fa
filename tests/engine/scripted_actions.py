"""A source of splits and the like in virtual time, that tells what a test gives it."""

from hydra.actor import MILLISECOND, Ref
from hydra.runtime.runtime import Runtime
from hydra.trading.corporate_actions import CorporateAction
from messages.corporate_actions import ActionsNotRead, ActionsQuestion, ActionsRead
from messages.message import Message

ANSWERS_IN = 50 * MILLISECOND


class ScriptedActions:
    """See `CorporateActions`. `fault`: why nothing can be read; None: it does not answer at all."""

    def __init__(self, *actions: CorporateAction) -> None:
        self.actions = actions
        self.unread: tuple[str, ...] = ()
        self.fault: str | None = ""
        self.asked: list[ActionsQuestion] = []
        self._runtime: Runtime | None = None

    def begin(self, runtime: Runtime) -> None:
        """It answers there."""
        self._runtime = runtime

    def ask(self, question: ActionsQuestion) -> None:
        """See `CorporateActions.ask`."""
        assert self._runtime is not None, "it has begun"
        self.asked.append(question)
        runtime, answer = self._runtime, self._answer(question)
        voice = runtime.outside("actions")
        if answer is not None:
            told = answer
            runtime.call_later(ANSWERS_IN, lambda: voice.tell(Ref(question.reply_to), told))

    def _answer(self, question: ActionsQuestion) -> Message | None:
        if self.fault is None:
            return None
        if self.fault:
            return ActionsNotRead(
                reason=self.fault, asked_by=question.asked_by, number=question.number
            )
        told = tuple(
            each
            for each in self.actions
            if question.first <= each.last <= question.last
            and set(each.symbols).intersection(question.symbols)
        )
        return ActionsRead(
            actions=told,
            asked_by=question.asked_by,
            number=question.number,
            unread=self.unread,
        )
