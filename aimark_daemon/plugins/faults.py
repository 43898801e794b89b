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
    hint_ko="쓸 수 있는 값: {allowed_ko}.",
)
ARGUMENT_MISSING = fault_kind(
    "argument_missing",
    exit_code=Exit.USAGE,
    message="/{name} needs the option {option}.",
    message_ko="/{name} 명령에는 {option} 옵션이 필요합니다.",
    hint="Write {option}=VALUE. Allowed is: {allowed}.",
    hint_ko="{option}=값 형태로 적어 주세요. 쓸 수 있는 값: {allowed_ko}.",
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
PLUGIN_FLOODED = fault_kind(
    "plugin_flooded",
    message="The command /{name} of the plugin {plugin} was stopped: it sent {outputs} events, {chars} characters.",
    message_ko="{plugin} 플러그인의 /{name} 명령을 중단했습니다. 이벤트 {outputs}개, 글자 {chars}자를 보냈습니다.",
    hint="What came before is kept. Tell the plugin's author.",
    hint_ko="그전까지의 내용은 남아 있습니다. 플러그인 제작자에게 알려 주세요.",
)
PLUGIN_SILENT = fault_kind(
    "plugin_silent",
    message="The command /{name} of the plugin {plugin} was stopped: nothing came from it for {seconds:g} seconds.",
    message_ko="{plugin} 플러그인의 /{name} 명령을 중단했습니다. {seconds:g}초 동안 아무것도 보내지 않았습니다.",
    hint="Try again. If it needs longer, its author can raise `timeout_s` or show progress.",
    hint_ko="다시 시도해 주세요. 더 오래 걸리는 일이라면 제작자가 `timeout_s`를 늘리거나 진행률을 보내면 됩니다.",
)
COMMAND_COOLING = fault_kind(
    "command_cooling",
    exit_code=Exit.USAGE,
    message="/{name} can be used again in {seconds} seconds.",
    message_ko="/{name} 명령은 {seconds}초 뒤에 다시 쓸 수 있습니다.",
    hint="Nothing was done. Try again then.",
    hint_ko="아무것도 하지 않았습니다. 그때 다시 시도해 주세요.",
)
QUESTION_UNKNOWN = fault_kind(
    "question_unknown",
    exit_code=Exit.USAGE,
    message="Nobody waits for an answer to question {question} of turn {turn}.",
    message_ko="{turn}번 턴의 질문 {question}에 대한 답을 기다리고 있지 않습니다.",
    hint="It was answered already, or the command has ended.",
    hint_ko="이미 답을 받았거나 명령이 끝났습니다.",
)
ANSWER_INVALID = fault_kind(
    "answer_invalid",
    exit_code=Exit.USAGE,
    message="{text!r} is none of the answers that may be chosen.",
    message_ko="{text!r}은(는) 고를 수 있는 답이 아닙니다.",
    hint="Choose one of: {choices}.",
    hint_ko="다음 중에서 골라 주세요: {choices}.",
)
