"""/coffee: a plugin that comes as an installed package."""

from typing import Literal

import msgspec

from aimark_daemon import Context, Text, command, hookimpl

AIMARK_API = 1


class Settings(msgspec.Struct):
    """What `plugins.settings.coffee` may have."""

    sugar: int = 0


@command("coffee", names={"ko": ["커피"]}, help={"en": "Make coffee", "ko": "커피를 만듭니다"})
async def coffee(ctx: Context, *, size: Literal["small", "large"] = "small"):
    """Make one."""
    yield ctx.text(
        Text(en=f"A {size} coffee, sugar {ctx.settings.sugar}.", ko=f"커피 {size}, 설탕 {ctx.settings.sugar}.")
    )


@hookimpl
def aimark_register_commands():
    """The commands of this plugin."""
    return [coffee]
