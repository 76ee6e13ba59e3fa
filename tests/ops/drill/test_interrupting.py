import signal

import pytest

from hydra.ops.drill.interrupting import SIGNALS, Interrupted, Interruptions


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_interrupts_and_the_next_ones_do_not(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    interruptions = Interruptions()
    cleared = False

    with interruptions.heard():
        with pytest.raises(Interrupted):
            signal.raise_signal(number)
        signal.raise_signal(number)
        cleared = True

    assert cleared
    assert signal.getsignal(number) is before


def test_a_signal_waits_until_what_was_begun_is_known() -> None:
    interruptions = Interruptions()
    begun = []

    def begin() -> None:
        with interruptions.held():
            signal.raise_signal(signal.SIGINT)
            begun.append("it is known by now")

    with interruptions.heard(), pytest.raises(Interrupted):
        begin()

    assert begun == ["it is known by now"]


def test_without_a_signal_nothing_is_interrupted() -> None:
    interruptions = Interruptions()

    with interruptions.heard(), interruptions.held():
        pass
