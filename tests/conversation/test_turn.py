"""The turn table: every turn ends exactly once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.turn import ENDED, TABLE, OutOfOrder, Phase, Step, TurnState


def test_a_spoken_turn_goes_through_all_phases():
    state = TurnState(Phase.LISTENING)
    seen = [state.phase]
    for step in (Step.RELEASE, Step.UNDERSTAND, Step.ANSWER, Step.FALL_SILENT):
        state = state.after(step)
        seen.append(state.phase)
    assert seen == [Phase.LISTENING, Phase.TRANSCRIBING, Phase.ANSWERING, Phase.SPEAKING, Phase.DONE]


def test_every_phase_that_has_not_ended_can_be_cancelled_and_can_fail():
    for phase in set(Phase) - ENDED:
        assert TurnState(phase).after(Step.CANCEL).phase is Phase.CANCELLED
        assert TurnState(phase).after(Step.FAIL).phase is Phase.FAILED


def test_a_step_that_cannot_follow_is_refused():
    with pytest.raises(OutOfOrder, match="fall_silent while answering"):
        TurnState(Phase.ANSWERING).after(Step.FALL_SILENT)


@given(st.lists(st.sampled_from(Step), max_size=30))
def test_no_sequence_of_steps_ends_a_turn_twice(steps):
    state, endings = TurnState(), []
    for step in steps:
        try:
            after = state.after(step)
        except OutOfOrder:
            continue
        if after.ended and not state.ended:
            endings.append(after.phase)
        if state.ended:
            assert after is state
        state = after
    assert len(endings) <= 1
    assert state.ended == bool(endings)


def test_the_table_never_leaves_an_ending():
    assert not [phase for phase, _ in TABLE if phase in ENDED]
