"""Hosts for tests: plugins written into a folder, loaded and unloaded again."""

import contextlib
import textwrap

from aimark_daemon import hookimpl
from aimark_daemon.config.types import PluginsConfig
from aimark_daemon.conversation.slash import parse_slash
from aimark_daemon.plugins.entries import Entry, Places, PluginState
from aimark_daemon.plugins.host import PluginHost
from aimark_daemon.plugins.loading import register
from aimark_daemon.plugins.service import Plugins
from aimark_daemon.plugins.sources import Found, bundled_folder

GOOD = """
from aimark_daemon import command, hookimpl

@command("hello", names={"ko": ["안녕"]}, help={"en": "Greet", "ko": "인사합니다"})
async def hello(ctx, name: str = "you"):
    yield ctx.text(f"hi {name}")

@hookimpl
def aimark_register_commands():
    return [hello]
"""


class Services:
    """A daemon that only remembers."""

    def __init__(self, host=None):
        self.renamed = []
        self.commands = host.registry.infos if host is not None else tuple

    async def rename_session(self, session, title):
        self.renamed.append((session, title))

    async def ask(self, turn, text, *, confirm, choices):
        return None


def write(folder, **sources):
    """Write each source as the plugin of its name."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source), encoding="utf-8")


@contextlib.asynccontextmanager
async def hosting(folder=None, *, bundled=False, installed=False, only=None, config=None, **settings):
    """The plugins of a folder at work. `told` on it are the faults that people were told."""
    places = Places(bundled_folder() if bundled else None, installed, folder, only)
    told = []
    host = PluginHost(places, config or PluginsConfig(), tell=told.append, **settings)
    plugins = Plugins(host)
    plugins.told = told
    await host.load()
    try:
        yield plugins
    finally:
        await host.stop()


def add(host, name, plugin, commands=()):
    """Put an object into a host as an active plugin, with commands."""
    found = Found(name, "bundled")
    register(found, host._manager, plugin)
    host._entries.append(Entry(found, PluginState.ACTIVE, plugin=plugin))
    host.registry.add(name, commands)


def with_commands(host, name, *commands):
    """Put commands into a host, as those of the plugin `name`."""
    add(host, name, type("Plugin", (), {"aimark_on_idle": hookimpl(lambda self: None)})(), commands)


async def run(plugins, text, services=None, language="en"):
    """What a typed line yields."""
    line = parse_slash(text)
    context = plugins.context(line, 1, "s1", language, services or Services(plugins.host))
    return [output async for output in plugins.run_command(line, context)]


async def said(plugins, text, services=None, language="en"):
    """What a typed line says, as one text."""
    return "".join(getattr(output, "text", "") for output in await run(plugins, text, services, language))


def states(plugins):
    """Each plugin's state by its name."""
    return {entry.found.name: str(entry.state) for entry in plugins.host.entries}


def why(plugins, name):
    """The code of a plugin's fault."""
    return next(e.fault.code for e in plugins.host.entries if e.found.name == name and e.fault is not None)
