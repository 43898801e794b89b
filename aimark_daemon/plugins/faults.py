"""Faults of commands and plugins."""

from aimark_daemon.errors import Exit, fault_kind

COMMAND_UNKNOWN = fault_kind(
    "command_unknown",
    exit_code=Exit.USAGE,
    message="There is no command /{name}.",
    message_ko="/{name} 명령은 없습니다.",
    hint="{suggestion}Type /help to see all commands.",
    hint_ko="{suggestion_ko}/도움말을 입력하면 모든 명령을 볼 수 있습니다.",
)
CONTENT_MISSING = fault_kind(
    "content_missing",
    exit_code=Exit.USAGE,
    message="/{name} needs something after its name.",
    message_ko="/{name} 명령에는 이름 뒤에 내용이 필요합니다.",
    hint="Write what it should work on after the name: /{name} …",
    hint_ko="명령 뒤에 내용을 이어서 적어 주세요: /{name} …",
)
ARGUMENT_INVALID = fault_kind(
    "argument_invalid",
    exit_code=Exit.USAGE,
    message="/{name}: {option} cannot be {value!r}.",
    message_ko="/{name}: {option} 값으로 {value!r}은(는) 쓸 수 없습니다.",
    hint="Allowed is: {allowed}.",
    hint_ko="쓸 수 있는 값: {allowed}.",
)
OPTION_UNKNOWN = fault_kind(
    "option_unknown",
    exit_code=Exit.USAGE,
    message="/{name} has no option {option}.",
    message_ko="/{name}에는 {option} 옵션이 없습니다.",
    hint="Its options: {allowed}.",
    hint_ko="쓸 수 있는 옵션: {allowed}.",
)
PLUGIN_FAILED = fault_kind(
    "plugin_failed",
    message="The command /{name} of the plugin {plugin} failed.",
    message_ko="{plugin} 플러그인의 /{name} 명령이 실패했습니다.",
    hint="The assistant goes on. Tell the plugin's author what the detail says.",
    hint_ko="어시스턴트는 계속 동작합니다. 아래 내용을 플러그인 제작자에게 알려 주세요.",
)
PLUGIN_NOT_LOADED = fault_kind(
    "plugin_not_loaded",
    message="The plugin {plugin} was not loaded, so its commands are missing.",
    message_ko="{plugin} 플러그인을 불러오지 못해 이 플러그인의 명령을 쓸 수 없습니다.",
    hint="Mend it in {folder} and start the assistant again.",
    hint_ko="{folder} 폴더에서 고친 뒤 어시스턴트를 다시 시작해 주세요.",
)
