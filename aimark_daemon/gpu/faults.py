"""Faults of the graphics cards: why the driver tells less than it could, or nothing."""

from aimark_daemon.errors import Exit, fault_kind

GPU_DRIVER_MISSING = fault_kind(
    "gpu_driver_missing",
    exit_code=Exit.ENGINE,
    message="There is no NVIDIA driver here, so the graphics card is not watched.",
    message_ko="NVIDIA 드라이버가 없어 그래픽 카드의 상태를 볼 수 없습니다.",
    hint="Without an NVIDIA card this is as it should be. With one, install its driver.",
    hint_ko="NVIDIA 카드가 없다면 정상입니다. 카드가 있다면 드라이버를 설치해 주세요.",
)
GPU_DRIVER_NOT_LOADED = fault_kind(
    "gpu_driver_not_loaded",
    exit_code=Exit.ENGINE,
    message="The NVIDIA driver is installed but not running.",
    message_ko="NVIDIA 드라이버가 설치되어 있지만 동작하지 않습니다.",
    hint="If it was just updated or reset, wait; the daemon keeps trying. Otherwise restart the computer.",
    hint_ko="방금 업데이트나 초기화를 했으면 기다려 주세요. 계속 시도합니다. 아니면 컴퓨터를 다시 시작해 주세요.",
)
GPU_DRIVER_MISMATCH = fault_kind(
    "gpu_driver_mismatch",
    exit_code=Exit.ENGINE,
    message="The NVIDIA driver was updated while it ran; its two halves do not fit each other.",
    message_ko="NVIDIA 드라이버가 실행 중에 업데이트되어 두 부분의 버전이 서로 맞지 않습니다.",
    hint="Restart the computer.",
    hint_ko="컴퓨터를 다시 시작해 주세요.",
)
GPU_NOT_ALLOWED = fault_kind(
    "gpu_not_allowed",
    exit_code=Exit.ENGINE,
    message="This user may not ask the NVIDIA driver.",
    message_ko="이 사용자에게는 NVIDIA 드라이버에 접근할 권한이 없습니다.",
    hint="Give the user access to /dev/nvidia* (often the group video), or the container its device.",
    hint_ko="사용자에게 /dev/nvidia* 접근 권한(보통 video 그룹)을 주거나, 컨테이너에 장치를 연결해 주세요.",
)
GPU_NONE = fault_kind(
    "gpu_none",
    exit_code=Exit.ENGINE,
    message="The NVIDIA driver runs but sees no graphics card.",
    message_ko="NVIDIA 드라이버는 동작하지만 그래픽 카드를 찾지 못했습니다.",
    hint="Check that the card is plugged in and switched on, or that the container was given one.",
    hint_ko="카드가 제대로 꽂혀 켜져 있는지, 컨테이너에 카드를 연결했는지 확인해 주세요.",
)
GPU_LOST = fault_kind(
    "gpu_lost",
    exit_code=Exit.ENGINE,
    message="The graphics card {card} no longer answers the driver.",
    message_ko="그래픽 카드 {card}에서 드라이버로 응답이 오지 않습니다.",
    hint="The daemon keeps looking for it. If it stays away, restart the computer; check its power and its seat.",
    hint_ko="데몬이 계속 찾고 있습니다. 돌아오지 않으면 컴퓨터를 다시 시작하고 카드의 전원과 연결을 확인해 주세요.",
)
GPU_SLOW = fault_kind(
    "gpu_slow",
    exit_code=Exit.ENGINE,
    message="The NVIDIA driver does not answer in time.",
    message_ko="NVIDIA 드라이버가 제때 응답하지 않습니다.",
    hint="The assistant goes on without its figures and asks again. If it lasts, restart the computer.",
    hint_ko="어시스턴트는 수치 없이 계속 동작하며 다시 물어봅니다. 계속되면 컴퓨터를 다시 시작해 주세요.",
)
GPU_DIVIDED = fault_kind(
    "gpu_divided",
    exit_code=Exit.ENGINE,
    message="The graphics card {card} is divided (MIG, {parts} parts); the driver tells the memory of each part only.",
    message_ko="그래픽 카드 {card}이(가) 나뉘어 있어(MIG, {parts}개) 드라이버가 부분별 메모리만 알려 줍니다.",
    hint="Nothing is wrong: a model has to fit one part. `nvidia-smi -mig 0` makes it whole again.",
    hint_ko="문제는 아닙니다. 모델이 한 부분에 들어가야 합니다. `nvidia-smi -mig 0`으로 다시 합칠 수 있습니다.",
)
GPU_UNREADABLE = fault_kind(
    "gpu_unreadable",
    exit_code=Exit.ENGINE,
    message="The NVIDIA driver answers with an error.",
    message_ko="NVIDIA 드라이버가 오류를 돌려주고 있습니다.",
    hint="The daemon keeps trying. `nvidia-smi` may tell more; restarting the computer often helps.",
    hint_ko="데몬이 계속 시도합니다. `nvidia-smi`가 더 알려 줄 수 있고, 컴퓨터를 다시 시작하면 대개 해결됩니다.",
)
