"""The built page in Chromium, in front of the real server with a scripted daemon behind it."""

import asyncio
import contextlib
import math
import shutil
import struct
import time
import wave

from playwright.async_api import async_playwright

from aimark_daemon.protocol import messages as m
from aimark_daemon.protocol.audio import AudioFrame, FrameKind
from tests.server.harness import STATUS, open_door

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TONE_HZ = 500
RATE = 16_000
REPLY = "대한민국의 수도는 **서울**입니다. 🙂\n\n<img src=x onerror=alert(1)>\n\n- 한강\n- 남산"
SPEECH_RATE = 22_050


def tone(rate: int, seconds: float) -> bytes:
    """A sine tone, mono, 16 bits."""
    count = round(rate * seconds)
    samples = (round(12_000 * math.sin(2 * math.pi * TONE_HZ * index / rate)) for index in range(count))
    return struct.pack(f"<{count}h", *samples)


def write_tone(path) -> None:
    """Two seconds of tone as a WAV, for the browser's fake microphone."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(tone(48_000, 2.0))


class Script:
    """A daemon that answers from memory. Answers wait for `go_on` after their first half when `pause` is set."""

    def __init__(self) -> None:
        self.requests: list[m.ClientMessage] = []
        self.frames: list[AudioFrame] = []
        self.sessions: dict[str, m.SessionInfo] = {}
        self.messages: dict[str, list[m.MessageInfo]] = {}
        self.client = None
        self.turn = 0
        self.reply = REPLY
        self.history: m.TelemetryHistory | None = None
        self.pause = False
        self.go_on = asyncio.Event()
        self.answering: asyncio.Task | None = None
        self.listening: m.Listen | None = None

    def asked(self, kind):
        """The requests of one kind, as they came."""
        return [request for request in self.requests if isinstance(request, kind)]

    async def request(self, client, message) -> None:
        self.requests.append(message)
        self.client = client
        match message:
            case m.Hello():
                client.send(m.Welcome(id=message.id, version=m.PROTOCOL_VERSION, daemon="0", status=STATUS))
            case m.ListSessions():
                client.send(m.SessionsReply(id=message.id, sessions=tuple(self.sessions.values())))
            case m.ListCommands():
                image = m.CommandInfo("image", {"ko": ["이미지"]}, {"ko": "그림을 그립니다"}, needs_content=True)
                client.send(m.CommandsReply(id=message.id, commands=(image,)))
            case m.ShowSession(session=name):
                stored = tuple(self.messages[name])
                client.send(m.SessionReply(id=message.id, session=self.sessions[name], messages=stored))
            case m.RenameSession(session=name, title=title):
                self.sessions[name] = m.SessionInfo(name, title, "2026", "2026")
                client.send(m.SessionReply(id=message.id, session=self.sessions[name]))
            case m.Submit(text=text):
                self.begin(message.id, text, speak=message.speak)
            case m.Listen():
                self.listening = message
                client.send(m.Listening(id=message.id))
            case m.EndListen():
                client.send(m.Ok(id=message.id))
                self.begin(self.listening.id, "한국의 수도는?", speak=True, heard=True)
            case m.Cancel(turn=turn):
                self.answering.cancel()
                client.send(m.Cancelled(turn=turn, session="s", reply=self.reply[:10]))
                client.send(m.Ok(id=message.id))
            case _:
                self.acknowledge(client, message)

    def acknowledge(self, client, message) -> None:
        """Agree to anything else; who subscribes gets the history."""
        client.send(m.Ok(id=message.id))
        if isinstance(message, m.Subscribe) and self.history is not None:
            client.send(self.history)

    async def audio(self, client, frame) -> None:
        self.frames.append(frame)

    def begin(self, request: int, text: str, *, speak: bool, heard: bool = False) -> None:
        """Begin a turn of session "s"."""
        self.turn += 1
        self.sessions.setdefault("s", m.SessionInfo("s", text, "2026", "2026"))
        self.client.send(m.TurnStarted(turn=self.turn, session="s", id=request, text=text))
        if heard:
            self.client.send(m.Heard(turn=self.turn, text=text, language="ko"))
        self.client.send(m.SessionChanged(session=self.sessions["s"]))
        self.answering = asyncio.create_task(self.answer(self.turn, text, speak=speak))

    async def answer(self, turn: int, text: str, *, speak: bool) -> None:
        """Stream the reply, spoken if asked."""
        reply = self.reply
        half = len(reply) // 2
        stored = self.messages.setdefault("s", [])
        stored.append(m.MessageInfo(len(stored), "user", text, "2026", turn))
        for at in range(0, half, 3):
            self.client.send(m.Delta(turn=turn, at=at, text=reply[at : min(at + 3, half)]))
        if self.pause:
            stored.append(m.MessageInfo(len(stored), "assistant", reply[:half], "2026", turn, "streaming"))
            await self.go_on.wait()
            stored.pop()
        self.client.send(m.Delta(turn=turn, at=half, text=reply[half:]))
        if speak:
            self.client.send(m.SpeechStarted(turn=turn, sample_rate=SPEECH_RATE))
            pcm = tone(SPEECH_RATE, 0.1)
            for sequence in range(8):
                self.client.send_audio(AudioFrame(FrameKind.SPEECH, turn, sequence, pcm))
            self.client.send(m.SpeechEnded(turn=turn, samples=8 * len(pcm) // 2))
        stored.append(m.MessageInfo(len(stored), "assistant", reply, "2026", turn))
        timings = m.Timings(first_token_s=0.25, end_s=1.5)
        done = m.Done(
            turn=turn, session="s", finish="stop", reply=reply, tokens=20, tokens_per_s=31.25, timings=timings
        )
        self.client.send(done)


async def launch(playwright, microphone, *more):
    """Chromium that talks to nobody else; its fake microphone plays the WAV over and over. `more` are its options."""
    return await playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={microphone}",
            *more,
        ],
    )


@contextlib.asynccontextmanager
async def open_page(tmp_path, built, *, language="ko-KR", script=None, **looks):
    """The page, logged in with a single-use code, its script, and all that its console complained about."""
    script = script or Script()
    write_tone(tmp_path / "microphone.wav")
    async with open_door(tmp_path, clock=time.monotonic, page=built) as door, async_playwright() as playwright:
        door.dispatcher.on_request = script.request
        door.dispatcher.audio = script.audio
        browser = await launch(playwright, tmp_path / "microphone.wav")
        context = await browser.new_context(locale=language, permissions=["microphone"], **looks)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(f"http://127.0.0.1:{door.port}/#code={door.auth.new_code()}")
        await page.wait_for_selector(".banner", state="detached")
        try:
            yield page, script, complaints
        finally:
            await browser.close()
