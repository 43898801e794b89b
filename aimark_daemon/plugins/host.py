"""The plugin host: finds plugins, loads and unloads them one by one, and takes out those that fail too often."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import pluggy

from aimark_daemon.config.types import PluginsConfig
from aimark_daemon.errors import AimarkError, Fault
from aimark_daemon.plugins import life_faults as faults
from aimark_daemon.plugins import loading, sources
from aimark_daemon.plugins.calls import HookCalls
from aimark_daemon.plugins.entries import Entry, Places, PluginState
from aimark_daemon.plugins.hookspecs import PROJECT, Hooks
from aimark_daemon.plugins.manifest import Manifest, in_order
from aimark_daemon.plugins.registry import Registry
from aimark_daemon.plugins.sources import Found
from aimark_daemon.plugins.strikes import Strikes
from aimark_daemon.plugins.tasks import PluginTasks
from aimark_daemon.plugins.threads import in_thread
from aimark_daemon.protocol.messages import PluginInfo

log = logging.getLogger("aimark.plugins")

DISCOVERY_S: Final = 10.0
STARTUP_S: Final = 10.0
SHUTDOWN_S: Final = 5.0
Stamp = tuple[int, int, int]
TASKS_S: Final = 1.0


class PluginHost:
    """Loaded plugins. Belongs to the event loop.

    `tell` is called with what people should know, `changed` when plugins or commands are others than before.
    """

    def __init__(
        self,
        places: Places | None = None,
        config: PluginsConfig | None = None,
        *,
        tell: Callable[[Fault], None] = lambda fault: None,  # noqa: ARG005 - the default
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.places = places or Places()
        self._config = config or PluginsConfig()
        self._tell = tell
        self._changed = changed
        self._clock = clock
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._entries: list[Entry] = []
        self._strikes = Strikes()
        self._turn = asyncio.Lock()
        """Loading and unloading happen one at a time."""
        self._ending: set[asyncio.Task[None]] = set()
        self.folder_fault: Fault | None = None
        """Why the user's folder cannot be read."""
        self._owners: dict[str, str | None] = {}
        self._last: dict[str, Fault] = {}
        """The last failure of each plugin."""
        self.registry = Registry(clock)
        self.tasks = PluginTasks()
        self.calls = HookCalls(self._manager, self.tasks, self._is_active, self.struck)

    @property
    def entries(self) -> Sequence[Entry]:
        """Every plugin that was found, loaded or not, in the order of loading."""
        return tuple(self._entries)

    def infos(self) -> tuple[PluginInfo, ...]:
        """Every plugin as people see it, by name."""
        return tuple(sorted((entry.info() for entry in self._entries), key=lambda info: info.name))

    def faults(self) -> tuple[Fault, ...]:
        """Why plugins that should work do not, now."""
        off = (entry.fault for entry in self._entries if entry.state in (PluginState.FAILED, PluginState.QUARANTINED))
        return tuple(fault for fault in (self.folder_fault, *off) if fault is not None)

    def owner(self, file: str) -> str | None:
        """The plugin to which a source file belongs."""
        if file not in self._owners:
            roots = ((entry.found.root, entry.found.name) for entry in self._entries if entry.plugin is not None)
            self._owners[file] = next((name for root, name in roots if root and file.startswith(root)), None)
        return self._owners[file]

    async def load(self) -> None:
        """Find and load all plugins; what fails is kept with its reason, and the others go on."""
        self.tasks.install(asyncio.get_running_loop())
        async with self._turn:
            for found in await self._discover():
                self._entries.append(Entry(found))
            await self._load(self._entries)
        self._changed()

    async def stop(self) -> None:
        """Unload all plugins, the last one first."""
        async with self._turn:
            for entry in reversed(self._entries):
                await self._unload(entry)
        self.tasks.uninstall(asyncio.get_running_loop())

    async def rescan(self) -> bool:
        """Take up what was added, edited or removed in the user's folder; whether there was anything."""
        folder = self.places.folder
        if folder is None:
            return False
        async with self._turn:
            known = {entry.found.place: entry for entry in self._entries if entry.found.source == "folder"}
            looked_at = await self._in_folder(folder)
            there = {found.place: found for found in looked_at}
            stamps = {found.place: stamp for found, stamp in looked_at.items()}
            gone = [entry for place, entry in known.items() if place not in there]
            edited = [entry for place, entry in known.items() if place in there and stamps[place] != entry.stamp]
            added = [Entry(found) for place, found in there.items() if place not in known]
            for entry in (*gone, *edited):
                await self._unload(entry)
            for entry in gone:
                self._entries.remove(entry)
            for entry in edited:
                self._strikes.forget(entry.found.name)
            self._entries += added
            again = [*edited, *added]
            if gone:  # a name or a command may be free now
                again += [entry for entry in self._entries if entry.state == PluginState.FAILED and entry not in again]
            await self._load(again)
        if gone or again:
            self._changed()
        return bool(gone or again)

    async def configure(self, config: PluginsConfig) -> None:
        """Bring other settings into force: plugins are enabled, disabled, or loaded again with their new settings."""
        async with self._turn:
            before, self._config = self._config, config
            again = []
            for entry in self._entries:
                name = entry.found.name
                if (name in before.disabled) != (name in config.disabled) or before.settings.get(
                    name
                ) != config.settings.get(name):
                    await self._unload(entry)
                    again.append(entry)
            await self._load(again)
        self._changed()

    async def release(self, name: str) -> None:
        """Try a plugin that failed or was quarantined again."""
        async with self._turn:
            self._strikes.forget(name)
            again = [
                entry
                for entry in self._entries
                if entry.found.name == name and entry.state in (PluginState.FAILED, PluginState.QUARANTINED)
            ]
            await self._load(again)
        self._changed()

    def known(self, name: str) -> None:
        """Check that there is such a plugin.

        Raises:
            AimarkError: `plugin_unknown`.
        """
        if not any(entry.found.name == name for entry in self._entries):
            raise faults.PLUGIN_UNKNOWN(name=name)

    def struck(self, name: str, part: str, error: BaseException) -> None:
        """A plugin failed in `part`, a hook or a command. Too often, and it is quarantined."""
        if isinstance(error, AimarkError):
            fault = error.fault
        else:
            problem = "it took too long" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            fault = faults.PLUGIN_HOOK_FAILED.fault(name=name, hook=part, problem=problem)
        log.warning("%s %s", fault.message.en, fault.detail, exc_info=error)
        self._last[name] = fault
        entry = next((one for one in self._entries if one.found.name == name and one.plugin is not None), None)
        if entry is None or not self._strikes.add(name, self._clock()) or entry.state != PluginState.ACTIVE:
            return
        entry.state = PluginState.QUARANTINED
        entry.fault = faults.PLUGIN_QUARANTINED.fault(
            fault.detail, name=name, problem=fault.message.en, problem_ko=fault.message.ko
        )
        self._tell(entry.fault)
        task = asyncio.get_running_loop().create_task(self._take_out(entry))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def blocked(self, name: str, place: str, seconds: float) -> None:
        """A plugin held the event loop up; told, and counted as a failure."""
        error = faults.PLUGIN_BLOCKED(name=name, place=place, seconds=round(seconds, 2))
        self._tell(error.fault)
        self.struck(name, "the event loop", error)

    # Life of plugins; called with `_turn` held

    async def _discover(self) -> list[Found]:
        places = self.places
        found: list[Found] = []
        if places.bundled is not None:
            found += await self._in_folder(places.bundled, "bundled")
        if places.installed:
            found += await in_thread(sources.installed, DISCOVERY_S)
        if places.folder is not None:
            found += await self._in_folder(places.folder)
        return found

    async def _in_folder(self, folder: Path, source: sources.Source = "folder") -> dict[Found, Stamp]:
        """The plugins of a folder with what differs when they are edited; none if it cannot be read, which is told."""
        try:
            found = await in_thread(
                lambda: {one: _stamp(one) for one in sources.in_folder(folder, source)}, DISCOVERY_S
            )
        except OSError as error:
            before, self.folder_fault = (
                self.folder_fault,
                faults.PLUGIN_FOLDER_UNREADABLE.fault(str(error), folder=folder),
            )
            if self.folder_fault != before:
                self._tell(self.folder_fault)
            return {}
        if source == "folder":
            self.folder_fault = None
        return found

    async def _load(self, entries: Iterable[Entry]) -> None:
        """Load what may be loaded, each after what it needs."""
        entries = list(entries)
        wanted = [entry for entry in entries if self._may_load(entry)]
        manifests = await in_thread(lambda: _look(entries, wanted), DISCOVERY_S)
        sound = {}
        for entry, manifest in zip(wanted, manifests, strict=True):
            if isinstance(manifest, Fault):
                self._fail(entry, manifest)
            else:
                sound[entry.found.name] = (entry, manifest)
        order, circle = in_order({name: manifest.needs for name, (_, manifest) in sound.items()})
        for name in circle:
            self._fail(sound[name][0], faults.PLUGIN_NEEDS_CIRCLE.fault(names=", ".join(circle)))
        for name in order:
            await self._load_one(*sound[name])

    def _may_load(self, entry: Entry) -> bool:
        name, only = entry.found.name, self.places.only
        entry.fault = None
        if name in self._config.disabled or (only is not None and name not in only):
            entry.state = PluginState.DISABLED
            return False
        for other in self._entries:
            if other is entry:
                return True
            if other.found.name == name:
                fault = faults.PLUGIN_NAME_TAKEN.fault(name=name, path=entry.found.place, other=other.found.place)
                self._fail(entry, fault)
                return False
        return True

    async def _load_one(self, entry: Entry, manifest: Manifest) -> None:
        found = entry.found
        try:
            for other in manifest.needs:
                if not self._is_active(other):
                    raise faults.PLUGIN_NEEDS(name=found.name, other=other)
            imported = await loading.import_plugin(found)
            entry.plugin, entry.prefix = imported.plugin, imported.prefix
            self._owners.clear()
            entry.settings = loading.settings_of(found, entry.plugin, self._config.settings.get(found.name, {}))
            loading.register(found, self._manager, entry.plugin)
            commands = await loading.commands_of(found, self._manager, entry.plugin)
            entry.commands = self.registry.add(found.name, commands)
            entry.permissions = tuple(sorted({one for command in commands for one in command.permissions}))
            entry.state = PluginState.ACTIVE
            if not await self.calls.each("aimark_startup", STARTUP_S, only=found.name, settings=entry.settings):
                raise AimarkError(self._last[found.name])
        except AimarkError as error:
            await self._unload(entry, politely=False)
            self._fail(entry, error.fault)

    async def _unload(self, entry: Entry, *, politely: bool = True) -> None:
        """Take a plugin out; what it started ends with it."""
        name, plugin = entry.found.name, entry.plugin
        if plugin is None:
            return
        if politely and entry.state == PluginState.ACTIVE:
            await self.calls.each("aimark_shutdown", SHUTDOWN_S, only=name)
        entry.state, entry.commands = PluginState.DISABLED, ()
        self.registry.remove(name)
        if self._manager.is_registered(plugin):
            self._manager.unregister(plugin)
        if left := await self.tasks.end(name, TASKS_S):
            log.warning("plugin %s left %d tasks behind that will not end", name, left)
        sources.purge(entry.prefix)
        entry.plugin, entry.prefix, entry.settings = None, "", None
        self._owners.clear()

    async def _take_out(self, entry: Entry) -> None:
        async with self._turn:
            fault = entry.fault
            await self._unload(entry, politely=False)
            entry.state, entry.fault = PluginState.QUARANTINED, fault
        self._changed()

    def _fail(self, entry: Entry, fault: Fault) -> None:
        entry.state, entry.fault = PluginState.FAILED, fault
        log.warning("%s %s", fault.message.en, fault.detail)
        self._tell(fault)

    def _is_active(self, name: str) -> bool:
        return any(entry.found.name == name and entry.state == PluginState.ACTIVE for entry in self._entries)


def _look(entries: Iterable[Entry], wanted: Iterable[Entry]) -> list[Manifest | Fault]:
    """What each wanted plugin says of itself, if it can work here; remembers what was looked at. Blocks."""
    for entry in entries:
        entry.stamp = _stamp(entry.found)
    read = [(entry.found, loading.read(entry.found)) for entry in wanted]
    return [one if isinstance(one, Fault) else loading.check(found, one) or one for found, one in read]


def _stamp(found: Found) -> Stamp:
    try:
        return found.stamp()
    except OSError:
        return (0, 0, 0)
