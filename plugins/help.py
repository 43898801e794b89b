"""/help: lists the commands, or says all about one, in the person's language."""

from aimark_daemon import Context, Text, command, hookimpl

_PERMISSIONS = Text("uses", "사용")
_CONFIRMS = Text("asks first", "먼저 물어봄")
_UNKNOWN = Text("There is no such command.\n", "그런 명령은 없습니다.\n")


@command(
    "help",
    names={"ko": ["도움말", "도움"]},
    help={"en": "Show all commands, or one", "ko": "모든 명령, 또는 하나를 보여 줍니다"},
)
async def show_help(ctx: Context, name: str = ""):
    """List every command with its help line, or one with what may be typed after it."""
    wanted = name.strip().lstrip("/／").casefold()
    found = False
    for info in ctx.commands():
        spellings = {info.name, *(spelling for names in info.names.values() for spelling in names)}
        if wanted and wanted not in {spelling.casefold() for spelling in spellings}:
            continue
        found = True
        shown = (info.names.get(ctx.language) or [info.name])[0]
        about = info.help.get(ctx.language) or info.help.get("en", "")
        traits = [_CONFIRMS.in_language(ctx.language)] if info.confirms else []
        if info.permissions:
            traits.append(f"{_PERMISSIONS.in_language(ctx.language)}: {', '.join(info.permissions)}")
        behind = f" ({'; '.join(traits)})" if traits else ""
        yield ctx.text(f"/{shown} - {about}{behind}\n")
        for parameter in info.parameters if wanted else ():
            said = parameter.help.get(ctx.language) or parameter.help.get("en", "")
            may_be = ", ".join(parameter.choices) or parameter.kind
            yield ctx.text(f"  {parameter.flag or parameter.name}: {may_be} {said}".rstrip() + "\n")
    if not found:
        yield ctx.text(_UNKNOWN)


@hookimpl
def aimark_register_commands():
    """The commands of this plugin."""
    return [show_help]
