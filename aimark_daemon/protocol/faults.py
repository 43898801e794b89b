"""Faults of the wire: messages and frames that cannot be understood."""

from aimark_daemon.errors import Exit, fault_kind

BAD_MESSAGE = fault_kind(
    "bad_message",
    exit_code=Exit.USAGE,
    message="The message could not be understood.",
    message_ko="메시지를 이해할 수 없습니다.",
    hint="Compare it with docs/reference/protocol.md; the detail names the field.",
    hint_ko="docs/reference/protocol.md와 비교해 주세요. 어느 항목이 틀렸는지 아래에 있습니다.",
)
BAD_FRAME = fault_kind(
    "bad_frame",
    exit_code=Exit.USAGE,
    message="The audio frame could not be understood.",
    message_ko="오디오 프레임을 이해할 수 없습니다.",
    hint="Send a 12-byte header and mono 16-bit samples, as docs/reference/protocol.md shows.",
    hint_ko="docs/reference/protocol.md대로 12바이트 머리와 16비트 모노 샘플을 보내 주세요.",
)
WRONG_VERSION = fault_kind(
    "wrong_version",
    exit_code=Exit.USAGE,
    message="The client speaks protocol {client}, the daemon {daemon}.",
    message_ko="클라이언트의 프로토콜은 {client}, 데몬은 {daemon}입니다.",
    hint="Reload the page, or restart the older of the two.",
    hint_ko="페이지를 새로 고치거나 더 오래된 쪽을 다시 시작해 주세요.",
)
