"""Faults of the store."""

from __future__ import annotations

from aimark_daemon.errors import Exit, fault_kind

SESSION_UNKNOWN = fault_kind(
    "session_unknown",
    exit_code=Exit.USAGE,
    message="There is no conversation {session}.",
    message_ko="{session} 대화를 찾을 수 없습니다.",
    hint="`aimark sessions list` shows the conversations. One that was deleted can be restored first.",
    hint_ko="`aimark sessions list`로 대화 목록을 확인해 주세요. 삭제한 대화라면 먼저 되살려 주세요.",
)
MESSAGE_UNKNOWN = fault_kind(
    "message_unknown",
    exit_code=Exit.USAGE,
    message="There is no such message {number} in this conversation.",
    message_ko="이 대화에는 그런 {number}번 메시지가 없습니다.",
    hint="Open the conversation again; it may have been changed in another window.",
    hint_ko="대화를 다시 열어 주세요. 다른 창에서 바뀌었을 수 있습니다.",
)
MESSAGE_BUSY = fault_kind(
    "message_busy",
    exit_code=Exit.USAGE,
    message="An answer in this conversation is still being written.",
    message_ko="이 대화의 답변을 아직 쓰고 있습니다.",
    hint="Stop the answer or wait for its end, then try again.",
    hint_ko="답변을 중지하거나 끝날 때까지 기다린 뒤 다시 시도해 주세요.",
)
TITLE_INVALID = fault_kind(
    "title_invalid",
    exit_code=Exit.USAGE,
    message="A title has 1 to {limit} characters; this one has {length}.",
    message_ko="제목은 1자에서 {limit}자까지입니다. 입력한 제목은 {length}자입니다.",
    hint="Give a title of 1 to {limit} characters.",
    hint_ko="1자에서 {limit}자까지의 제목을 입력해 주세요.",
)
TURN_NOT_OPEN = fault_kind(
    "turn_not_open",
    exit_code=Exit.INTERNAL,
    message="Turn {turn} is over or was deleted with its conversation.",
    message_ko="{turn}번 턴은 이미 끝났거나 대화와 함께 삭제되었습니다.",
    hint="Ask again to begin a new turn.",
    hint_ko="다시 질문해 새 턴을 시작해 주세요.",
)
IMPORT_INVALID = fault_kind(
    "import_invalid",
    exit_code=Exit.USAGE,
    message="The file is not an export of conversations: mistake at {place}. Nothing was imported.",
    message_ko="대화를 내보낸 파일이 아닙니다. 잘못된 곳: {place_ko}. 아무것도 가져오지 않았습니다.",
    hint='Use the shape {{"version": 1, "sessions": [{{"title", "messages": [{{"role", "content"}}]}}]}}.',
    hint_ko='{{"version": 1, "sessions": [{{"title", "messages": [{{"role", "content"}}]}}]}} 형식으로 만들어 주세요.',
)
IMPORT_TOO_BIG = fault_kind(
    "import_too_big",
    exit_code=Exit.USAGE,
    message="The import has {size} MiB; {limit} MiB is the most. Nothing was imported.",
    message_ko="가져올 파일이 {size} MiB입니다. {limit} MiB까지 가져올 수 있습니다. 아무것도 가져오지 않았습니다.",
    hint="Split it into several files.",
    hint_ko="여러 파일로 나누어 가져와 주세요.",
)
DATABASE_NEWER = fault_kind(
    "database_newer",
    exit_code=Exit.CONFIG,
    message="The conversations in {path} were written by a newer version of this program (schema {found} > {known}).",
    message_ko="{path}의 대화는 더 새로운 버전의 프로그램이 저장했습니다(스키마 {found}, 지원: {known}).",
    hint="Update the program, or use another data folder. The file was not changed.",
    hint_ko="프로그램을 업데이트하거나 다른 데이터 폴더를 사용해 주세요. 파일은 바꾸지 않았습니다.",
)
DATABASE_BROKEN = fault_kind(
    "database_broken",
    exit_code=Exit.INTERNAL,
    message="The file of the conversations, {path}, is damaged.",
    message_ko="대화 파일 {path}이(가) 손상되었습니다.",
    hint="Restart the program: it keeps the damaged file aside and goes on with the newest backup.",
    hint_ko="프로그램을 다시 시작해 주세요. 손상된 파일은 따로 보관하고 최신 백업으로 이어 갑니다.",
)
DATABASE_RESTORED = fault_kind(
    "database_restored",
    exit_code=Exit.INTERNAL,
    message="The file of the conversations was damaged. The backup {backup} is in use; what came after it is missing.",
    message_ko="대화 파일이 손상되어 백업 {backup}을(를) 사용합니다. 백업 이후의 대화는 빠져 있습니다.",
    hint="The damaged file was kept as {kept}.",
    hint_ko="손상된 파일은 {kept}에 보관했습니다.",
)
DATABASE_RESTARTED = fault_kind(
    "database_restarted",
    exit_code=Exit.INTERNAL,
    message="The file of the conversations was damaged and there is no backup. The list begins anew.",
    message_ko="대화 파일이 손상되었고 백업이 없어 새 목록으로 시작합니다.",
    hint="The damaged file was kept as {kept}.",
    hint_ko="손상된 파일은 {kept}에 보관했습니다.",
)
DISK_FULL = fault_kind(
    "database_disk_full",
    exit_code=Exit.INTERNAL,
    message="The disk is full; {path} could not be written.",
    message_ko="디스크가 가득 차서 {path}에 저장하지 못했습니다.",
    hint="Free some space and try again. What was stored before is safe.",
    hint_ko="공간을 확보한 뒤 다시 시도해 주세요. 이전에 저장한 내용은 안전합니다.",
)
DATABASE_UNWRITABLE = fault_kind(
    "database_unwritable",
    exit_code=Exit.INTERNAL,
    message="{path} could not be read or written.",
    message_ko="{path}을(를) 읽거나 쓸 수 없습니다.",
    hint="Check the folder's permissions and the disk, then try again.",
    hint_ko="폴더의 권한과 디스크 상태를 확인한 뒤 다시 시도해 주세요.",
)
DATABASE_BUSY = fault_kind(
    "database_busy",
    exit_code=Exit.INTERNAL,
    message="Another program is using {path}.",
    message_ko="다른 프로그램이 {path}을(를) 사용하고 있습니다.",
    hint="Close the other program and try again.",
    hint_ko="다른 프로그램을 닫고 다시 시도해 주세요.",
)
