"""The built page: its files in memory, by the only names that exist, and the headers that fence it in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' blob: data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "worker-src 'self' blob:; "
    "frame-ancestors 'none'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "require-trusted-types-for 'script'; "
    "trusted-types aimark dompurify"
)
"""Nothing but our own files: no inline script, no other host, so that an answer's image cannot carry words out."""

SECURITY_HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), display-capture=()"),
)
"""Sent with every answer, refusals included."""

NO_STORE: Final = "no-store"
IMMUTABLE: Final = "private, max-age=31536000, immutable"
"""For assets: their names hold a hash of their content."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
}
_MAX_PAGE_BYTES: Final = 32 * 1024 * 1024

_MISSING = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>AI MARK</title>
<h1>AI MARK</h1>
<p>The daemon runs, but its page has not been built. Build it with <code>uv sync</code>, then reload.</p>
<p lang="ko">데몬은 실행 중이지만 페이지가 아직 빌드되지 않았습니다.
<code>uv sync</code>로 빌드한 뒤 새로 고쳐 주세요.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the page, as it is sent."""

    content_type: str
    cache: str
    body: bytes


class Page:
    """The files of a built page in `folder`: `index.html` and `assets/`. A new build is noticed at the next load."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version: int | None = None
        self._files: dict[str, File] = {}
        self._refresh()

    def file(self, path: str) -> File | None:
        """The file at an URL path, or nothing."""
        if path == "/":
            self._refresh()
            return self._files.get("/", File(_TYPES[".html"], NO_STORE, _MISSING.encode()))
        return self._files.get(path)

    def _refresh(self) -> None:
        """Read the folder again if it was built anew. A name that is not found now is never looked up on disk."""
        index = self._folder / "index.html"
        try:
            version = index.stat().st_mtime_ns
            if version == self._version:
                return
            files = {"/": File(_TYPES[".html"], NO_STORE, index.read_bytes())}
            room = _MAX_PAGE_BYTES
            for path in sorted((self._folder / "assets").glob("*")):
                kind = _TYPES.get(path.suffix)
                if kind is None or path.is_symlink() or not path.is_file() or path.stat().st_size > room:
                    continue
                body = path.read_bytes()
                room -= len(body)
                files[f"/assets/{path.name}"] = File(kind, IMMUTABLE, body)
        except OSError:
            # Absent, or a build is just replacing it.
            self._version, self._files = None, {}
        else:
            self._version, self._files = version, files
