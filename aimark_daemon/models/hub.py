"""The mirror that is the model hub: files by repository and pinned revision, resumed to the byte."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aimark_daemon.errors import AimarkError
from aimark_daemon.models.entries import Hub, ModelFile
from aimark_daemon.models.mirrors import Fetched, MirrorError, PartialFile, Watch

_CHUNK: Final = 1 << 18
_TRIES: Final = 4
_TIMEOUT_S: Final = 10.0
_LOCKED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class HubMirror:
    """Fetches files from the hub. It streams them itself so that cancelling, resuming and hashing are exact.

    The client library gives the address (its `HF_ENDPOINT` is honoured), the user's token and the HTTP session.
    """

    def __init__(
        self, source: Hub, *, endpoint: str | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._source = source
        self._endpoint = endpoint
        self._pause = pause

    @property
    def name(self) -> str:
        """The repository."""
        return f"model hub {self._source.repo}"

    def spare(self, files: Sequence[ModelFile]) -> int:  # noqa: ARG002 - part of the contract
        """Nothing lies beside the files."""
        return 0

    def fetch(self, files: Sequence[ModelFile], work: Path, watch: Watch) -> Iterator[Fetched]:
        """See `mirrors.Mirror.fetch`."""
        done = 0
        for file in files:
            published = "" if file.sha256 else self._published(file)
            with PartialFile(work / file.name) as partial:
                self._download(file, partial, watch, done)
                digest = partial.finish()
            done += file.bytes
            yield Fetched(file, partial.path, digest, published)

    def _download(self, file: ModelFile, partial: PartialFile, watch: Watch, done: int) -> None:
        """Append until the file is whole. Gives up after some tries in a row that brought nothing."""
        if partial.size > file.bytes:
            partial.truncate(0)
        watch.at(done + partial.size)
        failures, begun = 0, partial.size
        while partial.size < file.bytes:
            before = partial.size
            try:
                self._stream(file, partial, watch, done)
                reason = "the connection closed early"
            except (AimarkError, MirrorError):
                raise
            except Exception as error:  # the session's library and its errors vary by version
                if isinstance(error, OSError) and not isinstance(error, ConnectionError):
                    raise  # the disk's; being told to be offline is a ConnectionError
                reason = f"{type(error).__name__}: {error}"
                if _hopeless(error, connected=partial.size > begun):
                    raise MirrorError(reason) from error
            failures = 0 if partial.size > before else failures + 1
            if failures >= _TRIES:
                raise MirrorError(reason)
            if partial.size < file.bytes:
                watch.check()
                self._pause(min(2.0**failures, 8.0) / 4)

    def _stream(self, file: ModelFile, partial: PartialFile, watch: Watch, done: int) -> None:
        """One request for what is still missing."""
        from huggingface_hub import hf_hub_url  # noqa: PLC0415 - 0.3 s, needed only to download
        from huggingface_hub.utils import build_hf_headers, get_session  # noqa: PLC0415 - the same

        path = self._path(file)
        url = hf_hub_url(self._source.repo, path, revision=self._source.revision, endpoint=self._endpoint)
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if partial.size:
            headers["Range"] = f"bytes={partial.size}-"
        with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT_S) as reply:
            self._judge(reply, file)
            if reply.status_code != HTTPStatus.PARTIAL_CONTENT and partial.size:
                partial.truncate(0)
            if reply.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return
            for chunk in reply.iter_bytes(_CHUNK):
                if partial.size + len(chunk) > file.bytes:
                    partial.truncate(0)
                    raise MirrorError(f"{file.name} is longer than {file.bytes} bytes there")
                partial.write(chunk)
                watch.at(done + partial.size)

    def _judge(self, reply: Any, file: ModelFile) -> None:
        """Raise MirrorError for an answer that trying again will not better."""
        status = reply.status_code
        if status in _LOCKED:
            raise MirrorError(f"{self._source.repo} wants a log-in (`hf auth login`) and its licence accepted")
        if status == HTTPStatus.NOT_FOUND:
            raise MirrorError(f"{file.name} is not there")
        if status >= HTTPStatus.BAD_REQUEST and status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            reply.raise_for_status()

    def _published(self, file: ModelFile) -> str:
        """The digest that the hub publishes for the pinned revision, for an entry that has none."""
        from huggingface_hub import HfApi  # noqa: PLC0415 - 0.3 s, needed only to download

        try:
            (info,) = HfApi(endpoint=self._endpoint).get_paths_info(
                self._source.repo, [self._path(file)], revision=self._source.revision
            )
        except Exception as error:
            raise MirrorError(f"{type(error).__name__}: {error}") from error
        lfs = getattr(info, "lfs", None)
        if lfs is None or info.size != file.bytes:
            raise MirrorError(f"the hub publishes no digest for {file.name} of {file.bytes} bytes")
        return str(lfs.sha256)

    def _path(self, file: ModelFile) -> str:
        path = self._source.paths.get(file.name)
        if path is None:
            raise MirrorError(f"{self._source.repo} does not carry {file.name}")
        return path


def _hopeless(error: Exception, *, connected: bool) -> bool:
    """Whether another try at once is useless: the library is told to be offline, or the hub was never reached."""
    name = type(error).__name__
    return "OfflineMode" in name or (name.startswith("Connect") and not connected)
