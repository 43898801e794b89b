"""Faults of language model engines, and of engines that keep crashing."""

from aimark_daemon.errors import Exit, fault_kind

MODEL_FILE_MISSING = fault_kind(
    "model_file_missing",
    message="The model file {path} is not there.",
    message_ko="모델 파일 {path}이(가) 없습니다.",
    hint="Choose another model with `aimark models use`, or install it again with `aimark models pull`.",
    hint_ko="`aimark models use`로 다른 모델을 고르거나 `aimark models pull`로 다시 설치해 주세요.",
)
MODEL_INVALID = fault_kind(
    "model_invalid",
    message="The model file {path} cannot be loaded: it is damaged, incomplete or not a GGUF model this version knows.",
    message_ko="모델 파일 {path}을(를) 불러올 수 없습니다. 손상되었거나 일부만 있거나 지원하지 않는 GGUF 모델입니다.",
    hint="Download it again with `aimark models pull`, or choose another model with `aimark models use`.",
    hint_ko="`aimark models pull`로 다시 내려받거나 `aimark models use`로 다른 모델을 골라 주세요.",
)
LLM_OUT_OF_MEMORY = fault_kind(
    "llm_out_of_memory",
    message="There is not enough memory for the language model.",
    message_ko="언어 모델을 실행할 메모리가 부족합니다.",
    hint="Close other programs, make the context smaller, or choose a smaller model with `aimark models use`.",
    hint_ko="다른 프로그램을 닫거나, 컨텍스트를 줄이거나, `aimark models use`로 더 작은 모델을 골라 주세요.",
)
LLM_SETTINGS_INVALID = fault_kind(
    "llm_settings_invalid",
    exit_code=Exit.CONFIG,
    message="The language model cannot run with these settings: {what}.",
    message_ko="이 설정으로는 언어 모델을 실행할 수 없습니다: {what}.",
    hint="Correct the language model's settings in config.json.",
    hint_ko="config.json에서 언어 모델 설정을 고쳐 주세요.",
)
CONTEXT_OVERFLOW = fault_kind(
    "context_overflow",
    message="The message is too long for the model: {tokens} tokens with its instructions, {limit} fit.",
    message_ko="메시지가 모델에 너무 깁니다. 지시문을 포함해 {tokens}토큰인데 {limit}토큰까지 들어갑니다.",
    hint="Send a shorter message, or raise the context size in config.json.",
    hint_ko="메시지를 줄여서 보내거나 config.json에서 컨텍스트 크기를 늘려 주세요.",
)
LLM_FAILED = fault_kind(
    "llm_failed",
    message="The language model failed while it was computing an answer.",
    message_ko="언어 모델이 답변을 계산하는 중에 실패했습니다.",
    hint="Try again. If it happens again, choose another model with `aimark models use`.",
    hint_ko="다시 시도해 주세요. 또 생기면 `aimark models use`로 다른 모델을 골라 주세요.",
)
KEEPS_CRASHING = fault_kind(
    "worker_keeps_crashing",
    message="The {name} engine crashed again and again and is not started any more.",
    message_ko="{name} 엔진이 계속 비정상 종료되어 더 이상 시작하지 않습니다.",
    hint="Choose a model with `aimark models use` (the same one tries again), change its settings, or restart.",
    hint_ko="`aimark models use`로 모델을 고르거나(같은 모델이면 다시 시도), 설정을 바꾸거나, 다시 시작해 주세요.",
)
