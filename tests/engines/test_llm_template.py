"""Chat templates: rendered like the model's authors meant, and deaf to control tokens in what people write."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimark_daemon.conversation.prompt import ChatMessage
from aimark_daemon.engines.faults import CONTEXT_OVERFLOW
from aimark_daemon.engines.llama_prompt import PromptBuilder
from aimark_daemon.engines.llama_template import CHATML, ChatTemplate, Part
from aimark_daemon.errors import AimarkError

STRICT = """
{%- for message in messages %}
    {%- if message['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('must alternate') }}{% endif %}
    {{- '[' + message['role'] + ']' + message['content'] | trim + '[end]' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '[assistant]' }}{% endif %}"""
TALK = (
    ChatMessage("system", "지시"),
    ChatMessage("user", "안녕? "),
    ChatMessage("assistant", "네."),
    ChatMessage("user", "끝"),
)


def text(parts):
    return "".join(part.text for part in parts)


def test_without_a_template_chatml_is_used():
    template = ChatTemplate("")
    assert not template.present
    assert text(template.render(TALK)) == (
        "<|im_start|>system\n지시<|im_end|>\n<|im_start|>user\n안녕? <|im_end|>\n"
        "<|im_start|>assistant\n네.<|im_end|>\n<|im_start|>user\n끝<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_broken_template_falls_back_to_chatml():
    template = ChatTemplate("{% for %}")
    assert not template.present
    assert text(template.render(TALK)) == text(ChatTemplate("").render(TALK))


def test_a_template_that_loses_the_question_falls_back_to_chatml():
    assert text(ChatTemplate("hello").render(TALK)) == text(ChatTemplate("").render(TALK))


def test_system_and_neighbouring_messages_are_merged_where_the_template_refuses_them():
    rendered = text(ChatTemplate(STRICT).render((*TALK, ChatMessage("user", "정말 끝"))))
    assert rendered == "[user]지시\n\n안녕?[end][assistant]네.[end][user]끝\n\n정말 끝[end][assistant]"


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_what_people_write_is_one_part_unchanged_and_never_special(contents):
    messages = [ChatMessage("user", content) for content in contents]
    parts = ChatTemplate(CHATML).render(messages)
    assert [part.text for part in parts if not part.special] == [
        unicodedata.normalize("NFC", content) for content in contents if content
    ]


def test_hangul_in_letters_is_composed_because_models_know_syllables():
    letters = unicodedata.normalize("NFD", "한국의 수도는?")
    assert Part("한국의 수도는?", special=False) in ChatTemplate(CHATML).render((ChatMessage("user", letters),))


def test_white_space_is_stripped_where_the_template_strips_it():
    parts = ChatTemplate(STRICT).render((ChatMessage("user", "  가 나 \n"),))
    assert Part("가 나", special=False) in parts


def test_jinja_in_a_message_is_only_text():
    message = ChatMessage("user", "{{ 7 * 7 }} {% raw %} \ue0000\ue001")
    assert Part(message.content, special=False) in ChatTemplate(CHATML).render((message,))


def test_templates_run_in_a_sandbox():
    escape = "{{ messages.__class__.__mro__ }}" + CHATML
    assert text(ChatTemplate(escape).render(TALK)) == text(ChatTemplate("").render(TALK))


def test_thinking_is_off_and_the_marks_of_the_vocabulary_are_known():
    source = "{{ bos_token }}{% if enable_thinking is false %}no thinking{% endif %}" + CHATML + "{{ eos_token }}"
    rendered = text(ChatTemplate(source, "<s>", "</s>").render(TALK))
    assert rendered.startswith("<s>no thinking<|im_start|>")
    assert rendered.endswith("</s>")


def test_generation_blocks_loop_controls_dates_and_json_are_understood():
    source = (
        "{{ strftime_now('%Y') | length }}{{ {'키': '값'} | tojson }}"
        "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}"
        "{% if loop.last %}{% break %}{% endif %}"
        "{% endfor %}"
    )
    assert text(ChatTemplate(source).render((ChatMessage("user", "끝"),))) == '4{"키": "값"}끝'


class Words:
    """A vocabulary of characters; `<x>` is one control token where control tokens are recognised."""

    def __init__(self, *, adds_bos=False):
        self.bos = 1
        self.adds_bos = adds_bos
        self.calls = []

    def tokenize(self, text, *, special):
        self.calls.append((text, special))
        if special:
            text = text.replace("<x>", "\1")
        return [ord(c) for c in text]


def test_a_prompt_begins_with_exactly_one_bos():
    ask = (ChatMessage("user", "안녕"),)
    plain = "{% for m in messages %}{{ m.content }}{% endfor %}"
    assert PromptBuilder(Words(adds_bos=True), ChatTemplate(plain)).tokens(ask) == [1, *map(ord, "안녕")]
    assert PromptBuilder(Words(adds_bos=True), ChatTemplate("<x>" + plain)).tokens(ask) == [1, *map(ord, "안녕")]
    assert PromptBuilder(Words(), ChatTemplate(plain)).tokens(ask) == [*map(ord, "안녕")]


def test_a_long_history_is_tokenised_once():
    vocabulary = Words()
    builder = PromptBuilder(vocabulary, ChatTemplate(CHATML))
    history = [ChatMessage("user" if i % 2 == 0 else "assistant", f"문장 {i}") for i in range(101)]
    builder.fit(history, 10_000)
    before = len(vocabulary.calls)
    builder.fit([*history, ChatMessage("assistant", "새 답"), ChatMessage("user", "새 질문")], 10_000)
    assert [text for text, special in vocabulary.calls[before:] if not special] == ["새 답", "새 질문"]


def test_an_answer_stands_for_the_tokens_it_was_generated_by():
    builder = PromptBuilder(Words(), ChatTemplate(CHATML))
    builder.remember("서울", [7, 8])
    assert builder.part(Part("서울", special=False)) == [7, 8]


def test_a_message_that_does_not_fit_alone_is_told_with_its_size():
    builder = PromptBuilder(Words(), ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}"))
    with pytest.raises(AimarkError) as caught:
        builder.fit((ChatMessage("system", "s" * 10), ChatMessage("user", "가" * 20)), 25)
    assert CONTEXT_OVERFLOW.caught_in(caught.value)
    assert "30" in caught.value.fault.message.ko
    assert "25" in caught.value.fault.message.en


def test_a_full_context_changes_the_prompts_beginning_only_every_few_turns():
    builder = PromptBuilder(Words(), ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}"))
    history, beginnings = [ChatMessage("system", "지시")], []
    for turn in range(40):
        history.append(ChatMessage("user", f"{turn:03}" + "질" * 17))
        tokens, dropped = builder.fit(history, 400)
        assert len(tokens) <= 400
        assert tokens == builder.tokens([history[0], *history[1 + 2 * dropped :]])
        beginnings.append(dropped)
        history.append(ChatMessage("assistant", "답" * 20))
    assert beginnings == sorted(beginnings)
    assert beginnings[-1] > 28
    assert len(set(beginnings)) <= 1 + 32 / 4


def test_few_long_turns_are_not_left_out_together():
    builder = PromptBuilder(Words(), ChatTemplate("{% for m in messages %}{{ m.content }}{% endfor %}"))
    history = [ChatMessage("user" if i % 2 == 0 else "assistant", "긴" * 50) for i in range(7)]
    assert builder.fit(history, 300)[1] == 1
