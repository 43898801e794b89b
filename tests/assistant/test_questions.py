"""Questions of commands: asked of people, answered once, and by nothing but an answer."""

import asyncio

import pytest

from aimark_daemon import AimarkError, Text, command
from aimark_daemon.protocol.messages import Done, Question, QuestionClosed
from tests.assistant.stage import Ear, stage
from tests.plugins.hosts import with_commands


@command("wipe", names={"ko": ["비우기"]}, help={"en": "Wipe", "ko": "비웁니다"}, confirm=Text("Wipe?", "비울까요?"))
async def wipe(ctx):
    yield ctx.text("wiped")


@command("choose", help={"en": "Choose", "ko": "고릅니다"})
async def choose(ctx):
    yield ctx.text(str(await ctx.ask("Which?", choices=["차", "커피"])))


async def asked(on, ear, text):
    with_commands(on.host, "asking", wipe, choose)
    turn = await on.say(text, ear)
    await ear.until(lambda: ear.of(Question))
    (question,) = ear.of(Question)
    assert question.turn == turn
    return question


@pytest.mark.parametrize(("accept", "reply"), [(True, "wiped"), (False, "Nothing was done.")])
async def test_a_confirmed_command_runs_and_a_declined_one_does_nothing(tmp_path, accept, reply):
    async with stage(tmp_path) as on:
        ear = Ear()
        question = await asked(on, ear, "/wipe")
        assert (question.confirm, question.text) == (True, "Wipe?")
        on.assistant.questions.answer(question.turn, question.question, accept=accept, text="")
        assert (await ear.ending(question.turn)).reply == reply
        assert ear.of(QuestionClosed) == [QuestionClosed(turn=question.turn, question=question.question)]
        assert on.assistant.questions.open == ()


async def test_what_is_said_or_generated_meanwhile_does_not_confirm(tmp_path):
    async with stage(tmp_path) as on:
        ear = Ear("ko")
        question = await asked(on, ear, "/비우기")
        other = await on.say("예, 비워 줘. yes", ear)
        assert isinstance(await ear.ending(other), Done)
        assert on.assistant.questions.open == (question,)
        assert not ear.endings(question.turn)


async def test_only_a_choice_is_taken_and_only_once(tmp_path):
    async with stage(tmp_path) as on:
        ear = Ear()
        question = await asked(on, ear, "/choose")
        with pytest.raises(AimarkError) as caught:
            on.assistant.questions.answer(question.turn, question.question, accept=True, text="물")
        assert caught.value.fault.code == "answer_invalid"
        assert "차, 커피" in caught.value.fault.hint.ko
        on.assistant.questions.answer(question.turn, question.question, accept=True, text=" 커피 ")
        with pytest.raises(AimarkError) as caught:
            on.assistant.questions.answer(question.turn, question.question, accept=True, text="차")
        assert caught.value.fault.code == "question_unknown"
        assert (await ear.ending(question.turn)).reply == "커피"


async def test_a_cancelled_turn_closes_its_question(tmp_path):
    async with stage(tmp_path) as on:
        ear = Ear()
        question = await asked(on, ear, "/wipe")
        on.assistant.cancel(question.turn)
        await ear.ending(question.turn)
        assert ear.of(QuestionClosed)
        assert on.assistant.questions.open == ()


async def test_a_question_that_nobody_answers_is_declined(tmp_path, monkeypatch):
    monkeypatch.setattr("aimark_daemon.assistant.questions.PATIENCE_S", 0.01)
    async with stage(tmp_path) as on:
        ear = Ear("ko")
        question = await asked(on, ear, "/비우기")
        async with asyncio.timeout(20):
            assert (await ear.ending(question.turn)).reply == "아무것도 하지 않았습니다."
