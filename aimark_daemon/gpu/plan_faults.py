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
KEEPS_CRASHING = fault_kind(
    "llm_keeps_crashing",
    message="The language model crashed again and again, on the processor alone too, and is not started any more.",
    message_ko="언어 모델이 CPU만으로 실행해도 계속 비정상 종료되어 더 이상 시작하지 않습니다.",
    hint="Choose another model with `aimark models use`, or restart the assistant to try again.",
    hint_ko="`aimark models use`로 다른 모델을 고르거나, 어시스턴트를 다시 시작해 한 번 더 시도해 주세요.",
)
