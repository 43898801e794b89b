"""/help: lists the commands, in the person's language."""

from aimark_daemon import Context, command, hookimpl


@command("help", names={"ko": ["도움말", "도움"]}, help={"en": "Show all commands", "ko": "모든 명령을 보여 줍니다"})
async def show_help(ctx: Context):
    """List every command with its help line."""
    for info in ctx.commands():
        name = (info.names.get(ctx.language) or [info.name])[0]
        yield ctx.text(f"/{name} - {info.help.get(ctx.language) or info.help.get('en', '')}\n")


@hookimpl
def aimark_register_commands():
    """The commands of this plugin."""
    return [show_help]
