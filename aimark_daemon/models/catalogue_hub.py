"""Better models for machines with a graphics card, from the model hub: for cards of 4, 6 and 8 GB.

Names, sizes, digests and licences were compared in several public sources that publish the hub's own LFS digests. LLMs
are instruct models without recurrent layers, so that an evaluated prompt prefix can be kept. Whisper models are the
published f16 conversions; the engine quantises them to int8 while loading.
"""

from __future__ import annotations

from typing import Final

from aimark_daemon.models.entries import Hub, ModelEntry, ModelFile

_PIPER_REVISION: Final = "0d907f158acc877ddeebcbf827659ee13bea8bcd"
_TURBO_REVISION: Final = "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"


def _hub(repo: str, revision: str, folder: str, *names: str) -> tuple[Hub]:
    return (Hub(repo, revision, {name: folder + name for name in names}),)


QWEN3_17B: Final = ModelEntry(
    id="qwen3-1.7b-q4_k_m",
    kind="llm",
    title="Qwen3 1.7B, Q4_K_M",
    files=(
        ModelFile(
            "Qwen3-1.7B-Q4_K_M.gguf", 1_107_409_472, "b139949c5bd74937ad8ed8c8cf3d9ffb1e99c866c823204dc42c0d91fa181897"
        ),
    ),
    licence="Apache-2.0",
    languages=("en", "ko"),
    memory=1_900_000_000,
    mirrors=_hub("unsloth/Qwen3-1.7B-GGUF", "d7f544eead698dbd1f15126ef60b45a1e1933222", "", "Qwen3-1.7B-Q4_K_M.gguf"),
    note="For a 4 GB card, or a quick processor.",
)

QWEN3_4B: Final = ModelEntry(
    id="qwen3-4b-instruct-2507-q4_k_m",
    kind="llm",
    title="Qwen3 4B Instruct 2507, Q4_K_M",
    files=(
        ModelFile(
            "Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
            2_497_281_120,
            "3605803b982cb64aead44f6c1b2ae36e3acdb41d8e46c8a94c6533bc4c67e597",
        ),
    ),
    licence="Apache-2.0",
    languages=("en", "ko"),
    memory=3_500_000_000,
    mirrors=_hub(
        "unsloth/Qwen3-4B-Instruct-2507-GGUF",
        "a06e946bb6b655725eafa393f4a9745d460374c9",
        "",
        "Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
    ),
    note="For a 6 GB card.",
)

QWEN3_8B: Final = ModelEntry(
    id="qwen3-8b-q4_k_m",
    kind="llm",
    title="Qwen3 8B, Q4_K_M",
    files=(
        ModelFile(
            "Qwen3-8B-Q4_K_M.gguf", 5_027_783_488, "d98cdcbd03e17ce47681435b5150e34c1417f50b5c0019dd560e4882c5745785"
        ),
    ),
    licence="Apache-2.0",
    languages=("en", "ko"),
    memory=6_000_000_000,
    mirrors=_hub("Qwen/Qwen3-8B-GGUF", "7c41481f57cb95916b40956ab2f0b139b296d974", "", "Qwen3-8B-Q4_K_M.gguf"),
    note="For an 8 GB card that hears and speaks on the processor.",
)

WHISPER_SMALL: Final = ModelEntry(
    id="whisper-small",
    kind="stt",
    title="Whisper small",
    files=(
        ModelFile("model.bin", 483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
        ModelFile("config.json", 2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
        ModelFile("tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
        ModelFile("vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    ),
    licence="MIT",
    languages=("en", "ko"),
    memory=1_000_000_000,
    mirrors=_hub(
        "Systran/faster-whisper-small",
        "536b0662742c02347bc0e980a01041f333bce120",
        "",
        "model.bin",
        "config.json",
        "tokenizer.json",
        "vocabulary.txt",
    ),
    note="Hears Korean clearly better than base.",
)

WHISPER_TURBO: Final = ModelEntry(
    id="whisper-large-v3-turbo",
    kind="stt",
    title="Whisper large-v3 turbo",
    files=(
        ModelFile("model.bin", 1_617_884_929, "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da"),
        ModelFile("config.json", 2_263, "b0253ea6c0d3bea6b1e19e91a02acfd3b53f4467362efcb5a3e6b16c9b3a9b7e"),
        ModelFile("preprocessor_config.json", 340, "7ccc62c6f2765af1f3b46c00c9b5894426835a05021c8b9c01eecb6dfb542711"),
        ModelFile("tokenizer.json", 2_710_337, "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd"),
        ModelFile("vocabulary.json", 1_068_114, "c69260f2ab26d659b7c398f9a2b2b48ed0df16c3b47d7326782fd9cba71690c1"),
    ),
    licence="MIT",
    languages=("en", "ko"),
    memory=1_900_000_000,
    mirrors=_hub(
        "dropbox-dash/faster-whisper-large-v3-turbo",
        _TURBO_REVISION,
        "",
        "model.bin",
        "config.json",
        "preprocessor_config.json",
        "tokenizer.json",
        "vocabulary.json",
    ),
    note="The best for Korean; wants a graphics card.",
)

PIPER_KRISTIN: Final = ModelEntry(
    id="piper-en-us-kristin-medium",
    kind="tts",
    title="Piper Kristin, American English, medium",
    files=(
        ModelFile(
            "en_US-kristin-medium.onnx", 63_531_379, "5849957f929cbf720c258f8458692d6103fff2f0e3d3b19c8259474bb06a18d4"
        ),
        ModelFile(
            "en_US-kristin-medium.onnx.json", 4_968, "5681426d4aead22195de70531eeeeddb46493cfaffc5764b2ea3db73428b651c"
        ),
    ),
    licence="LicenseRef-PublicDomain",
    languages=("en",),
    memory=150_000_000,
    mirrors=_hub(
        "rhasspy/piper-voices",
        _PIPER_REVISION,
        "en/en_US/kristin/medium/",
        "en_US-kristin-medium.onnx",
        "en_US-kristin-medium.onnx.json",
    ),
    note="A woman's voice.",
)

PIPER_ALBA: Final = ModelEntry(
    id="piper-en-gb-alba-medium",
    kind="tts",
    title="Piper Alba, Scottish English, medium",
    files=(
        ModelFile(
            "en_GB-alba-medium.onnx", 63_201_294, "401369c4a81d09fdd86c32c5c864440811dbdcc66466cde2d64f7133a66ad03b"
        ),
        ModelFile(
            "en_GB-alba-medium.onnx.json", 4_888, "aa965a2f02ecced632c2694e1fc72bbff6d65f265fab567ca945918c73dd89f4"
        ),
    ),
    licence="CC-BY-4.0",
    languages=("en",),
    memory=150_000_000,
    mirrors=_hub(
        "rhasspy/piper-voices",
        _PIPER_REVISION,
        "en/en_GB/alba/medium/",
        "en_GB-alba-medium.onnx",
        "en_GB-alba-medium.onnx.json",
    ),
    note="A Scottish woman's voice.",
)

HUB: Final = (QWEN3_17B, QWEN3_4B, QWEN3_8B, WHISPER_SMALL, WHISPER_TURBO, PIPER_KRISTIN, PIPER_ALBA)
