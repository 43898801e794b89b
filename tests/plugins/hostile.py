"""Hostile plugins: each breaks in a way of its own. All are loaded beside a good one."""

BRINGS = """
@hookimpl
def aimark_register_commands():
    return [test]
"""
HOSTILE = {
    "import_error": "import a_module_that_is_not_there",
    "syntax_error": "def broken(:\n    한글",
    "exits": "import sys\nsys.exit(3)",
    "wrong_signature": """
        from aimark_daemon import hookimpl
        @hookimpl
        async def aimark_transform_input(text, language, mood):
            return text
        """,
    "bad_settings": """
        import msgspec
        class Settings(msgspec.Struct):
            days: int = 1
        """,
    "help": "raise RuntimeError('there is another help')",
    "other_interface": "AIMARK_API = 2\nraise RuntimeError('imported')",
    "exits_later": """
        import asyncio, sys
        from aimark_daemon import hookimpl
        async def leave():
            sys.exit(4)
        @hookimpl
        async def aimark_startup():
            asyncio.create_task(leave())
        """,
    "leaks": """
        import asyncio
        from aimark_daemon import hookimpl
        @hookimpl
        async def aimark_startup():
            while True:
                asyncio.create_task(asyncio.sleep(1e6))
        """,
    "floods": """
        from aimark_daemon import command, hookimpl
        @command("flood", help={"en": "Flood", "ko": "쏟아붓습니다"})
        async def flood(ctx):
            for number in range(1_000_000):
                yield ctx.text(str(number))
        @hookimpl
        def aimark_register_commands():
            return [flood]
        """,
    "raises": """
        from aimark_daemon import hookimpl
        @hookimpl
        async def aimark_transform_input(text):
            raise MemoryError(text)
        @hookimpl
        def aimark_transform_speech(text):
            return 7
        @hookimpl
        async def aimark_build_context():
            return ["no block"]
        """,
    "never_returns": """
        import asyncio
        from aimark_daemon import hookimpl
        @hookimpl
        async def aimark_build_context():
            while True:
                try:
                    await asyncio.sleep(1e6)
                except asyncio.CancelledError:
                    continue
        """,
    "sleeps": """
        import time
        from aimark_daemon import hookimpl
        @hookimpl
        async def aimark_on_event(event):
            if type(event).__name__ == "TurnStarted":
                time.sleep(0.6)
        """,
    "loops": """
        from aimark_daemon import hookimpl
        @hookimpl
        async def aimark_transform_input(text):
            while "고리" in text:
                pass
        """,
    "zz_loops_at_import": "while True:\n    pass",
}
UNREADABLE = "unreadable"
AT_LOADING = {
    "import_error": "plugin_import_failed",
    "syntax_error": "plugin_source_invalid",
    "exits": "plugin_import_failed",
    "wrong_signature": "plugin_hooks_invalid",
    "bad_settings": "plugin_settings_invalid",
    "help": "plugin_name_taken",
    "other_interface": "plugin_api_other",
    "leaks": "plugin_hook_failed",
    "unreadable": "plugin_unreadable",
    "zz_loops_at_import": "plugin_too_slow",
}
"""Those that fail when they are loaded, with the code that says why."""
