"""Faults of the configuration and of the folders it names."""

from __future__ import annotations

from aimark_daemon.errors import Exit, fault_kind

CONFIG_INVALID = fault_kind(
    "config_invalid",
    exit_code=Exit.CONFIG,
    message="{place}{key} is {value}, but must be {allowed}.",
    message_ko="{place}{key} 값이 {value}입니다. 허용되는 값: {allowed_ko}.",
    hint="Give {key} an allowed value. The settings are kept in {file}.",
    hint_ko="{key}에 허용되는 값을 넣어 주세요. 설정은 {file}에 있습니다.",
)
CONFIG_BROKEN = fault_kind(
    "config_broken",
    exit_code=Exit.CONFIG,
    message="{place} cannot be read as JSON.",
    message_ko="{place}: JSON 형식이 아니어서 읽을 수 없습니다.",
    hint="Correct the file at that place; every value needs quotes, commas and brackets in pairs.",
    hint_ko="그 위치에서 파일을 고쳐 주세요. 따옴표, 쉼표, 괄호의 짝이 맞는지 확인해 주세요.",
)
CONFIG_ENCODING = fault_kind(
    "config_encoding",
    exit_code=Exit.CONFIG,
    message="{place} is not UTF-8 text.",
    message_ko="{place}: UTF-8 텍스트가 아닙니다.",
    hint="Save the file with the encoding UTF-8 in your editor.",
    hint_ko="편집기에서 인코딩을 UTF-8로 골라 파일을 다시 저장해 주세요.",
)
CONFIG_UNREADABLE = fault_kind(
    "config_unreadable",
    exit_code=Exit.CONFIG,
    message="The configuration {file} cannot be opened.",
    message_ko="설정 파일 {file}을(를) 열 수 없습니다.",
    hint="Check that it is a file and that you may read it.",
    hint_ko="파일이 맞는지, 읽을 권한이 있는지 확인해 주세요.",
)
CONFIG_UNWRITABLE = fault_kind(
    "config_unwritable",
    exit_code=Exit.CONFIG,
    message="The configuration {file} cannot be written; the setting was not changed.",
    message_ko="설정 파일 {file}에 쓸 수 없어 설정을 바꾸지 못했습니다.",
    hint="Check the folder's permissions and the free space of the disk.",
    hint_ko="폴더의 권한과 디스크의 남은 공간을 확인해 주세요.",
)
CONFIG_KEY_UNKNOWN = fault_kind(
    "config_key_unknown",
    exit_code=Exit.CONFIG,
    message="There is no setting {key}.",
    message_ko="{key}라는 설정은 없습니다.",
    hint="The nearest setting is {nearest}.",
    hint_ko="가장 가까운 설정은 {nearest}입니다.",
)
CONFIG_KEY_IGNORED = fault_kind(
    "config_key_ignored",
    exit_code=Exit.CONFIG,
    message="{place}the key {key} is unknown and ignored.",
    message_ko="{place}{key}은(는) 알 수 없는 키여서 무시했습니다.",
    hint="The nearest known key is {nearest}.",
    hint_ko="가장 가까운 키는 {nearest}입니다.",
)
CONFIG_KEY_DOUBLED = fault_kind(
    "config_key_doubled",
    exit_code=Exit.CONFIG,
    message="{place}the key {key} is there twice; the last one counts.",
    message_ko="{place}{key} 키가 두 번 나옵니다. 마지막 값을 사용합니다.",
    hint="Remove one of the two.",
    hint_ko="둘 중 하나를 지워 주세요.",
)

RESTART_NEEDED = fault_kind(
    "restart_needed",
    exit_code=Exit.OK,
    message="Changed, but not yet in force: {keys}.",
    message_ko="바꿨지만 아직 적용되지 않은 설정: {keys}.",
    hint="Restart the assistant: `aimark stop`, then `aimark`.",
    hint_ko="어시스턴트를 다시 시작해 주세요: `aimark stop` 후 `aimark`.",
)
