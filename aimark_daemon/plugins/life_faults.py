"""Faults of plugins as wholes: why one is not loaded, was taken out, or held others up."""

from aimark_daemon.errors import Exit, fault_kind

PLUGIN_UNREADABLE = fault_kind(
    "plugin_unreadable",
    exit_code=Exit.CONFIG,
    message="The plugin {name} cannot be read: {path}.",
    message_ko="{name} 플러그인을 읽을 수 없습니다: {path}.",
    hint="Check the file, its permissions and that it is UTF-8.",
    hint_ko="파일이 있는지, 읽을 권한이 있는지, UTF-8인지 확인해 주세요.",
)
PLUGIN_FOLDER_UNREADABLE = fault_kind(
    "plugin_folder_unreadable",
    exit_code=Exit.CONFIG,
    message="The plugin folder {folder} cannot be read.",
    message_ko="플러그인 폴더 {folder}을(를) 읽을 수 없습니다.",
    hint="Make it a folder that you may read. The other plugins work.",
    hint_ko="읽을 수 있는 폴더로 만들어 주세요. 다른 플러그인은 동작합니다.",
)
PLUGIN_SOURCE_INVALID = fault_kind(
    "plugin_source_invalid",
    exit_code=Exit.CONFIG,
    message="The plugin {name} is not valid: {problem}.",
    message_ko="{name} 플러그인이 올바르지 않습니다: {problem}.",
    hint="Correct {path}; it is loaded again when you save it.",
    hint_ko="{path} 파일을 고쳐 주세요. 저장하면 다시 불러옵니다.",
)
PLUGIN_IMPORT_FAILED = fault_kind(
    "plugin_import_failed",
    message="The plugin {name} could not be imported: {problem}.",
    message_ko="{name} 플러그인을 가져오지 못했습니다: {problem}.",
    hint="Correct {path}, or turn the plugin off with `aimark plugins disable {name}`.",
    hint_ko="{path} 파일을 고치거나 `aimark plugins disable {name}` 명령으로 꺼 주세요.",
)
PLUGIN_TOO_SLOW = fault_kind(
    "plugin_too_slow",
    message="The plugin {name} was given up: {part} took longer than {seconds:g} seconds.",
    message_ko="{name} 플러그인을 포기했습니다. {part} 단계가 {seconds:g}초를 넘었습니다.",
    hint="Tell its author: heavy imports belong into the function that needs them.",
    hint_ko="제작자에게 알려 주세요. 무거운 모듈은 필요한 함수 안에서 가져와야 합니다.",
)
PLUGIN_API_OTHER = fault_kind(
    "plugin_api_other",
    exit_code=Exit.CONFIG,
    message="The plugin {name} was made for plugin interface {wanted}; this program has {have}.",
    message_ko="{name} 플러그인은 플러그인 인터페이스 {wanted}용입니다. 이 프로그램은 {have}입니다.",
    hint="Install a release of the plugin for interface {have}.",
    hint_ko="인터페이스 {have}을(를) 지원하는 플러그인 버전을 설치해 주세요.",
)
PLUGIN_REQUIRES = fault_kind(
    "plugin_requires",
    exit_code=Exit.CONFIG,
    message="The plugin {name} needs packages that are not installed: {packages}.",
    message_ko="{name} 플러그인에 필요한 패키지가 설치되어 있지 않습니다: {packages}.",
    hint="Install them with: {line}",
    hint_ko="다음 명령으로 설치해 주세요: {line}",
)
PLUGIN_NEEDS = fault_kind(
    "plugin_needs",
    exit_code=Exit.CONFIG,
    message="The plugin {name} needs the plugin {other}, which does not work.",
    message_ko="{name} 플러그인에 필요한 {other} 플러그인이 동작하지 않습니다.",
    hint="`aimark plugins list` shows why.",
    hint_ko="`aimark plugins list`에서 이유를 볼 수 있습니다.",
)
PLUGIN_NEEDS_CIRCLE = fault_kind(
    "plugin_needs_circle",
    exit_code=Exit.CONFIG,
    message="The plugins {names} need each other in a circle.",
    message_ko="{names} 플러그인이 서로를 필요로 합니다.",
    hint="Take a name out of one of their NEEDS.",
    hint_ko="그중 하나의 NEEDS에서 이름을 빼 주세요.",
)
PLUGIN_NAME_TAKEN = fault_kind(
    "plugin_name_taken",
    exit_code=Exit.CONFIG,
    message="There are two plugins named {name}; {path} is not loaded.",
    message_ko="이름이 {name}인 플러그인이 두 개 있어서 {path}은(는) 불러오지 않았습니다.",
    hint="Rename one of them. The other is {other}.",
    hint_ko="둘 중 하나의 이름을 바꿔 주세요. 다른 하나는 {other}입니다.",
)
PLUGIN_SETTINGS_INVALID = fault_kind(
    "plugin_settings_invalid",
    exit_code=Exit.CONFIG,
    message="The settings of the plugin {name} are wrong: {problem}.",
    message_ko="{name} 플러그인의 설정이 잘못되었습니다: {problem}.",
    hint="Correct `plugins.settings` in config.json. Its settings are: {known}.",
    hint_ko="config.json의 `plugins.settings`를 고쳐 주세요. 이 플러그인의 설정: {known}.",
)
PLUGIN_HOOKS_INVALID = fault_kind(
    "plugin_hooks_invalid",
    message="The plugin {name} has a hook or command that does not fit: {problem}.",
    message_ko="{name} 플러그인의 훅이나 명령이 맞지 않습니다: {problem}.",
    hint="Tell its author. The reference of plugins lists hooks and their arguments.",
    hint_ko="제작자에게 알려 주세요. 플러그인 레퍼런스에 훅과 인자가 나와 있습니다.",
)
PLUGIN_COMMAND_TAKEN = fault_kind(
    "plugin_command_taken",
    exit_code=Exit.CONFIG,
    message="The plugin {name} brings /{command}, which is already a command of {other}.",
    message_ko="{name} 플러그인의 /{command} 명령은 이미 {other} 플러그인에 있습니다.",
    hint="Rename the command, or disable one of the two plugins.",
    hint_ko="명령의 이름을 바꾸거나 둘 중 한 플러그인을 꺼 주세요.",
)
PLUGIN_HOOK_FAILED = fault_kind(
    "plugin_hook_failed",
    message="The plugin {name} failed in {hook}: {problem}.",
    message_ko="{name} 플러그인이 {hook}에서 실패했습니다: {problem}.",
    hint="The assistant goes on without it. Tell the plugin's author.",
    hint_ko="어시스턴트는 계속 동작합니다. 플러그인 제작자에게 알려 주세요.",
)
PLUGIN_QUARANTINED = fault_kind(
    "plugin_quarantined",
    message="The plugin {name} failed too often and was turned off. Last: {problem}",
    message_ko="{name} 플러그인이 너무 자주 실패해서 껐습니다. 마지막 문제: {problem}",
    hint="`aimark plugins enable {name}` tries it again.",
    hint_ko="`aimark plugins enable {name}` 명령으로 다시 켤 수 있습니다.",
)
PLUGIN_BLOCKED = fault_kind(
    "plugin_blocked",
    message="The plugin {name} held everything up for {seconds} seconds, at {place}.",
    message_ko="{name} 플러그인이 {place}에서 {seconds}초 동안 모든 작업을 멈추게 했습니다.",
    hint="Tell its author: what takes time is awaited, or runs in `asyncio.to_thread`.",
    hint_ko="제작자에게 알려 주세요. 오래 걸리는 일은 await 하거나 `asyncio.to_thread`로 실행해야 합니다.",
)
PLUGIN_UNKNOWN = fault_kind(
    "plugin_unknown",
    exit_code=Exit.USAGE,
    message="There is no plugin {name}.",
    message_ko="{name} 플러그인이 없습니다.",
    hint="`aimark plugins list` shows all plugins.",
    hint_ko="`aimark plugins list`에서 모든 플러그인을 볼 수 있습니다.",
)
