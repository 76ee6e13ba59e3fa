"""Another configuration for a tree that runs: who differs by it, and how each comes by it.

The tree is data, so the same parts list that a start is built from, made of other settings, says
who is concerned. The guardian takes its terms as they come and forgets nothing by it; whoever
stands under `bots` is started anew by its new recipe, and asks what is on record like after a
crash. Nobody else takes anything while the engine runs.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from actors.guardian_terms import GuardianTerms, TakeTerms, TermsTaken
from hydra.actor import ChildSpec, Ref
from hydra.runtime.runtime import Runtime
from messages.lifecycle import ChildRefused, Children
from messages.message import Message
from supervisors import paths
from supervisors.supervisor import ReplaceChild

ANSWER_WITHIN_S = 5.0
T = TypeVar("T", bound=Message)


class CannotTake(Exception):
    """The configuration concerns somebody who takes it at a start only: nothing was changed."""


class NotTaken(Exception):
    """Somebody did not take it, or did not say so. It is to be tried again: to take the same
    configuration twice does no harm, and what is tighter already stays so.
    """


class Replacement(msgspec.Struct, frozen=True):
    """The recipe that is to take another one's place, under this supervisor."""

    supervisor: str
    spec: ChildSpec

    @property
    def path(self) -> str:
        """Who it is for."""
        return f"{self.supervisor}/{self.spec.name}"


def replacements(running: ChildSpec, wanted: ChildSpec, above: str = "") -> list[Replacement]:
    """Every recipe that differs, from the guardian on; raises `CannotTake`."""
    found = list(_differing(running, wanted, above))
    strange = [each.path for each in found if not _is_taken_while_running(each)]
    if strange:
        names = ", ".join(path.removeprefix(f"{paths.ROOT.path}/") for path in strange)
        raise CannotTake(f"it concerns {names}, who take their settings at a start only")
    return sorted(found, key=lambda each: each.supervisor != paths.CORE.path)


def take_up(runtime: Runtime, wanted: list[Replacement]) -> None:
    """Have everybody take their new recipe, the guardian first. Raises `NotTaken`."""
    for each in wanted:
        is_guardian = each.path == paths.RISK_GUARDIAN.path
        order = ReplaceChild(spec=each.spec, at_once=not is_guardian)
        # The recipe first: a guardian that fails in between begins with it.
        _asked(runtime, Ref(each.supervisor), order, Children)
        if is_guardian:
            terms = each.spec.args["terms"]
            taken = _asked(runtime, paths.RISK_GUARDIAN, TakeTerms(terms=terms), TermsTaken)
            if taken.configuration != terms.configuration:
                raise NotTaken(f"the guardian took {taken.configuration}")


def guardian_terms_in(tree: ChildSpec) -> GuardianTerms:
    """What the guardian of this tree is held to."""
    terms = _guardian_in(tree).args["terms"]
    assert isinstance(terms, GuardianTerms)
    return terms


def held_to(tree: ChildSpec, terms: GuardianTerms) -> ChildSpec:
    """The same tree with a guardian that is held to other terms."""
    return _with(tree, _guardian_in(tree), {"terms": terms})


def _is_taken_while_running(each: Replacement) -> bool:
    return each.path == paths.RISK_GUARDIAN.path or each.supervisor == paths.BOTS.path


def _differing(running: ChildSpec, wanted: ChildSpec, above: str) -> Iterator[Replacement]:
    if not running.actor.supervises:
        if running != wanted:
            yield Replacement(above, wanted)
        return
    path = f"{above}/{running.name}"
    before, after = _children(running), _children(wanted)
    if [child.name for child in before] != [child.name for child in after]:
        raise CannotTake(f"other actors stand under {path}")
    for one, other in zip(before, after, strict=True):
        yield from _differing(one, other, path)


def _children(spec: ChildSpec) -> tuple[ChildSpec, ...]:
    children: tuple[ChildSpec, ...] = spec.args["children"]
    return children


def _guardian_in(tree: ChildSpec) -> ChildSpec:
    (core,) = (each for each in _children(tree) if each.name == paths.CORE.name)
    (guardian,) = (each for each in _children(core) if each.name == paths.RISK_GUARDIAN.name)
    return guardian


def _with(spec: ChildSpec, meant: ChildSpec, args: dict[str, Any]) -> ChildSpec:
    """The recipe with the one in it that is meant given other arguments."""
    if spec is meant:
        return msgspec.structs.replace(spec, args={**spec.args, **args})
    if not spec.actor.supervises:
        return spec
    children = tuple(_with(each, meant, args) for each in _children(spec))
    return msgspec.structs.replace(spec, args={**spec.args, "children": children})


def _asked(runtime: Runtime, ref: Ref[Any], message: Message, wanted: type[T]) -> T:
    try:
        answer = runtime.ask(ref, message, within=ANSWER_WITHIN_S)
    # Whatever it failed of too: the reason is told, and it is asked again when it runs again.
    except Exception as silent:
        raise NotTaken(f"the {ref.name} did not answer: {silent}") from silent
    if isinstance(answer, wanted):
        return answer
    why = answer.reason if isinstance(answer, ChildRefused) else type(answer).__name__
    raise NotTaken(f"the {ref.name} answered {why}")
