"""Faults of model files."""

from aimark_daemon.errors import fault_kind

MODEL_FILE_INVALID = fault_kind(
    "model_file_invalid",
    message="The model file {file} cannot be used: {reason}.",
    message_ko="{file} 모델 파일을 사용할 수 없습니다: {reason_ko}.",
    hint="Choose another file, or pull the model again.",
    hint_ko="다른 파일을 고르거나 모델을 다시 받아 주세요.",
)
