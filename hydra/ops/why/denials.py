"""The newest denial: a user's first question after a halt."""

from msgspec import structs

from hydra.ops.why.conditions import engine_at, standing_at
from hydra.ops.why.journal import Line, event
from hydra.ops.why.judgements import APPROVED, DENIED
from hydra.ops.why.moments import Asker, question_about, standing_now, with_wish
from hydra.ops.why.story import Explanation, InARow, NothingFound
from hydra.ops.why.times import when
from hydra.ops.why.wishes import decision_in, story_of_judgement


def last_denial(asker: Asker, bot: str | None) -> Explanation:
    """The newest denial, of this bot or of all, and how things stand now. Raises NothingFound."""
    row = _in_a_row(asker, bot)
    if not row:
        whose = "" if bot is None else f" of {bot}"
        raise NothingFound(f"no denial{whose} is in what there is of the journal")
    search, zone, newest = asker.search, asker.zone, row[0]
    found = Explanation(
        question="the newest denial" if bot is None else f"the newest denial of {bot}",
        outcome="denied",
        headline="",
        asked=when(newest.at, zone),
        engine=engine_at(search, newest.at, newest.seq, asker.running, zone),
        standing=standing_at(search, newest, asker.cause_on_record, zone),
        standing_now=standing_now(asker),
    )
    decision = decision_in(newest)
    who, symbol = str(decision.get("bot")), str(decision.get("symbol"))
    found = with_wish(found, story_of_judgement(search, newest), who, symbol, zone)
    if len(row) == 1:
        return found
    first_at = when(row[-1].at, zone)
    ask = question_about(who, symbol, first_at)
    in_a_row = InARow(denials=len(row), first_at=first_at, ask=ask)
    return structs.replace(found, in_a_row=in_a_row)


def _in_a_row(asker: Asker, bot: str | None) -> list[Line]:
    """The newest denial, and all before it that the same bot got from the same check."""
    row: list[Line] = []
    for line in asker.search.newest_first(event(DENIED), event(APPROVED)):
        who = decision_in(line).get("bot")
        if bot not in (None, who):
            continue
        if not row:
            row += [line] if line.event == DENIED else []
        elif who == decision_in(row[0]).get("bot"):
            check = row[0].record.get("check")
            if line.event != DENIED or line.record.get("check") != check:
                break
            row.append(line)
    return row
