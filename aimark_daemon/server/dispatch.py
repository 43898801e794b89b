"""Dispatch: what each client message asks for, answered from the assistant, the store and the daemon's controls."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import msgspec

from aimark_daemon import __version__
from aimark_daemon.assistant import Assistant, Listener
from aimark_daemon.assistant.faults import LISTEN_CANCELLED, LISTEN_UNKNOWN
from aimark_daemon.errors import AimarkError, Fault, as_fault
from aimark_daemon.protocol import messages as m
from aimark_daemon.protocol.audio import AudioFrame
from aimark_daemon.server.base import ClientHandle
from aimark_daemon.server.uploads import Uploads
from aimark_daemon.store import AsyncStore


class Controls(Protocol):
    """What only the daemon as a whole can do."""

    async def status(self) -> m.Status:
        """The daemon at a glance."""

    async def models(self) -> tuple[m.ModelInfo, ...]:
        """The catalogue with what is installed and used."""

    async def pull_model(self, model: str, progress: Callable[[int, int], None]) -> None:
        """Download a model; `progress(done, total)` in bytes, in the event loop."""

    async def use_model(self, model: str) -> None:
        """Choose an installed model and load it."""

    async def remove_model(self, model: str) -> None:
        """Delete an installed model."""

    async def config(self) -> m.ConfigReply:
        """The configuration in force (its `id` is filled by the caller)."""

    async def set_config(self, key: str, value: object) -> tuple[str, ...]:
        """Change a value; returns the keys that take effect at the next start."""

    def plugins(self) -> m.PluginsReply:
        """The plugins and their states (its `id` is filled by the caller)."""

    async def set_plugin(self, plugin: str, *, enabled: bool) -> None:
        """Enable or disable a plugin."""

    async def set_game(self, on: bool) -> float:
        """Turn game mode on or off; returns after how many seconds the card was free."""

    def look(self) -> m.TelemetryHistory:
        """A client begins to look at the telemetry: the history until now. Samples follow."""

    def page_address(self) -> str:
        """The page's address with a fresh log-in code."""

    def log_out(self) -> None:
        """Replace the access token; connections end once what is queued for them was sent."""

    def shutdown(self) -> None:
        """Stop the daemon soon."""


