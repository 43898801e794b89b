"""Faults of turns."""

from aimark_daemon.errors import Exit, fault_kind

TEXT_EMPTY = fault_kind(
    "text_empty",
    exit_code=Exit.USAGE,
    message="There is nothing to answer: the text is empty.",
    message_ko="내용이 비어 있어 답할 것이 없습니다.",
    hint="Type a question or a command.",
    hint_ko="질문이나 명령을 입력해 주세요.",
)
TEXT_TOO_LONG = fault_kind(
    "text_too_long",
    exit_code=Exit.USAGE,
    message="The text has {length} characters; at most {limit} are taken.",
    message_ko="글자 수가 {length}자입니다. 최대 {limit}자까지 받습니다.",
    hint="Send it in parts.",
    hint_ko="나누어 보내 주세요.",
)
NOTHING_HEARD = fault_kind(
    "nothing_heard",
    exit_code=Exit.USAGE,
    message="No speech was heard.",
    message_ko="말소리가 들리지 않았습니다.",
    hint="Speak closer to the microphone, or check which microphone is chosen.",
    hint_ko="마이크에 더 가까이 말하거나 어떤 마이크가 선택됐는지 확인해 주세요.",
)
LISTEN_UNKNOWN = fault_kind(
    "listen_unknown",
    exit_code=Exit.USAGE,
    message="No microphone stream {listen} is open.",
    message_ko="열려 있는 마이크 스트림 {listen}이(가) 없습니다.",
    hint="Send `listen` first, and frames only until `end_listen`.",
    hint_ko="먼저 `listen`을 보내고, `end_listen` 전까지만 프레임을 보내 주세요.",
)
LISTEN_OPEN = fault_kind(
    "listen_open",
    exit_code=Exit.USAGE,
    message="The microphone stream {listen} is open already.",
    message_ko="마이크 스트림 {listen}이(가) 이미 열려 있습니다.",
    hint="Give every `listen` a number of its own.",
    hint_ko="`listen`마다 다른 번호를 써 주세요.",
)
LISTEN_NOT_READY = fault_kind(
    "listen_not_ready",
    exit_code=Exit.ENGINE,
    message="The model that hears is still being fetched.",
    message_ko="음성 인식 모델을 아직 준비하는 중입니다.",
    hint="Try again in a moment; typed questions work meanwhile.",
    hint_ko="잠시 후 다시 말씀해 주세요. 그동안 글로 질문할 수 있습니다.",
)
LISTEN_CANCELLED = fault_kind(
    "listen_cancelled",
    exit_code=Exit.CANCELLED,
    message="Listening was cancelled.",
    message_ko="듣기를 취소했습니다.",
    hint="Nothing was stored. Start again when you like.",
    hint_ko="저장된 것은 없습니다. 원할 때 다시 시작해 주세요.",
)
LISTEN_TOO_LONG = fault_kind(
    "listen_too_long",
    exit_code=Exit.USAGE,
    message="The utterance is longer than {limit_s} seconds.",
    message_ko="발화가 {limit_s}초보다 깁니다.",
    hint="Release the key now and then; what was said so far was not sent.",
    hint_ko="중간중간 키를 놓아 주세요. 지금까지의 말은 전달되지 않았습니다.",
)
FRAMES_LOST = fault_kind(
    "frames_lost",
    exit_code=Exit.USAGE,
    message="Microphone frame {expected} is missing; {got} came instead.",
    message_ko="마이크 프레임 {expected}번이 빠지고 {got}번이 왔습니다.",
    hint="Start listening again.",
    hint_ko="다시 듣기를 시작해 주세요.",
)
TURN_UNKNOWN = fault_kind(
    "turn_unknown",
    exit_code=Exit.USAGE,
    message="Turn {turn} is not running.",
    message_ko="{turn}번 턴은 진행 중이 아닙니다.",
    hint="It has ended already; nothing needs to be stopped.",
    hint_ko="이미 끝났으므로 멈출 것이 없습니다.",
)
NO_VOICE_FOR_LANGUAGE = fault_kind(
    "no_voice_for_language",
    exit_code=Exit.ENGINE,
    message="The voice in use does not speak {language}; the answer is shown only.",
    message_ko="지금 쓰는 음성은 {language_ko} 음성이 아니어서 답을 글로만 보여 드립니다.",
    hint="`aimark models list` shows voices; a sentence is never read by a voice of another language.",
    hint_ko="`aimark models list`에서 음성을 볼 수 있습니다. 다른 언어의 음성으로 읽지는 않습니다.",
)
