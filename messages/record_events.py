"""What the watches over the record, memory and the calendar, the flight recorder and the writer
of the surfaces write down: a part of the journal's vocabulary.
"""

from messages.event_kinds import CALENDAR, MEMORY, RECORD, RECORDER, SURFACES, WATCH, EventKind

RECORD_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "record_restored",
        RECORD,
        "No engine ran, and an operator put a backup in the ledger's place: what came after it is"
        " in no ledger any more. A halt went on record with it.",
        {
            "backup": "which file",
            "backup_seq": "the number of the last event in it",
            "by": "who did it",
        },
    ),
    EventKind(
        "record_alarm",
        WATCH,
        "Something about the disk needs a person soon; trading goes on.",
        {"code": "which, for machines", "detail": "what was found, and what is wanted"},
    ),
    EventKind(
        "record_fault",
        WATCH,
        "The record on the disk is not safe any more: trading is halted.",
        {"code": "which, for machines", "detail": "what was found, and what is wanted"},
    ),
    EventKind(
        "memory_alarm",
        MEMORY,
        "Little memory is left, on the machine or for the process; trading goes on.",
        {"detail": "how much, who sets the limit, and what is wanted"},
    ),
    EventKind(
        "memory_not_watched",
        MEMORY,
        "This system does not tell how much memory is left: no alarm comes before it is gone.",
        {},
    ),
    EventKind(
        "calendar_parted",
        CALENDAR,
        "The venue keeps a day of the coming week otherwise than we do: nothing is entered then.",
        {"detail": "the date, and how each of the two keeps it"},
    ),
    EventKind(
        "flight_recording_ended",
        RECORDER,
        "The session is not recorded any further, and goes on.",
        {"reason": "why"},
    ),
    EventKind(
        "surfaces_failed",
        SURFACES,
        "The files in surfaces/ cannot be written; told once for each reason. Trading goes on.",
        {"detail": "which file, and why"},
    ),
)
