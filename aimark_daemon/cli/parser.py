"""Parser: every command with its arguments and help, in English and Korean. Commands are imported when they run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from aimark_daemon import __version__
from aimark_daemon.cli.faults import TEXT_NOT_UTF8, USAGE
from aimark_daemon.cli.korean import KoreanHelp, complaint
from aimark_daemon.errors import Text

COMMANDS = (
    *("run", "ask", "say", "sessions", "models", "plugins", "status", "game"),
    *("stop", "open", "logout", "doctor", "demo", "bench"),
)


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are faults."""

    def __init__(self, *, korean: bool = False, **options: Any) -> None:
        formatter = KoreanHelp if korean else argparse.HelpFormatter
        super().__init__(allow_abbrev=False, add_help=False, formatter_class=formatter, **options)
        help_ = "이 도움말을 표시" if korean else "show this help"
        self.add_argument("-h", "--help", action="help", help=help_)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            AimarkError: `usage`.
        """
        raise USAGE(problem=Text(message, complaint(message)), command=self.prog)


def build_parser(language: str = "en") -> Parser:
    """The parser; its help is in `language`."""
    return _Builder(language).build()


class _Builder:
    """Builds the parser with help in one language."""

    def __init__(self, language: str) -> None:
        self._korean = language == "ko"

    def build(self) -> Parser:
        """The whole parser."""
        top = Parser(
            prog="aimark",
            korean=self._korean,
            description=self._text(
                "A local voice assistant. Without a command the daemon is run.",
                "내 컴퓨터에서 동작하는 음성 어시스턴트입니다. 명령이 없으면 데몬을 실행합니다.",
            ),
        )
        help_ = self._text("show the version", "버전을 표시")
        top.add_argument("--version", action="version", version=f"aimark {__version__}", help=help_)
        self._debug_option(top)
        commands = top.add_subparsers(dest="command", metavar="COMMAND")
        self._run(commands)
        self._talk(commands)
        self._sessions(commands)
        self._models(commands)
        self._plugins(commands)
        self._small(commands)
        self._bench(commands)
        return top

    def _text(self, en: str, ko: str) -> str:
        return ko if self._korean else en

    def _command(self, parent: Any, name: str, en: str, ko: str, *, json: bool = True) -> Parser:
        parser: Parser = parent.add_parser(
            name, korean=self._korean, help=self._text(en, ko), description=self._text(en, ko)
        )
        parser.set_defaults(json=False)
        if json:
            help_ = self._text("print one JSON object a line", "한 줄에 JSON 객체 하나로 출력")
            parser.add_argument("--json", action="store_true", help=help_)
        self._debug_option(parser)
        return parser

    def _debug_option(self, parser: Parser) -> None:
        help_ = self._text("show where an error arose", "오류가 생긴 곳을 표시")
        parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=help_)

    def _session_option(self, parser: Parser) -> None:
        help_ = self._text(
            "go on with this conversation (a unique beginning of its id will do)",
            "이어 갈 대화(하나로 정해지면 ID의 앞부분만 적어도 됨)",
        )
        parser.add_argument("--session", type=utf8, metavar="ID", help=help_)

    def _run(self, commands: Any) -> None:
        text = self._text
        run = self._command(commands, "run", "run the daemon until Ctrl-C", "데몬 실행(끝내려면 Ctrl-C)", json=False)
        run.add_argument(
            "--no-browser", action="store_true", help=text("do not open the page", "브라우저에서 페이지를 열지 않음")
        )
        run.add_argument(
            "--no-desktop",
            action="store_true",
            help=text("no tray, hotkey and local sound", "트레이, 단축키, 로컬 음성 없이 실행"),
        )
        run.add_argument(
            "--port",
            type=_port,
            metavar="N",
            help=text(
                "TCP port instead of the configured one; 0 takes any", "설정 대신 쓸 TCP 포트. 0은 비어 있는 포트"
            ),
        )
        run.add_argument(
            "--safe-mode",
            action="store_true",
            help=text("only the plugins that come with the program", "기본 제공 플러그인만 불러옴"),
        )
        run.add_argument("--detached", choices=("call", "stay"), help=argparse.SUPPRESS)

    def _talk(self, commands: Any) -> None:
        text = self._text
        ask = self._command(commands, "ask", "ask something and read the answer", "묻고 답을 글로 받기")
        ask.add_argument(
            "text", metavar="TEXT", help=text("the question; - reads stdin", "질문. -는 표준 입력에서 읽음")
        )
        self._session_option(ask)
        say = self._command(
            commands, "say", "speak recordings to the assistant in real time", "녹음 파일을 실시간으로 들려주기"
        )
        say.add_argument("files", nargs="+", metavar="FILE.wav", help=text("recordings, in turn", "차례로 들려줄 녹음"))
        self._session_option(say)
        say.add_argument(
            "--out",
            metavar="FILE|DIR",
            help=text(
                "write the spoken answers: FILE.wav for one recording, a folder for any number",
                "말한 답을 저장할 곳: 녹음이 하나면 FILE.wav, 아니면 폴더",
            ),
        )
        say.add_argument(
            "--hands-free",
            action="store_true",
            help=text(
                "let the assistant decide where each utterance ends",
                "말이 끝난 때를 AI MARK가 스스로 판단하게 하기",
            ),
        )
        demo = self._command(
            commands, "demo", "hold a spoken exchange without microphone", "마이크 없이 음성 대화 시연"
        )
        demo.add_argument(
            "--out", metavar="FILE", default="aimark-demo.wav", help=text("where the answer goes", "답을 저장할 곳")
        )

    def _sessions(self, commands: Any) -> None:
        text = self._text
        sessions = self._command(
            commands,
            "sessions",
            "list, show, change and move conversations",
            "대화 목록, 보기, 바꾸기, 내보내기와 가져오기",
            json=False,
        )
        about = sessions.add_subparsers(dest="action", metavar="ACTION", required=True)
        self._command(about, "list", "list conversations, newest first", "대화 목록(최근 순)")
        show = self._command(about, "show", "show a conversation", "대화 보기")
        rename = self._command(about, "rename", "give one conversation another title", "대화 하나의 제목 바꾸기")
        delete = self._command(
            about, "delete", "delete a conversation; `restore` undoes it", "대화 삭제. `restore`로 되살릴 수 있음"
        )
        restore = self._command(about, "restore", "bring a deleted conversation back", "삭제한 대화 되살리기")
        for one in (show, rename, delete, restore):
            one.add_argument("id", type=utf8, metavar="ID")
        rename.add_argument("title", type=utf8, metavar="TITLE")
        search = self._command(about, "search", "find words in titles and messages", "제목과 내용에서 낱말 찾기")
        search.add_argument("words", nargs="+", type=utf8, metavar="WORDS")
        export = self._command(
            about,
            "export",
            "write conversations as JSON or Markdown",
            "대화를 JSON이나 Markdown으로 내보내기",
            json=False,
        )
        export.add_argument("ids", nargs="*", type=utf8, metavar="ID", help=text("all without one", "없으면 모두"))
        export.add_argument(
            "--format",
            choices=("json", "markdown"),
            default="json",
            help=text("json unless told", "기본은 json"),
        )
        export.add_argument("--out", metavar="FILE", help=text("instead of stdout", "표준 출력 대신 쓸 파일"))
        import_ = self._command(about, "import", "add conversations from a file", "파일에서 대화 가져오기")
        import_.add_argument(
            "file", metavar="FILE", help=text("an export; - reads stdin", "내보낸 파일. -는 표준 입력")
        )

    def _models(self, commands: Any) -> None:
        models = self._command(
            commands, "models", "list, install, choose and remove models", "모델 목록, 설치, 선택, 삭제", json=False
        )
        about = models.add_subparsers(dest="action", metavar="ACTION", required=True)
        self._command(about, "list", "list models and what is installed", "모델 목록과 설치 여부")
        for name, en, ko in (
            ("pull", "download a model", "모델 내려받기"),
            (
                "use",
                "choose an installed model and load it; `auto` chooses all",
                "설치된 모델을 골라 쓰기. `auto`는 모두 자동 선택",
            ),
            ("rm", "delete an installed model", "설치된 모델 지우기"),
        ):
            self._command(about, name, en, ko).add_argument("id", type=utf8, metavar="ID")
        fit = self._command(
            about, "fit", "show how a model would be laid out in memory", "모델이 메모리에 어떻게 놓일지 보기"
        )
        fit.add_argument(
            "model", type=utf8, metavar="MODEL", help=self._text("an id or a .gguf file", "ID나 .gguf 파일")
        )
        fit.add_argument(
            "--vram",
            type=utf8,
            metavar="SIZE",
            help=self._text(
                "for a machine with an empty graphics card of this size, as 6GB",
                "이 크기의 빈 그래픽 카드가 있다고 가정(예: 6GB)",
            ),
        )

    def _plugins(self, commands: Any) -> None:
        plugins = self._command(commands, "plugins", "plugins", "플러그인", json=False)
        about = plugins.add_subparsers(dest="action", metavar="ACTION", required=True)
        self._command(about, "list", "list plugins and whether they work", "플러그인과 상태 나열")
        self._command(about, "folder", "print the folder of your plugins", "내 플러그인 폴더 출력")
        enable = self._command(about, "enable", "turn a plugin on, or try it again", "플러그인 켜기 또는 다시 시도")
        disable = self._command(about, "disable", "turn a plugin off", "플러그인 끄기")
        for one in (enable, disable):
            one.add_argument("name", type=utf8, metavar="NAME")

    def _small(self, commands: Any) -> None:
        self._command(commands, "status", "what the daemon is doing", "데몬의 상태")
        game = self._command(
            commands,
            "game",
            "keep the graphics card free for a game",
            "게임을 위해 그래픽 카드를 비워 두기",
            json=False,
        )
        about = game.add_subparsers(dest="action", metavar="ACTION", required=True)
        self._command(about, "on", "free the card; answers come from the CPU", "카드를 비우고 CPU에서 답하기")
        self._command(about, "off", "use the card again", "카드를 다시 쓰기")
        self._command(about, "status", "whether game mode is on", "게임 모드가 켜져 있는지 보기")
        self._command(commands, "stop", "stop the daemon", "데몬 끝내기")
        page = self._command(commands, "open", "open the page in the browser", "브라우저에서 페이지 열기")
        page.add_argument("--no-browser", action="store_true", help=self._text("only print the address", "주소만 출력"))
        self._command(
            commands,
            "logout",
            "shut out every browser and program: a new access token",
            "모든 브라우저와 프로그램 로그아웃",
        )
        self._command(commands, "doctor", "check this computer and the installation", "컴퓨터와 설치 상태 점검")

    def _bench(self, commands: Any) -> None:
        text = self._text
        bench = self._command(commands, "bench", "measure this machine", "이 컴퓨터의 성능 측정", json=False)
        about = bench.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
        llm = self._command(about, "llm", "how fast the language model is", "언어 모델의 속도 측정")
        llm.add_argument(
            "--model", type=utf8, metavar="ID", help=text("instead of the configured one", "설정 대신 쓸 모델")
        )
        llm.add_argument(
            "--html", metavar="FILE", help=text("also write a report with charts", "차트 보고서를 쓸 파일")
        )
        llm.add_argument(
            "--rounds", type=_count, default=3, metavar="N", help=text("rounds; 3 unless told", "반복 횟수. 기본은 3")
        )
        llm.add_argument(
            "--tokens",
            type=_count,
            default=64,
            metavar="N",
            help=text("tokens of an answer; 64 unless told", "답변의 토큰 수. 기본은 64"),
        )
        llm.add_argument(
            "--session-tokens",
            type=_count,
            default=1500,
            metavar="N",
            help=text("tokens of a session; 1500 unless told", "대화의 토큰 수. 기본은 1500"),
        )
        llm.add_argument(
            "--peers",
            metavar="PYTHON",
            help=text(
                "compare with a bare loop and llama.cpp's server, which this Python has",
                "기본 루프, 그리고 이 Python에 설치된 llama.cpp 서버와 비교",
            ),
        )
        llm.add_argument(
            "--peer-script",
            metavar="FILE",
            help=text("the script that runs the server", "서버를 실행하는 스크립트"),
        )


def with_command(argv: Sequence[str]) -> list[str]:
    """The arguments with `run` put in where no command is named."""
    leading = 0
    while leading < len(argv) and argv[leading] == "--debug":
        leading += 1
    rest = argv[leading:]
    if not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help", "--version")):
        return [*argv[:leading], "run", *rest]
    return list(argv)


def utf8(text: str | bytes) -> str:
    """The text as it came from the terminal or a pipe.

    Raises:
        AimarkError: `text_not_utf8`.
    """
    try:
        # Bytes of an argument that are not UTF-8 come as lone surrogates.
        return text.decode() if isinstance(text, bytes) else text.encode().decode()
    except UnicodeError as error:
        raise TEXT_NOT_UTF8(detail=str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:  # noqa: PLR2004 - nobody waits for more
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 10000")
    return int(text)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65_535:  # noqa: PLR2004 - the largest TCP port
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return port
