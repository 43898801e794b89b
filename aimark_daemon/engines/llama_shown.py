"""The tokens of an answer's beginning that was already shown. Imported in the worker process only."""

from __future__ import annotations

from collections.abc import Sequence

from aimark_daemon.conversation.stops import TextStream
from aimark_daemon.engines.base import ChatRequest
from aimark_daemon.engines.llama_model import LlamaModel


def shown_tokens(
    model: LlamaModel, request: ChatRequest, prompt: Sequence[int], held: Sequence[int]
) -> tuple[list[int], TextStream]:
    """The tokens of `continue_text`, and the text stream as they left it.

    `held` is what is known to be evaluated for the session: where the request brings no tokens that say its text, those
    of `held` that do are taken, and the rest of the text is tokenised.
    """
    stream = TextStream(request.sampling.stop)
    given = request.continue_tokens
    if given and all(0 <= token < model.n_vocab for token in given):
        text = "".join([stream.feed(model.piece(token)) for token in given])
        if text == request.continue_text:
            return list(given), stream
    rest = request.continue_text.encode("utf-8", errors="replace")
    tokens: list[int] = []
    if held[: len(prompt)] == prompt:
        for token in held[len(prompt) :]:
            piece = model.piece(token)
            if not piece or not rest.startswith(piece):
                break
            tokens.append(token)
            rest = rest[len(piece) :]
    tokens += model.tokenize(rest.decode("utf-8", errors="replace"), special=False)
    return tokens, TextStream(request.sampling.stop)
