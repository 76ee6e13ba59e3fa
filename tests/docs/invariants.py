"""What must always be true of Hydra, in short, and what of it is not built yet.

`docs/invariants.md` shows them with their tests. What is built is taken out of `not_built` here.
"""

import msgspec


class Invariant(msgspec.Struct, frozen=True):
    """`not_built`: what it still waits for; "" if the tests named after it show all of it."""

    id: str
    title: str
    not_built: str = ""


class Section(msgspec.Struct, frozen=True):
    """Invariants that belong together."""

    title: str
    invariants: tuple[Invariant, ...]


BROKER = "orders at a real broker"
RELOAD = "reading the configuration again while it runs"
STREAMS = "the streams of a broker"

SECTIONS: tuple[Section, ...] = (
    Section(
        "Halts",
        (
            Invariant("I01", "No order leaves after a halt is latched."),
            Invariant("I02", "A halt survives a restart."),
            Invariant("I03", "A halt that cannot be stored still halts."),
            Invariant("I04", "A halt never clears by time alone."),
            Invariant("I05", "Causes of a halt are cleared one by one."),
            Invariant("I06", "Every start is halted until preflight has passed."),
            Invariant("I07", "The worst cause wins; unreadable means halted."),
            Invariant("I08", "Without a lease nothing is sent."),
            Invariant("I09", "Close-only lets nothing pass but what reduces a position."),
            Invariant("I10", "A kill cancels the entries that still work."),
            Invariant("I11", "A halt takes no protection away."),
            Invariant("I12", "A kill needs nothing else that could be broken."),
        ),
    ),
    Section(
        "The life of an order",
        (
            Invariant("I13", "An order is on record before it is sent."),
            Invariant("I14", "Every send has its attempt on record first."),
            Invariant(
                "I15",
                "An order's name means one content for ever.",
            ),
            Invariant("I16", "One decision is at most one order."),
            Invariant("I17", "What is sent again is the same thing."),
            Invariant("I18", "A name that is taken means that the order exists.", BROKER),
            Invariant("I19", "Unknown stays unknown until it is proven."),
            Invariant("I20", "One attempt is one request.", BROKER),
            Invariant("I21", "Every call to a broker has a deadline.", BROKER),
            Invariant("I22", "Orders move along legal paths only."),
            Invariant("I23", "Each fill counts once."),
            Invariant("I24", "The order of arrival does not matter."),
            Invariant("I25", "A cancel is a request, not an outcome."),
            Invariant("I26", "A replacement is a new order."),
            Invariant("I27", "What the broker echoes must match."),
            Invariant("I28", "Every order can be traced to its decision."),
            Invariant("I29", "Orders and positions that are not ours halt."),
            Invariant("I30", "Protection is confirmed, never assumed."),
        ),
    ),
    Section(
        "Limits",
        (
            Invariant("I31", "Exposure is within every limit at any instant."),
            Invariant("I32", "Budgets hold whatever happens at once."),
            Invariant("I33", "A reservation is released once, on proof."),
            Invariant("I34", "Numbers are sane or refused."),
            Invariant("I35", "Each order keeps to size, value and price."),
            Invariant(
                "I36", "Orders and calls have their rates.", "the broker's own limit on calls"
            ),
            Invariant("I37", "The loss of a day has its limit."),
            Invariant("I38", "Counters survive a restart."),
            Invariant("I39", "A bot that trades in circles is stopped."),
            Invariant("I40", "Without a limit there is no start."),
            Invariant("I41", "Tightening a limit is easy, loosening it is not.", RELOAD),
            Invariant("I42", "No trades with ourselves, no symbols off the list."),
            Invariant("I43", "Nothing is entered outside session and window."),
            Invariant(
                "I44",
                "What the broker says of the account is obeyed.",
                "401 and 403 of a real broker",
            ),
        ),
    ),
    Section(
        "Data and time",
        (
            Invariant("I45", "A stale feed halts."),
            Invariant("I46", "A bad price never reaches a decision."),
            Invariant("I47", "After a gap, compare first."),
            Invariant("I48", "Clocks that disagree halt."),
            Invariant("I49", "Order comes from numbers, never from the clock."),
            Invariant("I50", "Time zones are computed, never assumed."),
        ),
    ),
    Section(
        "The record",
        (
            Invariant("I51", "What makes the ledger durable is proven at every start."),
            Invariant("I52", "Nothing acknowledged is lost in a crash."),
            Invariant("I53", "Nothing acknowledged is lost in a power cut."),
            Invariant("I54", "A record that lost its end is noticed."),
            Invariant("I55", "The events alone give the same state again."),
            Invariant("I56", "A ledger that fails halts."),
            Invariant("I57", "One engine to an account."),
            Invariant("I58", "The ledger on the disk is the one in our hands."),
            Invariant("I59", "Recovery can itself be killed."),
            Invariant("I60", "No trade before account and record agree."),
            Invariant("I61", "Nobody invents a trade."),
            Invariant(
                "I62", "A comparison reads everything there is.", "the pages of a real broker"
            ),
            Invariant("I63", "Each line of the journal is whole."),
            Invariant("I64", "A journal that fails halts."),
            Invariant("I65", "It stops before the disk is full."),
            Invariant("I66", "Every backup is consistent, and tried."),
            Invariant("I67", "What a newer version wrote is refused."),
        ),
    ),
    Section(
        "Actors and the process",
        (
            Invariant("I68", "The guardian's death halts."),
            Invariant("I69", "A failure in the safety chain halts; any other stops its actor."),
            Invariant("I70", "What hangs has failed."),
            Invariant("I71", "Every queue has a bound."),
            Invariant("I72", "A message that nobody knows is a failure."),
            Invariant("I73", "Nobody waits without a deadline."),
            Invariant("I74", "A dead gateway halts; its successor sends nothing old."),
            Invariant("I75", "A storm of restarts ends in a halt."),
            Invariant("I76", "A stop is safe in every phase."),
            Invariant("I77", "Readiness and watchdog tell the truth.", "the service unit"),
        ),
    ),
    Section(
        "Configuration and secrets",
        (
            Invariant("I78", "A wrong configuration never starts."),
            Invariant("I79", "A bad reload changes nothing, and is seen.", RELOAD),
            Invariant("I80", "Settings mean what they say, or are refused."),
            Invariant("I81", "One configuration at a time.", RELOAD),
            Invariant("I82", "Paper and live cannot be mixed up.", "the paper and live venues"),
            Invariant("I83", "Secrets never leak."),
            Invariant("I84", "Our files are ours alone."),
        ),
    ),
    Section(
        "Onlookers and upkeep",
        (
            Invariant("I85", "The debug socket cannot trade."),
            Invariant("I86", "The dashboard cannot trade, nor be reached by others."),
            Invariant("I87", "Onlookers cannot slow trading."),
            Invariant("I88", "Dependencies are locked by hash, and versions checked."),
            Invariant("I89", "An alarm is out within five seconds."),
            Invariant("I90", "The record explains everything."),
        ),
    ),
)
