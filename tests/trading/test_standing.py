"""What stands, what of it a restart would find, and what becomes of an operator's word."""

from msgspec import structs

from hydra.trading.causes import API_FAILURES, DAILY_LOSS, OPERATOR_HALT, START
from hydra.trading.standing import Standing
from hydra.trading.trading_state import Cause, TradingState
from tests.trading.test_clearing import AT, HOUR, LIVE, PAPER, SESSIONS, passed, since, word


def standing(*causes: Cause) -> Standing:
    return Standing(PAPER, SESSIONS, causes)


def test_what_became_worse_has_to_be_recorded_anew_i02() -> None:
    closing = since(DAILY_LOSS)
    halting = structs.replace(closing, state=TradingState.HALTED)
    what_stands = standing()
    what_stands.stand(closing)
    what_stands.recorded(closing.code)

    what_stands.stand(halting)

    assert what_stands.to_be_recorded == (halting,)
    assert what_stands.on_record == ()


def test_a_start_is_for_no_record_and_all_else_is_i02() -> None:
    what_stands = standing(since(START), since(OPERATOR_HALT))

    wanted = what_stands.to_be_recorded
    stands = [what_stands.recorded(kind.code) for kind in (OPERATOR_HALT, DAILY_LOSS)]

    assert (wanted, stands) == ((since(OPERATOR_HALT),), [True, False])
    assert what_stands.to_be_recorded == ()


def test_what_is_found_on_record_stands_since_when_it_came_up_i04() -> None:
    what_stands = standing()

    what_stands.found_on_record([since(API_FAILURES)], AT + HOUR)

    assert what_stands.causes == (since(API_FAILURES),)
    assert what_stands.on_record == (API_FAILURES.code,)


def test_a_word_covers_nothing_that_comes_up_again_after_it_i05() -> None:
    what_stands = Standing(LIVE, SESSIONS, [since(OPERATOR_HALT)])
    what_stands.let_go(word(OPERATOR_HALT.code), frozenset())

    what_stands.stand(since(OPERATOR_HALT))  # in the same moment

    assert what_stands.ends(passed(AT)) == ()


def test_a_word_is_used_up_by_what_it_ended_i05() -> None:
    what_stands = Standing(LIVE, SESSIONS, [since(OPERATOR_HALT)])
    what_stands.let_go(word(OPERATOR_HALT.code), frozenset())
    assert [each.code for each in what_stands.ends(passed(AT))] == [OPERATOR_HALT.code]

    what_stands.end(OPERATOR_HALT.code)

    assert what_stands.noted == ()
    assert what_stands.state is TradingState.ACTIVE
