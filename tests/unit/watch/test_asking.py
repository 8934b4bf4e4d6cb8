"""Asking a real server on loopback: what each trouble is called, and what never leaves here."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from bgconsole import __version__
from bgconsole.domain.probe import Answer
from bgconsole.domain.probe_version import DEFAULT, version_rule
from bgconsole.watch.asking import BODY_LIMIT, Asker
from tests.loopback import closed_port
from tests.site import Site, send, serving
from tests.values import NOW


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def ask(url: str, rule: str = DEFAULT, times: int = 1, **options: Any) -> Answer:
    with Asker(version_rule(rule), clock=lambda: NOW, **options) as asker:
        answers = [asker.ask(url) for _ in range(times)]
    return answers[-1]


def test_an_answer_with_its_version(site: Site) -> None:
    site.does = lambda handler: send(handler, 200, b"<h1>MEOW</h1>", X_Revision="42")
    by_header = ask(f"{site.url}/posts?page=2")
    assert (by_header.status, by_header.ok, by_header.version) == (200, True, "42")
    assert by_header.at == NOW
    assert 0 < by_header.latency_ms < 5000
    assert ask(site.url, "regex:<h1>(.*?)</h1>").version == "MEOW"
    assert ask(site.url, "json:version").version == ""
    method, path, headers = site.came[0]
    assert (method, path) == ("GET", "/posts?page=2")
    assert headers["User-Agent"] == f"bgconsole-probe/{__version__}"
    assert not {"Cookie", "Authorization"} & set(headers)


def test_each_request_is_a_stranger(site: Site) -> None:
    site.does = lambda handler: send(handler, 200, Set_Cookie="AWSALB=one; Path=/")
    ask(site.url, times=3)
    assert site.connections == 3, "a connection of its own each"
    assert not any("Cookie" in headers for _, _, headers in site.came)


def test_head_reads_no_body(site: Site) -> None:
    site.does = lambda handler: send(handler, 200, b"<h1>MEOW</h1>", X_Revision="42")
    found = ask(site.url, method="HEAD")
    assert (found.status, found.version, site.came[0][0]) == (200, "42", "HEAD")


@pytest.mark.parametrize("status", [204, 404, 503])
def test_statuses(site: Site, status: int) -> None:
    site.does = lambda handler: send(handler, status, X_Revision="42")
    found = ask(site.url)
    assert (found.words, found.ok, found.version) == (f"HTTP {status}", status < 400, "42")


def test_redirects_are_told_and_not_followed(site: Site) -> None:
    where = "https://me:secret@login.example/in?token=abc#top"
    site.does = lambda handler: send(handler, 302, Location=where)
    assert ask(site.url).words == "HTTP 302 → https://login.example/in"
    assert len(site.came) == 1
    site.does = lambda handler: send(handler, 302)
    assert ask(site.url).words == "HTTP 302"


def test_text_from_outside_is_made_harmless(site: Site) -> None:
    site.does = lambda handler: send(handler, 200, b"<h1>\x1b[31mred\x07</h1>")
    assert ask(site.url, "regex:<h1>(.*?)</h1>").version == "red·"


def test_a_body_is_read_up_to_a_bound(site: Site) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.over.is_set():
            handler.wfile.write(b"x" * 65_536)

    site.does = endless
    found = ask(site.url, "regex:(.*)$")
    assert found.status == 200
    site.does = lambda handler: send(handler, 200, b" " * BODY_LIMIT + b"<h1>late</h1>")
    assert ask(site.url, "regex:<h1>(.*?)</h1>").version == ""


def test_a_body_of_any_coding_is_read(site: Site) -> None:
    page = "<h1>Größe</h1>".encode("latin-1")
    site.does = lambda handler: send(handler, 200, page, Content_Type="text/html; charset=latin-1")
    assert ask(site.url, "regex:<h1>(.*?)</h1>").version == "Größe"
    site.does = lambda handler: send(handler, 200, page, Content_Type="text/html; charset=x-none")
    assert ask(site.url, "regex:<h1>(.*?)</h1>").version.startswith("Gr")
    site.does = lambda handler: send(handler, 200, gzip.compress(page), Content_Encoding="gzip")
    assert ask(site.url, "regex:<h1>(.*?)</h1>").version.startswith("Gr")
    site.does = lambda handler: send(handler, 200, b"no gzip", Content_Encoding="gzip")
    assert ask(site.url).words == "an answer that cannot be decoded"


def test_slowness_is_named(site: Site) -> None:
    site.does = lambda handler: site.over.wait(20) and None
    silent = ask(site.url, read_seconds=0.1)
    assert (silent.status, silent.words) == (0, "no answer in time (read timeout)")
    assert 100 <= silent.latency_ms < 5000

    def trickling(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.over.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    site.does = trickling
    assert ask(site.url, whole_seconds=0.2).words == "not finished within 0.2 s"


def test_a_connection_that_is_never_accepted() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        try:
            found = ask(f"http://127.0.0.1:{address[1]}/", connect_seconds=0.2)
        finally:
            for each in waiting:
                each.close()
    assert found.words == "connect timeout"


def test_nobody_there() -> None:
    assert ask(closed_port()).words == "connection refused"


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert ask("http://nowhere.invalid/").words == "no such host (DNS)"


def test_connections_that_end_early(site: Site) -> None:
    def reset(handler: BaseHTTPRequestHandler) -> None:
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.close_connection = True
        handler.connection.close()

    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")
        handler.close_connection = True

    def garbage(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        handler.close_connection = True

    told = []
    for does in (reset, hang_up, half, garbage):
        site.does = does
        told.append(ask(site.url).words)
    assert told == [
        "connection reset",
        "connection closed without an answer",
        "connection closed without an answer",
        "no HTTP answer",
    ]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody vouches for, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=elsewhere", "-addext", "subjectAltName=DNS:elsewhere",
         "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


def test_tls_troubles_are_named(
    certificate: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Site(), context) as secret:
        assert ask(secret.url).words == "TLS: self-signed certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        told = ask(secret.url).words
        assert told.startswith("TLS: IP address mismatch"), told
    plain_text = ask(site.url.replace("http://", "https://")).words
    assert plain_text.startswith("TLS: wrong version number"), plain_text


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "http://[1/", "no url"])
def test_what_is_no_url_is_an_answer_too(url: str) -> None:
    found = ask(url)
    assert (found.status, bool(found.error)) == (0, True)
