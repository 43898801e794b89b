"""Faults of the models: not installed, not known, not as published, not obtainable."""

from aimark_daemon.errors import Exit, fault_kind

MODEL_MISSING = fault_kind(
    "model_missing",
    message="The model {model} is not installed.",
    message_ko="{model} 모델이 설치되어 있지 않습니다.",
    hint="Install it with `aimark models pull {model}`.",
    hint_ko="`aimark models pull {model}`로 설치해 주세요.",
)

MODEL_UNKNOWN = fault_kind(
    "model_unknown",
    exit_code=Exit.USAGE,
    message="There is no model called {model}.",
    message_ko="{model}(이)라는 모델이 없습니다.",
    hint="`aimark models list` shows every model. Similar: {similar}.",
    hint_ko="`aimark models list`로 모든 모델을 볼 수 있습니다. 비슷한 이름: {similar}.",
)

MODEL_DIGEST = fault_kind(
    "model_digest",
    message="The file {file} of the model {model} is not the published one, so it is not used.",
    message_ko="{model} 모델의 {file} 파일이 공개된 것과 달라 사용하지 않습니다.",
    hint="Remove it with `aimark models rm {model}` and pull it again. If that does not help, its source has changed.",
    hint_ko="`aimark models rm {model}`로 지우고 다시 받아 주세요. 그래도 안 되면 제공처의 파일이 바뀐 것입니다.",
)

MIRROR_FAILED = fault_kind(
    "mirror_failed",
    message="The model {model} could not be downloaded: {mirrors}.",
    message_ko="{model} 모델을 내려받지 못했습니다: {mirrors}.",
    hint="Check the connection and try again; what was downloaded is kept.",
    hint_ko="인터넷 연결을 확인하고 다시 시도해 주세요. 받은 부분은 보관되어 있습니다.",
)

DISK_FULL = fault_kind(
    "disk_full",
    message="There is not enough room on the disk for the model {model} in {folder}.",
    message_ko="{model} 모델을 저장할 공간이 {folder}에 부족합니다.",
    hint="Make {needed_mb} MB free and try again.",
    hint_ko="{needed_mb} MB를 비우고 다시 시도해 주세요.",
)

STORE_UNWRITABLE = fault_kind(
    "model_store_unwritable",
    message="Models cannot be written to {folder}.",
    message_ko="{folder}에 모델을 저장할 수 없습니다.",
    hint="Give your user the right to write there, or choose another folder in the configuration.",
    hint_ko="그 폴더에 쓰기 권한을 주거나 설정에서 다른 폴더를 골라 주세요.",
)

PULL_CANCELLED = fault_kind(
    "pull_cancelled",
    exit_code=Exit.CANCELLED,
    message="The download of the model {model} was stopped.",
    message_ko="{model} 모델 내려받기를 멈췄습니다.",
    hint="Pull it again to go on from where it stopped.",
    hint_ko="다시 받으면 멈춘 곳부터 이어집니다.",
)
