"""The build hook: a wheel, editable or not, comes with the built page; no system Node is needed."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "aimark_daemon/server/page"
INCLUDED = {
    "config.json": "aimark_daemon/config.default.json",
    "docs/reference/config.schema.json": "aimark_daemon/config.schema.json",
    "plugins": "aimark_daemon/bundled_plugins",
}
"""What a wheel holds besides the package. An editable install finds these in the repository itself."""


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds `web_client` into `aimark_daemon/server/page` before the wheel is packed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling; `version` is "standard" or "editable"."""
        root = Path(self.root)
        script = root / "web_client" / "build.py"
        spec = importlib.util.spec_from_file_location("aimark_page_build", script)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(script)
        page = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(page)
        if not os.environ.get("AIMARK_NO_PAGE") and page.build():
            self.app.display_info("Built the page.")
        if version != "editable":
            included = INCLUDED | ({PAGE: PAGE} if (root / PAGE).is_dir() else {})
            build_data["force_include"].update({str(root / source): target for source, target in included.items()})
