"""Faults of hearing and speaking."""

from aimark_daemon.errors import Exit, fault_kind

HEARING_MODEL_MISSING = fault_kind(
    "hearing_model_missing",
    message="The speech recognition model is not at {path}.",
    message_ko="음성 인식 모델이 {path}에 없습니다.",
    hint="Install it: `aimark models pull whisper-base-int8`.",
    hint_ko="설치해 주세요: `aimark models pull whisper-base-int8`",
)
HEARING_MODEL_INVALID = fault_kind(
    "hearing_model_invalid",
    message="The speech recognition model at {path} cannot be loaded.",
    message_ko="{path}의 음성 인식 모델을 불러올 수 없습니다.",
    hint="Its files are damaged or of another kind. Remove the model with `aimark models rm` and pull it again.",
    hint_ko="파일이 손상되었거나 다른 종류입니다. `aimark models rm`으로 지우고 다시 받아 주세요.",
)
HEARING_OUT_OF_MEMORY = fault_kind(
    "hearing_out_of_memory",
    message="There is not enough memory for speech recognition.",
    message_ko="음성 인식에 쓸 메모리가 부족합니다.",
    hint="Close other programs, or choose a smaller speech model: `aimark models list`.",
    hint_ko="다른 프로그램을 닫거나 더 작은 음성 모델을 골라 주세요: `aimark models list`",
)
HEARING_FAILED = fault_kind(
    "hearing_failed",
    message="The recording could not be turned into text.",
    message_ko="녹음을 글로 옮기지 못했습니다.",
    hint="Say it again; if it fails again, restart with `aimark stop` and look at the log.",
    hint_ko="다시 말씀해 주세요. 또 실패하면 `aimark stop`으로 다시 시작하고 로그를 확인해 주세요.",
)
VOICE_MISSING = fault_kind(
    "voice_missing",
    message="The voice is not at {path}.",
    message_ko="음성이 {path}에 없습니다.",
    hint="A voice is an .onnx file with its .onnx.json beside it. Install one with `aimark models pull`.",
    hint_ko="음성은 .onnx 파일과 같은 이름의 .onnx.json 파일로 이루어집니다. `aimark models pull`로 설치해 주세요.",
)
VOICE_INVALID = fault_kind(
    "voice_invalid",
    message="The voice at {path} cannot be loaded.",
    message_ko="{path}의 음성을 불러올 수 없습니다.",
    hint="Its files are damaged or of another kind. Remove the voice with `aimark models rm` and pull it again.",
    hint_ko="파일이 손상되었거나 다른 종류입니다. `aimark models rm`으로 지우고 다시 받아 주세요.",
)
ESPEAK_MISSING = fault_kind(
    "espeak_missing",
    exit_code=Exit.ENGINE,
    message="The voice espeak is not installed on this computer.",
    message_ko="이 컴퓨터에 espeak 음성이 설치되어 있지 않습니다.",
    hint="Install the package espeakng-loader beside AI MARK, or choose another voice: `aimark models list`.",
    hint_ko="espeakng-loader 패키지를 AI MARK와 함께 설치하거나 다른 음성을 골라 주세요: `aimark models list`",
)
VOICE_CANNOT_SPEAK = fault_kind(
    "voice_cannot_speak",
    exit_code=Exit.ENGINE,
    message="The voice {voice} does not speak this language ({language}).",
    message_ko="{voice} 음성은 이 언어({language})를 말할 수 없습니다.",
    hint="The answer is shown as text. Choose a voice for this language: `aimark models list`.",
    hint_ko="대답은 글로 표시됩니다. 이 언어를 말하는 음성을 골라 주세요: `aimark models list`",
)
SPEAKING_FAILED = fault_kind(
    "speaking_failed",
    message="The sentence could not be spoken.",
    message_ko="문장을 소리로 내지 못했습니다.",
    hint="The answer is shown as text. If it fails again, choose another voice: `aimark models list`.",
    hint_ko="대답은 글로 표시됩니다. 또 실패하면 다른 음성을 골라 주세요: `aimark models list`",
)
