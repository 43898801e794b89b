"""Answering: the two ways in which the words of an answer come, from a command or from the language model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import msgspec

from aimark_daemon.assistant.ahead import MakeRequest
from aimark_daemon.assistant.checkpoints import Checkpoints
from aimark_daemon.assistant.running import RunningTurn
from aimark_daemon.assistant.speaking import Speaker
from aimark_daemon.assistant.thinking import Thinking
from aimark_daemon.config.instructions import instructions
from aimark_daemon.config.types import Config
from aimark_daemon.conversation.notes import with_notes
from aimark_daemon.conversation.prompt import build_messages
from aimark_daemon.conversation.slash import SlashLine
from aimark_daemon.engines.base import ChatMessage, ChatRequest, Facts, Sampling, TextDelta
from aimark_daemon.plugins.context import Context, NotifyOutput, ProgressOutput, TableOutput, TextOutput
from aimark_daemon.plugins.service import Plugins
from aimark_daemon.protocol.messages import Done, Notify, Progress
from aimark_daemon.roster import Roster
from aimark_daemon.store import AsyncStore


class Answer(msgspec.Struct):
    """What is known of an answer beside its words."""

    finish: str = "stop"
    tokens: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    dropped_turns: int = 0
    tokens_per_s: float = 0.0


def done(turn: RunningTurn, answer: Answer) -> Done:
    """The ending of a turn that was answered to its end."""
    return Done(
        turn=turn.number,
        session=turn.session,
        finish=answer.finish,
        reply=turn.reply,
        tokens=answer.tokens,
        prompt_tokens=answer.prompt_tokens,
        reused_tokens=answer.reused_tokens,
        dropped_turns=answer.dropped_turns,
        tokens_per_s=round(answer.tokens_per_s, 2),
        timings=turn.stopwatch.timings(),
    )


async def answer_by_command(
    turn: RunningTurn,
    speaker: Speaker | None,
    plugins: Plugins,
    line: SlashLine,
    context: Context,
    notify: Callable[[Notify], None],
) -> Answer:
    """Run the command that `line` names; its text is the answer.

    Raises:
        AimarkError: the command's fault.
    """
    async with contextlib.aclosing(plugins.run_command(line, context)) as outputs:
        async for output in outputs:
            match output:
                case TextOutput(text):
                    turn.say(text)
                    if speaker is not None:
                        speaker.feed(text)
                case TableOutput():
                    turn.say(output.markdown())
                case ProgressOutput(fraction, text):
                    turn.tell(Progress(turn=turn.number, fraction=fraction, text=text))
                case NotifyOutput(text, title):
                    notify(Notify(plugin=context.plugin, text=text, title=title, turn=turn.number))
    return Answer()


async def answer_by_model(
    turn: RunningTurn,
    speaker: Speaker | None,
    roster: Roster,
    store: AsyncStore,
    config: Config,
    *,
    plugins: Plugins,
    clock: Callable[[], float],
) -> Answer:
    """Let the language model answer, with what plugins tell it for this question.

    Raises:
        AimarkError: the engine's fault.
    """
    history = await store.history(turn.session, config.llm.history_turns)
    language = turn.listener.language
    asked = with_notes(turn.text, await plugins.notes(turn.text, turn.session, language), language)
    request = chat_request(turn.session, history, turn.text, config, spoken=speaker is not None, noted=asked)
    asked_s = turn.stopwatch.elapsed_s()
    asked_at = clock()
    checkpoints = Checkpoints(turn, store, clock)

    async def take(delta: TextDelta) -> None:
        turn.say(delta.text)
        if speaker is not None:
            speaker.feed(delta.text)
        checkpoints.consider()

    result = await Thinking(turn, roster, request, take).run()
    if turn.ahead is not None and turn.ahead.used:
        asked_s -= asked_at - turn.ahead.asked_at
    turn.stopwatch.note("prefill", max(0.0, asked_s + result.prefill_s))
    return Answer(
        finish=result.finish,
        tokens=result.tokens,
        prompt_tokens=result.prompt_tokens,
        reused_tokens=result.reused_tokens,
        dropped_turns=result.dropped_turns,
        tokens_per_s=result.tokens / result.decode_s if result.decode_s > 0 else 0.0,
    )


def chat_request(
    session: str,
    history: Sequence[ChatMessage],
    text: str,
    config: Config,
    *,
    spoken: bool,
    noted: str | None = None,
) -> MakeRequest:
    """What the model is asked for the answer to `text`, once its engine's facts are known.

    `noted`: the text with what plugins add to it.
    """
    messages = messages_for(history, text, config, noted)

    def request(facts: Facts) -> ChatRequest:
        threads = _threads_beside_speech(facts.threads) if spoken else None
        return ChatRequest(session=session, messages=messages, sampling=sampling(config), threads=threads)

    return request


def messages_for(
    history: Sequence[ChatMessage], text: str, config: Config, noted: str | None = None
) -> tuple[ChatMessage, ...]:
    """What the model sees for the answer to `text`. A plugin's notes do not decide the language of the instructions."""
    said = [message.content for message in history if message.role == "user"]
    system = instructions(config, [*said, text])
    return build_messages(system, history, text if noted is None else noted, config.llm.history_turns)


def sampling(config: Config) -> Sampling:
    """The configuration's sampler settings as the engine takes them."""
    llm = config.llm
    return Sampling(
        temperature=llm.temperature,
        top_p=llm.top_p,
        top_k=llm.top_k,
        min_p=llm.min_p,
        repeat_penalty=llm.repeat_penalty,
        max_tokens=llm.max_tokens,
        seed=llm.seed,
        stop=tuple(llm.stop),
    )


def _threads_beside_speech(threads: int | None) -> int | None:
    """One thread fewer while a voice works beside the model: two busy pools on too few cores stall each other."""
    return max(1, threads - 1) if threads is not None else None
