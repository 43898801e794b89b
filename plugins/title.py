"""/title: renames the session that asks, and only that one."""

from aimark_daemon import Context, Text, command, hookimpl


@command("title", names={"ko": ["제목"]}, help={"en": "Rename this conversation", "ko": "이 대화의 제목을 바꿉니다"})
async def rename(ctx: Context, title: str):
    """Give this session the title that follows the command."""
    await ctx.rename_session(title)
    yield ctx.text(
        Text(en=f"This conversation is now called “{title}”.", ko=f"이 대화의 제목을 “{title}”(으)로 바꿨습니다.")
    )


@hookimpl
def aimark_register_commands():
    """The commands of this plugin."""
    return [rename]
