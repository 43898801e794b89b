"""Types of the configuration: every setting with its default, its range and what it does.

The JSON Schema and the messages about wrong values are made from these declarations. A setting marked
`applies=restart` takes effect at the daemon's next start and one marked `reload` by loading its engine again; all
others are live.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

APPLIES: Final = "x-applies"
"""Key of the JSON Schema that says when a changed setting takes effect."""
DURATION: Final = r"^(-1|[0-9]{1,8}|([0-9]{1,8}(h|ms|m|s))+)$"
"""A length of time as text: `1h30m`, or seconds."""
_RESTART: Final[dict[str, Any]] = {APPLIES: "restart"}
_RELOAD: Final[dict[str, Any]] = {APPLIES: "reload"}
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

KeepAlive = Annotated[
    Annotated[int, Meta(ge=-1, le=31_536_000)] | Annotated[str, Meta(pattern=DURATION)],
    Meta(
        description='How long a model that nobody uses stays loaded: seconds, or text as "10m" or "1h30m"; '
        "0 unloads it at once, -1 never."
    ),
]
Threads = Annotated[
    Annotated[int, Meta(ge=1, le=1024)] | None,
    Meta(description="Processor threads; null chooses by the machine's cores.", extra_json_schema=_RELOAD),
]
ModelName = Annotated[str, Meta(min_length=1, max_length=500)]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A group of settings."""


class ServerConfig(Section, frozen=True, kw_only=True):
    """The page, and the socket of the clients, on this computer only."""

    port: Annotated[
        int, Meta(ge=0, le=65_535, description="TCP port; 0 takes any free one.", extra_json_schema=_RESTART)
    ] = 8756
    open_browser: Annotated[
        bool, Meta(description="Open the page in the browser when the daemon starts.", extra_json_schema=_RESTART)
    ] = True


class PathsConfig(Section, frozen=True, kw_only=True):
    """Folders; null uses the system's own. Relative ones start at this file's folder."""

    models: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Where models are kept: several gigabytes.", extra_json_schema=_RESTART),
    ] = None
    data: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Where conversations are kept.", extra_json_schema=_RESTART),
    ] = None


class SystemPrompt(Section, frozen=True, kw_only=True):
    """Instructions to the model by language; an empty one uses the built-in instructions."""

    en: str = ""
    ko: str = ""


class LlmConfig(Section, frozen=True, kw_only=True):
    """The language model."""

    model: Annotated[
        ModelName,
        Meta(
            description='A model\'s id, a .gguf file, or "auto": the best one installed that fits this machine.',
            extra_json_schema=_RELOAD,
        ),
    ] = "auto"
    threads: Threads = None
    context: Annotated[
        int,
        Meta(ge=256, le=1_048_576, description="Tokens of conversation the model sees.", extra_json_schema=_RELOAD),
    ] = 4096
    gpu_layers: Annotated[
        Literal["auto"] | Annotated[int, Meta(ge=0, le=1000)],
        Meta(
            description='Layers kept on the graphics card: a number, or "auto" for as many as fit.',
            extra_json_schema=_RELOAD,
        ),
    ] = "auto"
    vram_reserve_mb: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Megabytes of the graphics card that are left to other programs, as games.",
            extra_json_schema=_RELOAD,
        ),
    ] = 0
    keep_alive: KeepAlive = "10m"
    history_turns: Annotated[
        int, Meta(ge=0, le=1000, description="Earlier turns of the conversation that are shown to the model.")
    ] = 10
    system_prompt: Annotated[
        SystemPrompt | str,
        Meta(description="Instructions to the model: one text, or one a language. Empty uses the built-in ones."),
    ] = SystemPrompt()
    temperature: Annotated[
        float, Meta(ge=0, le=5, description="How freely words are chosen; 0 always takes the likeliest.")
    ] = 0.4
    top_p: Annotated[
        float, Meta(gt=0, le=1, description="Choose among the likeliest words that make up this probability.")
    ] = 0.9
    top_k: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Choose among this many likeliest words; 0 for all.")
    ] = 40
    min_p: Annotated[
        float, Meta(ge=0, le=1, description="Leave out words less likely than this share of the likeliest.")
    ] = 0.05
    repeat_penalty: Annotated[
        float, Meta(gt=0, le=3, description="Makes words that were said less likely; 1 for not at all.")
    ] = 1.05
    max_tokens: Annotated[int, Meta(ge=1, le=131_072, description="Longest answer, in tokens.")] = 512
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=4_294_967_295)] | None,
        Meta(description="A number makes answers repeatable; null draws a new one each time."),
    ] = None
    stop: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=16, description="Texts that end an answer as soon as they appear."),
    ] = ()


