"""Faults of workers: how a child process, or a call on its way to it, can fail."""

from aimark_daemon.errors import Exit, fault_kind

OUT_OF_MEMORY = fault_kind(
    "worker_out_of_memory",
    message="The {name} engine ran out of memory.",
    message_ko="{name} 엔진을 실행할 메모리가 부족합니다.",
    hint="Close other programs that use memory, or choose a smaller model with `aimark models list`.",
    hint_ko="메모리를 많이 쓰는 다른 프로그램을 닫거나 `aimark models list`에서 더 작은 모델을 골라 주세요.",
)
CANNOT_RUN_HERE = fault_kind(
    "worker_cannot_run_here",
    message="The {name} engine cannot run on this computer.",
    message_ko="이 컴퓨터에서는 {name} 엔진을 실행할 수 없습니다.",
    hint="Run `aimark doctor`: it names the missing library or the build that fits this processor.",
    hint_ko="`aimark doctor`를 실행해 주세요. 빠진 라이브러리나 이 프로세서에 맞는 빌드를 알려 드립니다.",
)
MODEL_MISSING = fault_kind(
    "worker_model_missing",
    message="The {name} engine did not find its model.",
    message_ko="{name} 엔진이 모델 파일을 찾지 못했습니다.",
    hint="See what is installed with `aimark models list` and fetch the model with `aimark models pull`.",
    hint_ko="`aimark models list`로 설치된 모델을 확인하고 `aimark models pull`로 내려받아 주세요.",
)
CRASHED = fault_kind(
    "worker_crashed",
    message="The {name} engine crashed.",
    message_ko="{name} 엔진이 비정상 종료되었습니다.",
    hint="Try again in a moment. If it keeps crashing, run `aimark doctor`.",
    hint_ko="잠시 후 다시 시도해 주세요. 계속 반복되면 `aimark doctor`를 실행해 주세요.",
)
KILLED = fault_kind(
    "worker_killed",
    message="The {name} engine was ended from outside, perhaps because the computer ran out of memory.",
    message_ko="{name} 엔진이 외부에서 강제 종료되었습니다. 컴퓨터의 메모리가 부족했을 수 있습니다.",
    hint="Try again in a moment. If it happens again, close other programs or choose a smaller model.",
    hint_ko="잠시 후 다시 시도해 주세요. 또 생기면 다른 프로그램을 닫거나 더 작은 모델을 골라 주세요.",
)
HUNG = fault_kind(
    "worker_hung",
    message="The {name} engine stopped responding.",
    message_ko="{name} 엔진이 응답하지 않아 강제로 종료했습니다.",
    hint="Try again in a moment. A shorter text or a smaller model may help.",
    hint_ko="잠시 후 다시 시도해 주세요. 더 짧은 글이나 더 작은 모델을 쓰면 나아질 수 있습니다.",
)
START_TIMEOUT = fault_kind(
    "worker_start_timeout",
    message="The {name} engine did not start in time.",
    message_ko="{name} 엔진이 제시간에 시작되지 않았습니다.",
    hint="The computer may be busy. Try again, or choose a smaller model.",
    hint_ko="컴퓨터가 바쁠 수 있습니다. 다시 시도하거나 더 작은 모델을 골라 주세요.",
)
SPAWN_FAILED = fault_kind(
    "worker_spawn_failed",
    message="The process of the {name} engine could not be created.",
    message_ko="{name} 엔진의 프로세스를 만들지 못했습니다.",
    hint="The system may be short of memory or processes. Close other programs and try again.",
    hint_ko="시스템의 메모리나 프로세스 수가 부족할 수 있습니다. 다른 프로그램을 닫고 다시 시도해 주세요.",
)
STOPPED = fault_kind(
    "worker_stopped",
    message="The {name} engine is stopped.",
    message_ko="{name} 엔진이 멈춰 있습니다.",
    hint="Wait until it runs again, or start it with `aimark run`.",
    hint_ko="다시 실행될 때까지 기다리거나 `aimark run`으로 시작해 주세요.",
)
ABSENT = fault_kind(
    "worker_absent",
    message="No model is chosen for the {name} engine.",
    message_ko="{name} 엔진에 쓸 모델이 정해지지 않았습니다.",
    hint="Choose one with `aimark models use`.",
    hint_ko="`aimark models use`로 모델을 골라 주세요.",
)
QUEUE_FULL = fault_kind(
    "worker_queue_full",
    message="Too many requests are waiting for the {name} engine.",
    message_ko="{name} 엔진을 기다리는 요청이 너무 많습니다.",
    hint="Wait until earlier requests are finished.",
    hint_ko="앞선 요청이 끝날 때까지 기다려 주세요.",
)
CALL_CANCELLED = fault_kind(
    "worker_call_cancelled",
    exit_code=Exit.CANCELLED,
    message="The request was cancelled before it began.",
    message_ko="요청이 시작되기 전에 취소되었습니다.",
    hint="Send it again if you still want it.",
    hint_ko="필요하면 다시 보내 주세요.",
)
PROTOCOL = fault_kind(
    "worker_protocol",
    message="An engine and the daemon did not understand each other.",
    message_ko="엔진과 데몬이 서로의 메시지를 이해하지 못했습니다.",
    hint="Restart the assistant; after an update, install all of its parts again.",
    hint_ko="어시스턴트를 다시 시작해 주세요. 업데이트한 뒤라면 모든 구성 요소를 다시 설치해 주세요.",
)
TOO_LARGE = fault_kind(
    "worker_message_too_large",
    message="The request or its answer is too large for the engine.",
    message_ko="엔진이 주고받기에는 요청이나 답의 크기가 너무 큽니다.",
    hint="Ask for less at a time.",
    hint_ko="한 번에 더 적은 양을 요청해 주세요.",
)
BAD_SETTINGS = fault_kind(
    "worker_bad_settings",
    message="The settings of the {name} engine cannot be handed to it.",
    message_ko="{name} 엔진의 설정을 엔진에 전달할 수 없습니다.",
    hint="Use only text, numbers, lists and tables in its settings; the detail names what is wrong.",
    hint_ko="설정에는 글자, 숫자, 목록, 표만 써 주세요. 무엇이 잘못되었는지는 아래에 있습니다.",
    exit_code=Exit.CONFIG,
)
METHOD_UNKNOWN = fault_kind(
    "worker_method_unknown",
    message="The engine has no method {method}.",
    message_ko="엔진에 {method} 기능이 없습니다.",
    hint="Choose an engine that can do this.",
    hint_ko="이 기능을 지원하는 엔진을 골라 주세요.",
)
