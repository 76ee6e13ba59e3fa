from hydra.store.decisions import SESSIONS_KNOWN, Decisions, Taken
from tests.store.orders import decision


class Durable:
    """What is on the disk, by session; it counts how often it is read."""

    def __init__(self) -> None:
        self.taken: dict[str, Taken] = {}
        self.reads = 0

    def read(self, session: str) -> Taken:
        self.reads += 1
        return dict(self.taken.get(session, {}))


def test_a_session_is_read_once_and_then_known_with_all_that_was_taken_i16() -> None:
    durable = Durable()
    decisions = Decisions(durable.read)

    for number in range(3):
        assert decision(signal=number) not in decisions.taken_in("2024-01-02")
        decisions.take(decision(signal=number), f"name-{number}")

    assert durable.reads == 1
    assert decisions.taken_in("2024-01-02")[decision(signal=1)] == "name-1"
    assert decisions.taken_in("2024-01-02")["name-1"] == "name-1"


def test_what_is_not_yet_durable_is_known_after_its_session_was_forgotten_i16() -> None:
    decisions = Decisions(Durable().read)
    decisions.take(decision(), "name")

    for day in range(10, 10 + SESSIONS_KNOWN):
        decisions.taken_in(f"2024-01-{day}")

    assert decisions.taken_in("2024-01-02") == {decision(): "name", "name": "name"}
    assert decisions.taken_in("2024-01-10") == {}


def test_what_is_durable_is_left_to_the_disk() -> None:
    durable = Durable()
    decisions = Decisions(durable.read)
    decisions.take(decision(), "name")

    decisions.committed()
    for day in range(10, 10 + SESSIONS_KNOWN):
        decisions.taken_in(f"2024-01-{day}")

    assert decisions.taken_in("2024-01-02") == {}
