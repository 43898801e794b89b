"""Faults of sound files."""

from aimark_daemon.errors import Exit, fault_kind

FILE_MISSING = fault_kind(
    "file_missing",
    exit_code=Exit.USAGE,
    message="There is no file {path}.",
    message_ko="{path} 파일이 없습니다.",
    hint="Check the name and the folder.",
    hint_ko="이름과 폴더를 확인해 주세요.",
)
FILE_UNREADABLE = fault_kind(
    "file_unreadable",
    exit_code=Exit.USAGE,
    message="The file {path} cannot be read.",
    message_ko="{path} 파일을 읽을 수 없습니다.",
    hint="Check that it is a file, not a folder, and that you may read it.",
    hint_ko="폴더가 아닌 파일인지, 읽을 권한이 있는지 확인해 주세요.",
)
FILE_UNWRITABLE = fault_kind(
    "file_unwritable",
    exit_code=Exit.USAGE,
    message="The file {path} cannot be written.",
    message_ko="{path} 파일을 쓸 수 없습니다.",
    hint="Check that the folder exists, that you may write there, and that the disk is not full.",
    hint_ko="폴더가 있는지, 쓸 권한이 있는지, 디스크가 가득 차지 않았는지 확인해 주세요.",
)
WAV_INVALID = fault_kind(
    "wav_invalid",
    exit_code=Exit.USAGE,
    message="{path} is not a WAV file.",
    message_ko="{path} 파일은 WAV 파일이 아닙니다.",
    hint="Give a WAV file. Other formats can be converted: ffmpeg -i INPUT -ar 16000 -ac 1 OUTPUT.wav",
    hint_ko="WAV 파일을 넣어 주세요. 다른 형식은 이렇게 변환할 수 있습니다: ffmpeg -i INPUT -ar 16000 -ac 1 OUTPUT.wav",
)
WAV_UNSUPPORTED = fault_kind(
    "wav_unsupported",
    exit_code=Exit.USAGE,
    message="The WAV file {path} has an encoding that is not supported.",
    message_ko="WAV 파일 {path}의 인코딩은 지원하지 않습니다.",
    hint="Convert it to PCM: ffmpeg -i INPUT -c:a pcm_s16le -ar 16000 -ac 1 OUTPUT.wav",
    hint_ko="PCM으로 변환해 주세요: ffmpeg -i INPUT -c:a pcm_s16le -ar 16000 -ac 1 OUTPUT.wav",
)
WAV_EMPTY = fault_kind(
    "wav_empty",
    exit_code=Exit.USAGE,
    message="The WAV file {path} holds no sound.",
    message_ko="WAV 파일 {path}에 소리가 들어 있지 않습니다.",
    hint="Record it again.",
    hint_ko="다시 녹음해 주세요.",
)
WAV_TOO_LONG = fault_kind(
    "wav_too_long",
    exit_code=Exit.USAGE,
    message="The WAV file {path} lasts {minutes} minutes; one utterance may last {limit}.",
    message_ko="WAV 파일 {path}의 길이는 {minutes}분입니다. 한 번의 발화는 {limit}분까지 가능합니다.",
    hint="Cut it into shorter files, one question each.",
    hint_ko="질문 하나씩 짧은 파일로 나누어 주세요.",
)
