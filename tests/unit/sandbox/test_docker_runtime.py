"""The runtime of real containers as far as it takes no engine: what it asks one for, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bgconsole.sandbox.runtime.docker import LABEL, DockerRuntime, DockerSettings, Lock
from bgconsole.sandbox.runtime.docker_api import DockerApi, DockerRefused
from bgconsole.sandbox.runtime.port import ContainerSpec, ImageInfo

URL = "postgresql://foouser:p%40ss@db.abc.us-east-1.rds.amazonaws.com:5433/foodb?sslmode=require"
DIGEST = "sha256:" + "ab" * 32


@dataclass
class Engine:
    """An engine on a Unix socket that does what it is asked at once, and remembers."""

    host: str = ""
    asked: list[str] = field(default_factory=list)
    created: dict[str, Any] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    exit: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    pull_error: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.asked.append(f"{request.method} {path} {request.query_string}".strip())
        if path == "/images/create":
            told = {"error": self.pull_error} if self.pull_error else {"status": "Pulled"}
            return web.Response(text='{"status": "Pulling"}\n' + json.dumps(told) + "\n")
        if path == "/containers/create":
            name = request.query["name"]
            self.created[name] = await request.json()
            return web.json_response({"Id": name}, status=201)
        if path == "/containers/json":
            return web.json_response(self.kept)
        if path.endswith("/logs"):
            head = bytes([1, 0, 0, 0]) + len(b"=> Booting\nhalf").to_bytes(4)
            return web.Response(
                body=head + b"=> Booting\nhalf" + bytes([2, 0, 0, 0, 0, 0, 0, 3]) + b" l\n"
            )
        if path.endswith("/kill") and request.query["signal"] == "SIGTERM":
            self.exit.set_result(0)
        if path.endswith("/wait"):
            return web.json_response({"StatusCode": await self.exit})
        if path.endswith("/exec"):
            return web.json_response({"Id": "e"})
        if path == "/exec/e/json":
            return web.json_response({"ExitCode": 0})
        if path.endswith("/json"):
            bound = [{"HostIp": "127.0.0.1", "HostPort": "40123"}]
            networks = {"bridge": {"IPAddress": "172.17.0.2"}}
            settings = {"Ports": {"3000/tcp": bound}, "Networks": networks}
            return web.json_response({"NetworkSettings": settings})
        return web.Response(status=204)


@dataclass
class News:
    """What the runtime told."""

    lines: list[str] = field(default_factory=list)
    code: asyncio.Future[int] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def output(self, line: str) -> None:
        self.lines.append(line)

    def exited(self, exit_code: int) -> None:
        self.code.set_result(exit_code)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    made = Engine(f"unix://{tmp_path}/engine.sock")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "engine.sock")).start()
    yield made
    await runner.cleanup()


async def until(seen: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110 - what is waited for is told to nobody
            await asyncio.sleep(0.01)


async def runtime(engine: Engine, folder: Path) -> DockerRuntime:
    async def secret(reference: str) -> str | None:
        return {"arn:url": URL}.get(reference)

    settings = DockerSettings(engine.host, "postgres:17", "QVdTOnRva2Vu", folder / "locks")
    return DockerRuntime(settings, secret)


def spec(**changes: Any) -> ContainerSpec:
    known: dict[str, Any] = {
        "task_id": "0123",
        "name": "web",
        "image": "127.0.0.1:4566/demorepo:1f3c2aa",
        "info": ImageInfo(DIGEST),
        "environment": {"RAILS_ENV": "production"},
        "address": ("10.0.0.9", 3000),
        "stop_timeout": 30.0,
    }
    return ContainerSpec(**known | changes)


async def test_a_container_runs_by_digest_with_its_secrets_and_its_database(
    engine: Engine, tmp_path: Path
) -> None:
    running = await runtime(engine, tmp_path)
    news = News()
    container = running.start(
        spec(secrets={"DATABASE_URL": "arn:url"}, command=("bin/migrate",), memory=512), news
    )
    await until(lambda: running.resolve(("10.0.0.9", 3000)) is not None and len(news.lines) == 2)
    async with asyncio.timeout(10):
        assert running.resolve(("10.0.0.9", 3000)) == ("127.0.0.1", 40123)
        container.stop()
        assert await news.code == 0
    assert news.lines == ["=> Booting", "half l"]
    assert running.resolve(("10.0.0.9", 3000)) is None

    made = engine.created["bgconsole-web-0123"]
    assert made["Image"] == f"127.0.0.1:4566/demorepo@{DIGEST}"
    assert made["Cmd"] == ["bin/migrate"]
    assert "Entrypoint" not in made
    assert {f"DATABASE_URL={URL}", f"IMAGE_DIGEST={DIGEST}", "TASK_ID=0123"} <= set(made["Env"])
    assert made["HostConfig"]["Memory"] == 512 * 1024 * 1024
    assert made["HostConfig"]["PortBindings"]["3000/tcp"] == [
        {"HostIp": "127.0.0.1", "HostPort": ""}
    ]
    assert made["HostConfig"]["ExtraHosts"] == ["db.abc.us-east-1.rds.amazonaws.com:172.17.0.2"]

    database = engine.created["bgconsole-db"]
    assert {"POSTGRES_USER=foouser", "POSTGRES_PASSWORD=p@ss", "POSTGRES_DB=foodb"} == set(
        database["Env"]
    )
    assert "port=5433" in database["Cmd"]
    assert any(asked.startswith("DELETE /containers/bgconsole-web-0123") for asked in engine.asked)
    await running.close()


async def test_what_cannot_be_pulled_or_read_ends_its_container_and_says_why(
    engine: Engine, tmp_path: Path
) -> None:
    running = await runtime(engine, tmp_path)
    lost, unread = News(), News()
    engine.pull_error = "manifest unknown"
    running.start(spec(task_id="a"), lost)
    async with asyncio.timeout(10):
        assert await lost.code == 128
        engine.pull_error = ""
        other = ImageInfo("sha256:" + "cd" * 32)
        running.start(spec(task_id="b", info=other, secrets={"KEY": "arn:none"}), unread)
        assert await unread.code == 128
    assert "manifest unknown" in lost.lines[0]
    assert "arn:none" in unread.lines[0]
    assert not engine.created
    await running.close()


async def test_what_a_dead_sandbox_left_is_removed_and_what_a_living_one_runs_is_not(
    engine: Engine, tmp_path: Path
) -> None:
    alive = Lock.take(tmp_path / "others")
    engine.kept = [
        {"Id": "dead", "Labels": {LABEL: str(tmp_path / "gone.lock")}},
        {"Id": "living", "Labels": {LABEL: str(alive.path)}},
    ]
    running = await runtime(engine, tmp_path)
    await until(lambda: any("DELETE" in asked for asked in engine.asked))
    removed = [asked.split()[1] for asked in engine.asked if asked.startswith("DELETE")]
    assert removed == ["/containers/dead"]
    engine.kept = []
    await running.close()
    alive.give_up()
    assert not Lock.is_held(alive.path)


@pytest.mark.parametrize("host", ["ssh://host", "npipe:////./pipe/docker_engine", ""])
async def test_an_address_of_another_kind_is_refused(host: str) -> None:
    with pytest.raises(DockerRefused, match="unix:// and tcp://"):
        DockerApi(host)


async def test_an_engine_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    api = DockerApi(f"unix://{tmp_path}/none.sock")
    with pytest.raises(DockerRefused):
        await api.labelled(LABEL)
    await api.close()