class SttConfig(Section, frozen=True, kw_only=True):
    """Speech to text."""

    model: Annotated[ModelName, Meta(description='A model\'s id, a folder, or "auto".', extra_json_schema=_RELOAD)] = (
        "auto"
    )
    language: Annotated[
        Literal["auto", "ko", "en"], Meta(description='The language that is heard; "auto" detects it each time.')
    ] = "auto"
    threads: Threads = None


class VoicesConfig(Section, frozen=True, kw_only=True):
    """The voice of each language: an id, a file, "espeak", or "auto": `tts.model` if it speaks it, else espeak."""

    en: Annotated[ModelName, Meta(description="Who speaks English.", extra_json_schema=_RELOAD)] = "auto"
    ko: Annotated[ModelName, Meta(description="Who speaks Korean.", extra_json_schema=_RELOAD)] = "auto"


class TtsConfig(Section, frozen=True, kw_only=True):
    """Text to speech."""

    enabled: Annotated[bool, Meta(description="Speak answers to spoken questions.", extra_json_schema=_RELOAD)] = True
    model: Annotated[
        ModelName, Meta(description='A voice\'s id, an .onnx file, "espeak", or "auto".', extra_json_schema=_RELOAD)
    ] = "auto"
    voices: VoicesConfig = VoicesConfig()
    speed: Annotated[float, Meta(ge=0.25, le=4, description="Speed of speech; 1 is the voice's own.")] = 1.0
    threads: Threads = None


class PluginsConfig(Section, frozen=True, kw_only=True):
    """Plugins. They run inside the daemon: use only those you trust."""

    disabled: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...],
        Meta(max_length=1000, description="Names of plugins that stay off.", extra_json_schema=_RESTART),
    ] = ()
    settings: Annotated[
        dict[str, dict[str, Any]],
        Meta(description="Settings of each plugin by its name.", extra_json_schema=_RESTART),
    ] = {}


class TelemetryConfig(Section, frozen=True, kw_only=True):
    """Measurements of this machine. They never leave it."""

    interval_s: Annotated[float, Meta(ge=0.1, le=3600, description="Seconds between two samples.")] = 1.0


class LogConfig(Section, frozen=True, kw_only=True):
    """The log file."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least serious entries that are kept.")
    ] = "info"
    content: Annotated[bool, Meta(description="Also log what is said. Off, logs hold no conversation.")] = False


class Config(Section, frozen=True, kw_only=True):
    """Settings of AI MARK. A missing one has its default."""

    language: Annotated[
        Literal["auto", "ko", "en"],
        Meta(description='Language of messages and of the built-in instructions; "auto" follows the system.'),
    ] = "auto"
    server: ServerConfig = ServerConfig()
    paths: PathsConfig = PathsConfig()
    llm: LlmConfig = LlmConfig()
    stt: SttConfig = SttConfig()
    tts: TtsConfig = TtsConfig()
    plugins: PluginsConfig = PluginsConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    log: LogConfig = LogConfig()
    download_starter_models: Annotated[
        bool,
        Meta(description="Download the starter models at the start if they are missing.", extra_json_schema=_RESTART),
    ] = True


def keep_alive_s(llm: LlmConfig) -> float | None:
    """How long an unused model stays loaded, in seconds; None for ever."""
    value = str(llm.keep_alive)
    if parts := re.findall(r"([0-9]+)(h|ms|m|s)", value):
        return float(sum(int(count) * _SECONDS[unit] for count, unit in parts))
    return None if value == "-1" else float(value)


def system_prompt_in(llm: LlmConfig, language: str) -> str:
    """The configured instructions in `language` ("ko" or anything else for English); empty for the built-in ones."""
    prompt = llm.system_prompt
    if isinstance(prompt, str):
        return prompt
    return prompt.ko if language == "ko" else prompt.en
