"""Faults of planning and loading."""

from aimark_daemon.errors import Exit, fault_kind

NOT_A_LANGUAGE_MODEL = fault_kind(
    "model_not_language",
    message="The file {file} holds no language model: {reason}.",
    message_ko="{file} 파일에는 언어 모델이 없습니다: {reason_ko}.",
    hint="Choose a GGUF file of a language model; `aimark models list` shows some.",
    hint_ko="언어 모델의 GGUF 파일을 골라 주세요. `aimark models list`에서 볼 수 있습니다.",
)
PART_MISSING = fault_kind(
    "model_part_missing",
    message="The model comes in {count} files, and {file} is missing.",
    message_ko="이 모델은 파일 {count}개로 이루어져 있는데 {file} 파일이 없습니다.",
    hint="Put all parts into one folder, under the names they were published with.",
    hint_ko="모든 파일을 원래 이름 그대로 한 폴더에 넣어 주세요.",
)
SIZE_UNREADABLE = fault_kind(
    "size_unreadable",
    exit_code=Exit.USAGE,
    message="{text} is not an amount of memory.",
    message_ko="{text}은(는) 메모리 크기가 아닙니다.",
    hint="Write it as 6GB, 512MB or 4.5GB.",
    hint_ko="6GB, 512MB, 4.5GB처럼 적어 주세요.",
)
GPU_MEMORY_HELD = fault_kind(
    "gpu_memory_held",
    exit_code=Exit.ENGINE,
    message="The graphics card has no room yet for {holder}: it needs {wanted}, {free} are free; {held}.",
    message_ko="그래픽 카드에 아직 자리가 없습니다. {holder_ko}에 {wanted} 필요, 남은 메모리 {free}. {held_ko}.",
    hint="Wait until the work that runs has ended, and try again.",
    hint_ko="진행 중인 작업이 끝난 뒤 다시 시도해 주세요.",
)
GPU_MEMORY_SHORT = fault_kind(
    "gpu_memory_short",
    exit_code=Exit.ENGINE,
    message="The graphics card is too full for {holder}: it needs {wanted}, {free} are free; {held}.",
    message_ko="그래픽 카드 메모리가 부족합니다. {holder_ko}에 {wanted} 필요, 남은 메모리 {free}. {held_ko}.",
    hint="Close other programs that use the graphics card, or choose a smaller model.",
    hint_ko="그래픽 카드를 쓰는 다른 프로그램을 닫거나 더 작은 모델을 골라 주세요.",
)
