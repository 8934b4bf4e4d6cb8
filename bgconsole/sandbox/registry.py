"""Images in the embedded registry: pushed over its HTTP API, looked up when a task starts."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING, Any

from .app_files import AppFiles, read_app
from .asgi import call
from .images import MANIFEST_TYPE, Image, digest
from .runtime.port import ImageInfo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .asgi import Answer, App
    from .scope import Scope


class PushRefused(Exception):
    """The registry did not take a blob or a manifest."""


def push(address: str, repository: str, image: Image, token: str) -> str:
    """Push one image with an ECR authorization token, over plain HTTP to `host:port`.

    Returns:
        The digest of its manifest.

    Raises:
        PushRefused: the registry answered with an error.
        OSError: it could not be reached.
    """
    connection = http.client.HTTPConnection(address, timeout=10)
    headers = {"Authorization": f"Basic {token}"}
    try:
        for blob in image.blobs:
            path = f"/v2/{repository}/blobs/uploads/?digest={digest(blob)}"
            octets = {**headers, "Content-Type": "application/octet-stream"}
            _expect_created(connection, "POST", path, blob, octets)
        path = f"/v2/{repository}/manifests/{image.tag}"
        typed = {**headers, "Content-Type": MANIFEST_TYPE}
        _expect_created(connection, "PUT", path, image.manifest, typed)
    finally:
        connection.close()
    return digest(image.manifest)


def _expect_created(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
) -> None:
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    told = response.read()
    if response.status != 201:
        raise PushRefused(f"{method} {path}: {response.status} {told[:300]!r}")


class Registry:
    """Looks images up in the engine of this process."""

    def __init__(self, engine: App, address: str, *, reads_files: bool = True) -> None:
        """`reads_files`: for the stand-in, which shows what the files of an image say."""
        self._reads_files = reads_files
        self._engine = engine
        self._prefix = f"{address}/"
        self._apps: dict[str, AppFiles] = {}

    async def find(self, scope: Scope, image: str) -> ImageInfo | None:
        """What an image reference (`…:tag` or `…@sha256:…`) means now.

        `None` when it is not in this registry, or there is no such image.
        """
        if not image.startswith(self._prefix):
            return None
        repository, reference = split_reference(image.removeprefix(self._prefix))
        manifest = await self._get(scope, f"/v2/{repository}/manifests/{reference}")
        if manifest is None:
            return None
        told = json.loads(manifest.body)
        config = await self._get(scope, f"/v2/{repository}/blobs/{told['config']['digest']}")
        if config is None:
            return None
        settings: dict[str, Any] = json.loads(config.body).get("config") or {}
        pairs = (entry.partition("=") for entry in settings.get("Env") or ())
        environment = {name: value for name, _, value in pairs}
        named = manifest.header("docker-content-digest") or digest(manifest.body)
        layers = [str(layer["digest"]) for layer in told.get("layers") or ()]
        app = await self._app(scope, repository, named, layers if self._reads_files else ())
        read = {} if app.heading is None else {"bgconsole.heading": app.heading}
        if revision := environment.get("REVISION"):
            read["bgconsole.revision"] = revision
        return ImageInfo(
            digest=named,
            labels=read | (settings.get("Labels") or {}),
            environment=environment,
            migrations=app.migrations,
        )

    async def _app(
        self, scope: Scope, repository: str, named: str, layers: Sequence[str]
    ) -> AppFiles:
        """What the layers hold of the app, read once for an image."""
        known = self._apps.get(named)
        if known is None:
            paths = [f"/v2/{repository}/blobs/{layer}" for layer in layers]
            blobs = [blob.body for path in paths if (blob := await self._get(scope, path))]
            known = self._apps[named] = await asyncio.to_thread(read_app, blobs)
        return known

    async def _get(self, scope: Scope, path: str) -> Answer | None:
        headers = {"authorization": scope.signature}
        answer = await call(self._engine, "GET", path, headers)
        return answer if answer.status == 200 else None


def split_reference(image: str) -> tuple[str, str]:
    """Repository and tag or digest of an image without its host; no tag means `latest`."""
    repository, at, found = image.partition("@")
    if at:
        return repository.partition(":")[0], found
    repository, _, tag = image.partition(":")
    return repository, tag or "latest"
