"""A push: layers, configuration and manifest to the sandbox's registry, told as an engine tells it.

It goes to the registry of this sandbox by calls within the process: there is no way from here to
any other host.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from ..asgi import Answer, call
from ..images import MANIFEST_TYPE, digest

if TYPE_CHECKING:
    from ..asgi import App
    from .files import Layer
    from .store import LocalImage

Event = dict[str, Any]

_CHUNK = 256 * 1024
"""Bytes of one request of an upload."""
_ABREAST = 5
"""Layers that an engine begins with; the others wait."""
_BAR = 50


class PushFailed(Exception):
    """The registry refused; the text is what an engine says."""


async def push(
    registry: App, repository: str, tag: str, image: LocalImage, token: str, host: str
) -> AsyncIterator[Event]:
    """Push one image, telling every layer's progress; a failure is the last event.

    Args:
        registry: what answers `/v2/`.
        repository: the name there.
        tag: of the manifest.
        image: what is pushed.
        token: base64 of user and password; empty sends none.
        host: of the repository, for the words.
    """
    yield {"status": f"The push refers to repository [{host}/{repository}]"}
    upload = _Upload(registry, repository, token)
    try:
        async for event in _pushed(upload, tag, image):
            yield event
    except PushFailed as failure:
        yield {"errorDetail": {"message": str(failure)}, "error": str(failure)}


async def _pushed(upload: _Upload, tag: str, image: LocalImage) -> AsyncIterator[Event]:
    layers = list(reversed(image.layers))
    for layer in layers:
        yield _told("Preparing", layer)
    for layer in layers[_ABREAST:]:
        yield _told("Waiting", layer)
    for layer in layers:
        if await upload.has(digest(layer.content)):
            yield _told("Layer already exists", layer)
            continue
        async for sent in upload.blob(layer.content):
            yield _progress(layer, sent)
        yield _told("Pushed", layer)
    if not await upload.has(digest(image.document)):
        async for _ in upload.blob(image.document):
            pass
    manifest = image.manifest
    await upload.manifest(tag, manifest)
    named = digest(manifest)
    yield {"status": f"{tag}: digest: {named} size: {len(manifest)}"}
    yield {"progressDetail": {}, "aux": {"Tag": tag, "Digest": named, "Size": len(manifest)}}


def _told(status: str, layer: Layer) -> Event:
    return {"status": status, "progressDetail": {}, "id": layer.short_id}


def _progress(layer: Layer, sent: int) -> Event:
    """As an engine counts: bytes of the plain tar and its headers, so they may pass the total."""
    current = 512 + layer.size * sent // len(layer.content)
    filled = min(_BAR, _BAR * current // max(layer.size, 1))
    bar = ("=" * (filled - 1) + ">").ljust(_BAR)
    return {
        "status": "Pushing",
        "progressDetail": {"current": current, "total": layer.size},
        "progress": f"[{bar}]  {current}B/{layer.size}B",
        "id": layer.short_id,
    }


class _Upload:
    """The requests of one push."""

    def __init__(self, registry: App, repository: str, token: str) -> None:
        self._registry = registry
        self._repository = repository
        self._headers = {"authorization": f"Basic {token}"} if token else {}

    async def has(self, blob: str) -> bool:
        """Whether the registry has a blob."""
        answer = await self._ask("HEAD", f"blobs/{blob}", unless=404)
        return answer.status == 200

    async def blob(self, content: bytes) -> AsyncIterator[int]:
        """Upload one in pieces; tells how much of it is there."""
        begun = await self._ask("POST", "blobs/uploads/")
        place = begun.header("location").partition(f"/v2/{self._repository}/")[2]
        for start in range(0, len(content), _CHUNK):
            piece = content[start : start + _CHUNK]
            await self._ask("PATCH", place, piece, {"content-type": "application/octet-stream"})
            yield start + len(piece)
        await self._ask("PUT", f"{place}?digest={digest(content)}")

    async def manifest(self, tag: str, content: bytes) -> None:
        """Give the image its name."""
        await self._ask("PUT", f"manifests/{tag}", content, {"content-type": MANIFEST_TYPE})

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        unless: int = 0,
    ) -> Answer:
        answer = await call(
            self._registry,
            method,
            f"/v2/{self._repository}/{path}",
            {**self._headers, **(headers or {})},
            body,
        )
        if answer.status >= 400 and answer.status != unless:
            raise PushFailed(self._words(answer))
        return answer

    def _words(self, answer: Answer) -> str:
        """ECR's words, which the embedded engine has not."""
        try:
            (error, *_) = json.loads(answer.body)["errors"]
        except (ValueError, KeyError, TypeError):
            error = {}
        code = str(error.get("code", ""))
        if answer.status == 401 or code == "UNAUTHORIZED":
            return "no basic auth credentials"
        if code == "DENIED":
            return f"denied: {error.get('message', '')}"
        if code == "NAME_UNKNOWN":
            return (
                f"name unknown: The repository with name '{self._repository}' does not exist in "
                "the registry"
            )
        if code == "TAG_INVALID":
            tag = (error.get("detail") or {}).get("tag", "")
            return (
                f"tag invalid: The image tag '{tag}' already exists in the '{self._repository}' "
                "repository and cannot be overwritten because the repository is immutable."
            )
        return f"{code.lower().replace('_', ' ')}: {error.get('message', answer.status)}"