class Dispatch:
    """Answers requests; one instance for all clients. `standing` gives what everyone who comes should know."""

    def __init__(
        self, assistant: Assistant, store: AsyncStore, controls: Controls, standing: Callable[[], Sequence[Fault]]
    ) -> None:
        self._assistant = assistant
        self._store = store
        self._controls = controls
        self._standing = standing
        self._listens: dict[tuple[ClientHandle, int], m.Listen] = {}
        self._coming: Counter[tuple[ClientHandle, int]] = Counter()
        """Streams that are not open yet: a `listen` may have to wait."""
        self._early: set[tuple[ClientHandle, int]] = set()
        """Those of them that were cancelled: a cancel waits for nothing."""
        self._uploads = Uploads()
        self._clients: set[ClientHandle] = set()
        self.greeted = 0
        """How many clients have said hello so far."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def clients(self) -> frozenset[ClientHandle]:
        """Everyone who is connected and has said hello."""
        return frozenset(self._clients)

    def publish(self, topic: m.Topic, event: m.Event, besides: Listener | None = None) -> None:
        """Send an event to all who subscribed to `topic`, except `besides`, who has it already."""
        for client in self._clients:
            if client is not besides and topic in client.topics:
                client.send(event)

    async def connected(self, client: ClientHandle) -> None:
        """A client said hello."""
        self._clients.add(client)
        self.greeted += 1

    async def disconnected(self, client: ClientHandle) -> None:
        """A client left."""
        self._clients.discard(client)
        self._uploads.forget(client)
        self._assistant.forget(client)
        for key in [key for key in self._listens if key[0] is client]:
            del self._listens[key]
        for key in [key for key in self._coming if key[0] is client]:
            del self._coming[key]
            self._early.discard(key)

    def coming(self, client: ClientHandle, stream: int) -> None:
        """A `listen` was read, and waits for its turn."""
        self._coming[client, stream] += 1

    async def audio(self, client: ClientHandle, frame: AudioFrame) -> None:
        """A microphone frame. A stream that fails is refused once; its later frames are dropped quietly."""
        if (client, frame.stream) not in self._listens:
            return
        try:
            await self._assistant.hear(client, frame)
        except AimarkError as error:
            self._listens.pop((client, frame.stream), None)
            client.send(m.Refused(id=frame.stream, fault=error.fault))

    async def request(self, client: ClientHandle, message: m.ClientMessage) -> None:
        """Answer one request.

        Raises:
            AimarkError: the request is refused; the server tells the client.
        """
        answer = await self._answer(client, message)
        if answer is not None:
            client.send(answer)

    async def _answer(self, client: ClientHandle, message: m.ClientMessage) -> m.Event | None:
        match message:
            case m.Hello():
                return await self._hello(message)
            case m.Submit():
                await self._assistant.submit(
                    message.text,
                    session=message.session,
                    speak=message.speak,
                    listener=client,
                    request=message.id,
                    replaces=message.replaces,
                )
                return None
            case m.Listen():
                return await self._listen(client, message)
            case m.EndListen():
                self._end_listen(client, message)
                return None
            case m.Cancel():
                if message.turn is not None:
                    self._assistant.cancel(message.turn)
                if message.listen is not None:
                    self._stop_listening(client, message.listen)
                return m.Ok(id=message.id)
            case m.AnswerQuestion():
                self._assistant.questions.answer(
                    message.turn, message.question, accept=message.accept, text=message.text
                )
                return m.Ok(id=message.id)
            case m.Subscribe():
                self._tell_standing(client, message.topics)
                client.send(m.Ok(id=message.id))
                return self._controls.look() if "telemetry" in message.topics else None
            case m.ListCommands():
                return m.CommandsReply(id=message.id, commands=tuple(self._assistant.commands()))
            case _:
                return await self._answer_about(client, message)

    def _tell_standing(self, client: ClientHandle, topics: Collection[m.Topic]) -> None:
        """What a client that comes now should know of what came before."""
        for question in self._assistant.questions.open if "turns" in topics else ():
            client.send(question)
        for fault in self._standing() if "notices" in topics else ():
            client.send(m.Notice(level="warning", fault=fault))

    async def _hello(self, message: m.Hello) -> m.Event:
        status = await self._controls.status()
        return m.Welcome(id=message.id, version=m.PROTOCOL_VERSION, daemon=__version__, status=status)

    async def _listen(self, client: ClientHandle, message: m.Listen) -> m.Event:
        key = client, message.id
        try:
            await self._assistant.listen(
                client,
                message.id,
                language=message.language,
                session=message.session,
                hands_free=message.mode == "hands_free",
                speak=message.speak,
                echo_cancelled=message.echo_cancelled,
            )
        finally:
            self._coming[key] -= 1
            if self._coming[key] <= 0:
                del self._coming[key]
            cancelled = key in self._early
            self._early.discard(key)
        if cancelled:
            self._assistant.stop_listening(client, message.id)
            raise LISTEN_CANCELLED()
        self._listens[key] = message
        return m.Listening(id=message.id)

    def _stop_listening(self, client: ClientHandle, stream: int) -> None:
        key = client, stream
        known = self._listens.pop(key, None)
        if not self._assistant.stop_listening(client, stream) and known is None and key in self._coming:
            self._early.add(key)

    def _end_listen(self, client: ClientHandle, message: m.EndListen) -> None:
        """Transcribe in a task of its own: what else the client sends is not held up."""
        listen = self._listens.pop((client, message.listen), None)
        if listen is None:
            raise LISTEN_UNKNOWN(listen=message.listen)
        task = asyncio.create_task(self._begin_spoken_turn(client, message, listen), name=f"hear {message.listen}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _begin_spoken_turn(self, client: ClientHandle, message: m.EndListen, listen: m.Listen) -> None:
        client.send(m.Ok(id=message.id))
        try:
            await self._assistant.end_listening(client, listen.id, session=listen.session, speak=listen.speak)
        except Exception as error:  # noqa: BLE001 - the client waits for a turn and must hear why there is none
            client.send(m.Refused(id=listen.id, fault=as_fault(error)))

    async def _answer_about(self, client: ClientHandle, message: m.ClientMessage) -> m.Event | None:
        """Requests about sessions, models, configuration and the daemon itself."""
        store, number = self._store, message.id
        match message:
            case m.ListSessions():
                sessions = await store.list_sessions(message.limit, message.offset)
                return m.SessionsReply(id=number, sessions=tuple(sessions))
            case m.CreateSession():
                return self._changed(number, await store.create_session(message.title))
            case m.ShowSession():
                session = await store.get_session(message.session)
                stored = await store.messages(session.id)
                return m.SessionReply(id=number, session=session, messages=tuple(map(self._live, stored)))
            case m.RenameSession() | m.PinSession() | m.BranchSession() | m.DeleteSession() | m.RestoreSession():
                return self._changed(number, await self._change(message))
            case m.ReadAloud():
                return m.Reading(
                    id=number, turn=await self._assistant.read_aloud(client, message.session, message.message)
                )
            case m.SearchSessions():
                return m.SearchReply(id=number, hits=tuple(await store.search(message.query, message.limit)))
            case m.ExportSessions():
                text = await store.export(message.sessions, message.format)
                return m.ExportReply(id=number, format=message.format, text=text)
            case m.ImportSessions(more=True):
                self._uploads.add(client, message.text)
                return m.Ok(id=number)
            case m.ImportSessions():
                imported = await store.import_text(self._uploads.whole(client, message.text))
                self.publish("sessions", m.SessionsImported(count=len(imported)), client)
                return m.SessionsReply(id=number, sessions=tuple(imported))
            case _:
                return await self._control(client, message)

    async def _change(
        self, message: m.RenameSession | m.PinSession | m.BranchSession | m.DeleteSession | m.RestoreSession
    ) -> m.SessionInfo:
        store, session = self._store, message.session
        match message:
            case m.RenameSession():
                return await store.rename_session(session, message.title)
            case m.PinSession():
                return await store.pin_session(session, pinned=message.pinned)
            case m.BranchSession():
                return await store.branch_session(session, message.before)
            case m.DeleteSession():
                return await store.delete_session(session)
            case m.RestoreSession():
                return await store.restore_session(session)

    async def _control(self, client: ClientHandle, message: m.ClientMessage) -> m.Event | None:
        controls, number = self._controls, message.id
        match message:
            case m.GetStatus():
                return m.StatusReply(id=number, status=await controls.status())
            case m.ListModels():
                return m.ModelsReply(id=number, models=await controls.models())
            case m.PullModel():

                def progress(done: int, total: int) -> None:
                    client.send(m.PullProgress(id=number, model=message.model, done=done, total=total))

                await controls.pull_model(message.model, progress)
            case m.UseModel():
                await controls.use_model(message.model)
            case m.RemoveModel():
                await controls.remove_model(message.model)
            case m.ListPlugins():
                return msgspec.structs.replace(controls.plugins(), id=number)
            case m.SetPlugin():
                await controls.set_plugin(message.plugin, enabled=message.enabled)
                return msgspec.structs.replace(controls.plugins(), id=number)
            case m.GetConfig():
                reply = await controls.config()
                return m.ConfigReply(id=number, values=reply.values, schema=reply.schema, restart=reply.restart)
            case m.SetConfig():
                restart = await controls.set_config(message.key, message.value)
                reply = await controls.config()
                return m.ConfigReply(id=number, values=reply.values, restart=restart)
            case m.Typing() | m.Played():
                self._note(client, message)
            case m.SetGame():
                return m.GameReply(id=number, on=message.on, took_s=await controls.set_game(message.on))
            case m.OpenPage():
                return m.PageReply(id=number, url=controls.page_address())
            case m.LogOut():
                controls.log_out()
            case m.Shutdown():
                controls.shutdown()
        return m.Ok(id=number)

    def _note(self, client: ClientHandle, message: m.Typing | m.Played) -> None:
        """Take notice of what happens at the client."""
        match message:
            case m.Typing():
                self._assistant.wake()
            case m.Played():
                self._assistant.played(client, message.turn, message.ms)

    def _live(self, message: m.MessageInfo) -> m.MessageInfo:
        """A stored message with all of its text: an answer that is being written is further than its checkpoint."""
        if message.state != "streaming" or message.turn is None:
            return message
        reply = self._assistant.reply_so_far(message.turn)
        return message if reply is None else msgspec.structs.replace(message, content=reply)

    def _changed(self, number: int, session: m.SessionInfo) -> m.Event:
        self.publish("sessions", m.SessionChanged(session=session))
        return m.SessionReply(id=number, session=session)
