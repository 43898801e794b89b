"""Faults of the command line."""

from aimark_daemon.errors import Exit, fault_kind

USAGE = fault_kind(
    "usage",
    exit_code=Exit.USAGE,
    message="The command line is not understood: {problem}.",
    message_ko="명령을 이해하지 못했습니다: {problem}.",
    hint="`{command} --help` shows what is possible.",
    hint_ko="`{command} --help`로 사용법을 볼 수 있습니다.",
)
TEXT_NOT_UTF8 = fault_kind(
    "text_not_utf8",
    exit_code=Exit.USAGE,
    message="The text is not valid UTF-8.",
    message_ko="텍스트가 올바른 UTF-8이 아닙니다.",
    hint="Save or send the text as UTF-8; `iconv -f EUC-KR -t UTF-8` converts old Korean files.",
    hint_ko="텍스트를 UTF-8로 저장해 주세요. 옛 한글 파일은 `iconv -f EUC-KR -t UTF-8`로 바꿀 수 있습니다.",
)
CANCELLED = fault_kind(
    "cancelled",
    exit_code=Exit.CANCELLED,
    message="Cancelled.",
    message_ko="취소했습니다.",
    hint="Nothing that was stored is lost. Run the command again when you like.",
    hint_ko="저장된 내용은 그대로 있습니다. 원할 때 다시 실행해 주세요.",
)
DAEMON_NOT_RUNNING = fault_kind(
    "daemon_not_running",
    exit_code=Exit.UNREACHABLE,
    message="No daemon is running.",
    message_ko="실행 중인 데몬이 없습니다.",
    hint="Start it with `aimark`.",
    hint_ko="`aimark`로 시작해 주세요.",
)
DAEMON_WILL_NOT_STOP = fault_kind(
    "daemon_will_not_stop",
    exit_code=Exit.UNREACHABLE,
    message="The daemon (process {pid}) did not stop.",
    message_ko="데몬(프로세스 {pid})이 멈추지 않았습니다.",
    hint="End process {pid} with the system's task manager; nothing that was stored is lost.",
    hint_ko="시스템의 작업 관리자에서 프로세스 {pid}을(를) 끝내 주세요. 저장된 내용은 그대로 있습니다.",
)
SESSION_AMBIGUOUS = fault_kind(
    "session_ambiguous",
    exit_code=Exit.USAGE,
    message="{count} conversations begin with {prefix}.",
    message_ko="{prefix}(으)로 시작하는 대화가 {count}개 있습니다.",
    hint="Give more of the id: `aimark sessions list` shows them.",
    hint_ko="ID를 더 길게 적어 주세요. `aimark sessions list`로 볼 수 있습니다.",
)
OUT_FOR_ONE = fault_kind(
    "out_for_one",
    exit_code=Exit.USAGE,
    message="{count} files were given, but --out names one file.",
    message_ko="파일이 {count}개인데 --out이 파일 하나를 가리킵니다.",
    hint="Name a folder: --out FOLDER/",
    hint_ko="폴더를 지정해 주세요: --out 폴더/",
)
BENCH_DAEMON_BUSY = fault_kind(
    "bench_daemon_busy",
    exit_code=Exit.USAGE,
    message="The daemon is at work, so nothing can be measured: {engines}.",
    message_ko="데몬이 작업 중이어서 측정할 수 없습니다: {engines}.",
    hint="Wait until it is done, or stop it with `aimark stop`, and measure again.",
    hint_ko="작업이 끝날 때까지 기다리거나 `aimark stop`으로 끝낸 뒤 다시 측정해 주세요.",
)
BENCH_PEER_FAILED = fault_kind(
    "bench_peer_failed",
    exit_code=Exit.USAGE,
    message="The program to compare with does not work: {command}.",
    message_ko="비교할 프로그램이 동작하지 않습니다: {command}.",
    hint="Name a Python that has llama.cpp's server with --peers, and the script that runs it with --peer-script.",
    hint_ko="llama.cpp 서버가 설치된 Python을 --peers로, 실행할 스크립트를 --peer-script로 지정해 주세요.",
)
BENCH_OUT_UNWRITABLE = fault_kind(
    "bench_out_unwritable",
    exit_code=Exit.USAGE,
    message="The report cannot be written to {file}.",
    message_ko="{file}에 보고서를 쓸 수 없습니다.",
    hint="Name another file with --html.",
    hint_ko="--html로 다른 파일을 지정해 주세요.",
)
NO_LANGUAGE_MODEL = fault_kind(
    "no_language_model",
    exit_code=Exit.USAGE,
    message="{model} is a model for {job}; a plan is made for models that think.",
    message_ko="{model} 모델은 {job}에 쓰는 모델입니다. 배치 계획은 생각하는 모델에만 세웁니다.",
    hint="`aimark models list` shows which models do what.",
    hint_ko="`aimark models list`에서 모델마다 하는 일을 볼 수 있습니다.",
)
