"""Faults of the door: the port, the token, who may come in, and a daemon that is not there."""

from aimark_daemon.errors import Exit, fault_kind

PORT_TAKEN = fault_kind(
    "port_taken",
    exit_code=Exit.CONFIG,
    message="Port {port} is used by another program.",
    message_ko="{port}번 포트를 다른 프로그램이 사용하고 있습니다.",
    hint="Close that program, or choose another port: `aimark run --port 0` takes any free one.",
    hint_ko="그 프로그램을 닫거나 다른 포트를 골라 주세요. `aimark run --port 0`은 비어 있는 포트를 씁니다.",
)
PORT_REFUSED = fault_kind(
    "port_refused",
    exit_code=Exit.CONFIG,
    message="The system does not let this program use port {port}.",
    message_ko="시스템이 {port}번 포트의 사용을 허락하지 않습니다.",
    hint="Choose a port above 1023: `aimark run --port 0` takes any free one.",
    hint_ko="1023보다 큰 포트를 골라 주세요. `aimark run --port 0`은 비어 있는 포트를 씁니다.",
)
TOKEN_UNSAFE = fault_kind(
    "token_unsafe",
    exit_code=Exit.CONFIG,
    message="The access token in {path} cannot be trusted.",
    message_ko="{path}에 있는 접근 토큰을 믿을 수 없습니다.",
    hint="Delete that file and start the daemon again; it makes a new one that only you can read.",
    hint_ko="그 파일을 지우고 데몬을 다시 시작해 주세요. 본인만 읽을 수 있는 새 토큰이 만들어집니다.",
)
TOKEN_MISSING = fault_kind(
    "token_missing",
    exit_code=Exit.UNREACHABLE,
    message="There is no access token in {path}.",
    message_ko="{path}에 접근 토큰이 없습니다.",
    hint="Start the daemon with `aimark`; it makes one.",
    hint_ko="`aimark`로 데몬을 시작해 주세요. 토큰이 만들어집니다.",
)
NOT_ALLOWED = fault_kind(
    "not_allowed",
    exit_code=Exit.UNREACHABLE,
    message="The daemon did not let this program in.",
    message_ko="데몬이 이 프로그램의 접속을 허락하지 않았습니다.",
    hint="Use the same user and AIMARK_HOME as the daemon, or restart it: `aimark stop`, then `aimark`.",
    hint_ko="데몬과 같은 사용자와 AIMARK_HOME으로 실행하거나 `aimark stop` 후 `aimark`로 다시 시작해 주세요.",
)
DAEMON_UNREACHABLE = fault_kind(
    "daemon_unreachable",
    exit_code=Exit.UNREACHABLE,
    message="The daemon does not answer on port {port}.",
    message_ko="데몬이 {port}번 포트에서 응답하지 않습니다.",
    hint="Start it with `aimark`; `aimark doctor` says what is wrong if it does not start.",
    hint_ko="`aimark`로 시작해 주세요. 시작되지 않으면 `aimark doctor`가 원인을 알려 줍니다.",
)
DAEMON_LOST = fault_kind(
    "daemon_lost",
    exit_code=Exit.UNREACHABLE,
    message="The connection to the daemon was lost.",
    message_ko="데몬과의 연결이 끊어졌습니다.",
    hint="Try again; `aimark status` says whether the daemon runs.",
    hint_ko="다시 시도해 주세요. `aimark status`로 데몬이 실행 중인지 볼 수 있습니다.",
)
DAEMON_SLOW = fault_kind(
    "daemon_slow",
    exit_code=Exit.UNREACHABLE,
    message="The daemon did not answer within {seconds} seconds.",
    message_ko="데몬이 {seconds}초 안에 응답하지 않았습니다.",
    hint="Wait a moment and try again; `aimark status` says what it is doing.",
    hint_ko="잠시 뒤 다시 시도해 주세요. `aimark status`로 무엇을 하고 있는지 볼 수 있습니다.",
)
DAEMON_START_FAILED = fault_kind(
    "daemon_start_failed",
    exit_code=Exit.UNREACHABLE,
    message="The daemon could not be started.",
    message_ko="데몬을 시작하지 못했습니다.",
    hint="Its last words are below; the whole log is {log}.",
    hint_ko="마지막 기록은 아래에 있고, 전체 기록은 {log}에 있습니다.",
)
ALREADY_RUNNING = fault_kind(
    "already_running",
    exit_code=Exit.OK,
    message="The daemon is running already.",
    message_ko="데몬이 이미 실행 중입니다.",
    hint="`aimark open` shows its page, `aimark stop` ends it.",
    hint_ko="`aimark open`으로 페이지를 열고 `aimark stop`으로 끝낼 수 있습니다.",
)
HELLO_FIRST = fault_kind(
    "hello_first",
    exit_code=Exit.USAGE,
    message="The first message has to be `hello`.",
    message_ko="첫 메시지는 `hello`여야 합니다.",
    hint="Send `hello` with the protocol version, then everything else.",
    hint_ko="프로토콜 버전을 담은 `hello`를 먼저 보내 주세요.",
)
TOO_MANY_REQUESTS = fault_kind(
    "too_many_requests",
    exit_code=Exit.USAGE,
    message="Too many requests are unanswered.",
    message_ko="아직 처리되지 않은 요청이 너무 많습니다.",
    hint="Wait for answers, then ask again.",
    hint_ko="응답을 기다린 뒤 다시 요청해 주세요.",
)
MESSAGE_TOO_BIG = fault_kind(
    "message_too_big",
    exit_code=Exit.USAGE,
    message="The message is larger than the daemon accepts (1 MiB).",
    message_ko="메시지가 데몬이 받는 크기(1 MiB)보다 큽니다.",
    hint="Send less at once.",
    hint_ko="한 번에 더 적게 보내 주세요.",
)
