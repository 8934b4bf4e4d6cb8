"""The stand-in for the app: one small HTTP server per task, started with `python -I -S` by path.

It imports nothing of this package and little of the standard library, so that it is up in a tenth
of a second in some 15 MB. Its argument is one JSON object; see `runtime/process.py`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType
from typing import Any, NoReturn

BOOT = """\
=> Booting Puma
=> Rails 8.1.3.1 application starting in production
=> Run `bin/rails server --help` for more startup options
Puma starting in single mode...
* Puma version: 6.6.1 ("Return to Forever")
* Ruby version: ruby 3.4.7 (2025-10-08 revision 7a5688e2a2) +YJIT +PRISM [x86_64-linux]
*  Min threads: 3
*  Max threads: 3
*  Environment: production
*          PID: 1"""

EXCEPTION = """\
! Unable to load application: ActiveRecord::StatementInvalid: \
PG::UndefinedColumn: ERROR:  column posts.summary does not exist
bundler: failed to load command: rails (/usr/local/bundle/bin/rails)
/usr/local/bundle/gems/activerecord-8.1.3.1/lib/active_record/connection_adapters/\
postgresql/database_statements.rb:160:in 'PG::Connection#exec_params': \
PG::UndefinedColumn: ERROR:  column posts.summary does not exist (ActiveRecord::StatementInvalid)
LINE 1: SELECT "posts"."id", "posts"."title", "posts"."summary" FROM...
                                              ^
\tfrom /rails/app/models/post.rb:7:in '<class:Post>'
\tfrom /rails/app/models/post.rb:1:in '<main>'
\tfrom /rails/config/initializers/warm_posts.rb:3:in 'block in <main>'
\tfrom /rails/config/environment.rb:5:in '<main>'
\tfrom config.ru:3:in 'block (2 levels) in <main>'"""

NO_DATABASE = """\
! Unable to load application: ActiveRecord::ConnectionNotEstablished: connection to server at \
"{host}", port {port} failed: FATAL:  password authentication failed for user "{user}"
bundler: failed to load command: rails (/usr/local/bundle/bin/rails)
/usr/local/bundle/gems/activerecord-8.1.3.1/lib/active_record/connection_adapters/\
postgresql_adapter.rb:81:in 'ActiveRecord::ConnectionAdapters::PostgreSQLAdapter.new_client': \
connection to server at "{host}", port {port} failed: FATAL:  password authentication failed for \
user "{user}" (ActiveRecord::DatabaseConnectionError)
\tfrom /rails/config/environment.rb:5:in '<main>'
\tfrom config.ru:3:in 'block (2 levels) in <main>'"""

FAILED_PAGE = b"""\
<!DOCTYPE html>
<html>
  <head><title>We're sorry, but something went wrong (500 Internal Server Error)</title></head>
  <body><h1>We're sorry, but something went wrong.</h1></body>
</html>
"""
FAILURE = (
    "",
    "ActionView::Template::Error (PG::QueryCanceled: ERROR:  canceling statement due to statement "
    "timeout):",
    '    4: <div id="posts">',
    "    5:   <% @posts.each do |post| %>",
    "",
    "Caused by: ActiveRecord::QueryCanceled (PG::QueryCanceled: ERROR:  canceling statement due "
    "to statement timeout)",
    "app/views/posts/index.html.erb:5:in 'block in PostsController#index'",
)

PAGE = """\
<!DOCTYPE html>
<html>
  <head><title>Websvc</title></head>
  <body>
    <h1>{heading}</h1>
    <div id="posts">
      <div><p><strong>Title:</strong> Blue/Green Rails</p></div>
      <div><p><strong>Title:</strong> Turn-key ECS with CloudFormation</p></div>
    </div>
    <a href="/posts/new">New post</a>
  </body>
</html>
"""

REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
HEAD_LIMIT = 65536

_out_lock = threading.Lock()


def say(text: str) -> None:
    """Write lines to standard output, whole and at once."""
    with _out_lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


class App:
    """Answers requests as the app of this image would."""

    def __init__(self, facts: dict[str, Any], listener: socket.socket) -> None:
        self._facts = facts
        self._listener = listener
        self._in_flight = 0
        self._idle = threading.Condition()
        self.stopping = False
        self.ill = False
        """Whether the health check's path answers 503."""
        self.failing: float = facts["failing"]
        """How many of a hundred requests for a page are answered with 500."""
        self._unlucky = 0.0

    def serve(self) -> None:
        """Accept until told to stop, then finish what came in."""
        self._listener.listen(128)
        self._listener.settimeout(0.2)
        while not self.stopping:
            self._accept()
        self._listener.settimeout(0.05)
        while self._accept():
            pass
        self._listener.close()
        say("- Gracefully stopping, waiting for requests to finish")
        with self._idle:
            self._idle.wait_for(lambda: self._in_flight == 0, timeout=60)
        say("Exiting")

    def _accept(self) -> bool:
        try:
            connection, _ = self._listener.accept()
        except TimeoutError:
            return False
        threading.Thread(target=self._converse, args=(connection,), daemon=True).start()
        return True

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(75)
        buffer = b""
        with connection:
            while True:
                try:
                    head, buffer = _read_head(connection, buffer)
                except OSError:
                    return
                if head is None:
                    return
                with self._idle:
                    self._in_flight += 1
                try:
                    again, buffer = self._answer(connection, head, buffer)
                except OSError:
                    return
                finally:
                    with self._idle:
                        self._in_flight -= 1
                        self._idle.notify_all()
                if not again:
                    return

    def _answer(self, connection: socket.socket, head: str, rest: bytes) -> tuple[bool, bytes]:
        began = time.perf_counter()
        lines = head.split("\r\n")
        parts = lines[0].split(" ")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        if len(parts) != 3:
            connection.sendall(_response(400, "text/plain", b"", close=True, head_only=False))
            return False, b""
        length = int(headers.get("content-length") or 0)
        while len(rest) < length:
            chunk = connection.recv(HEAD_LIMIT)
            if not chunk:
                return False, b""
            rest += chunk
        method, target, _ = parts
        path = target.partition("?")[0]
        status, kind, body, controller = self._page(path)
        close = self.stopping or headers.get("connection", "").lower() == "close"
        extra = f"X-Revision: {self._facts['revision']}\r\n"
        head_only = method == "HEAD"
        connection.sendall(
            _response(status, kind, body, close=close, head_only=head_only, extra=extra)
        )
        if path != "/up":  # Rails silences its health check path
            taken = (time.perf_counter() - began) * 1000
            self._log(method, target, status, controller, headers, taken)
        return not close, rest[length:]

    def _page(self, path: str) -> tuple[int, str, bytes, str]:
        facts = self._facts
        if path in ("/posts", "/") and self._is_unlucky():
            return 500, "text/html; charset=utf-8", FAILED_PAGE, "PostsController#index"
        if path in ("/posts", "/"):
            page = PAGE.format(heading=facts["heading"]).encode()
            return 200, "text/html; charset=utf-8", page, "PostsController#index"
        if path == "/up" and self.ill:
            page = b'<!DOCTYPE html><html><body style="background-color: red"></body></html>'
            return 503, "text/html; charset=utf-8", page, "Rails::HealthController#show"
        if path == "/up":
            page = b'<!DOCTYPE html><html><body style="background-color: green"></body></html>'
            return 200, "text/html; charset=utf-8", page, "Rails::HealthController#show"
        if path == "/version":
            shown = {key: facts[key] for key in ("revision", "digest", "task")}
            body = json.dumps(shown).encode() + b"\n"
            return 200, "application/json; charset=utf-8", body, "VersionController#show"
        return 404, "text/html; charset=utf-8", b"<h1>404 Not Found</h1>\n", ""

    def _is_unlucky(self) -> bool:
        with self._idle:
            self._unlucky += self.failing
            unlucky = self._unlucky >= 100
            self._unlucky -= 100 if unlucky else 0
        return unlucky

    def _log(
        self,
        method: str,
        target: str,
        status: int,
        controller: str,
        headers: dict[str, str],
        taken: float,
    ) -> None:
        tag = f"[{os.urandom(4).hex()}]"
        source = headers.get("x-forwarded-for", "10.0.0.1").partition(",")[0]
        now = time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime())
        lines = [f'{tag} Started {method} "{target}" for {source} at {now}']
        if controller:
            form = "JSON" if "Version" in controller else "HTML"
            lines.append(f"{tag} Processing by {controller} as {form}")
            views = "" if status == 500 else f"Views: {taken + 1.1:.1f}ms | "
            lines.append(
                f"{tag} Completed {status} {REASONS[status]} in {round(taken) + 2}ms "
                f"({views}ActiveRecord: 0.7ms (1 query, 0 cached))"
            )
            lines += [f"{tag} {line}" for line in FAILURE if status == 500]
        else:
            lines.append(f"{tag} ")
            error = f'ActionController::RoutingError (No route matches [{method}] "{target}"):'
            lines.append(f"{tag} {error}")
        say("\n".join(lines))


def _read_head(connection: socket.socket, buffer: bytes) -> tuple[str | None, bytes]:
    while b"\r\n\r\n" not in buffer:
        if len(buffer) > HEAD_LIMIT:
            return None, b""
        chunk = connection.recv(HEAD_LIMIT)
        if not chunk:
            return None, b""
        buffer += chunk
    head, _, rest = buffer.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def _response(
    status: int, kind: str, body: bytes, *, close: bool, head_only: bool, extra: str = ""
) -> bytes:
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}\r\n"
        f"Content-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\n{extra}"
        f"Connection: {'close' if close else 'keep-alive'}\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if head_only else body)


def _leave_with_parent(lifeline: int) -> NoReturn:
    """The sandbox holds the other end: end of file means that it is gone, however it ended."""
    while os.read(lifeline, 64):
        pass
    os._exit(0)


def _obey(app: App) -> None:
    """Take orders from standard input, one JSON object a line, until it ends."""
    rest = b""
    while chunk := os.read(0, 4096):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            order = json.loads(line)
            app.ill = order.get("ill", app.ill)
            app.failing = order.get("failing", app.failing)


def _run(step: dict[str, Any]) -> None:
    """Print the lines of one command, evenly over its time; end here if it fails."""
    lines, seconds = step["lines"], step["seconds"]
    if seconds is None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for line in lines:
            say(line)
        threading.Event().wait()
    for line in lines:
        say(line)
        time.sleep(seconds / len(lines))
    if not lines:
        time.sleep(seconds)
    if step["exit_code"]:
        sys.exit(step["exit_code"])


def main() -> None:
    """Do what the command says: migrate, or boot and serve or crash as the image says."""
    facts = json.loads(sys.argv[1])
    listener = socket.socket(fileno=facts["socket"])
    threading.Thread(target=_leave_with_parent, args=(facts["lifeline"],), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for step in facts["program"]:
        if step is not None:
            _run(step)
    if None in facts["program"]:
        _serve(facts, listener)


def _serve(facts: dict[str, Any], listener: socket.socket) -> None:
    app = App(facts, listener)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        app.stopping = True

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_obey, args=(app,), daemon=True).start()
    say(BOOT)
    if facts["behaviour"]:
        time.sleep(facts["crash_after"])
        say(EXCEPTION if facts["behaviour"] == "crash" else _no_database())
        sys.exit(1)
    time.sleep(facts["boot_seconds"])
    say(f"* Listening on http://0.0.0.0:{facts['port']}\nUse Ctrl-C to stop")
    app.serve()


def _no_database() -> str:
    """What Rails says when the password in DATABASE_URL is not the database's."""
    head, at, tail = os.environ.get("DATABASE_URL", "").partition("@")
    user = head.partition("://")[2].partition(":")[0] if at else ""
    host, _, port = tail.partition("/")[0].partition(":")
    return NO_DATABASE.format(host=host or "127.0.0.1", port=port or 5432, user=user or "rails")


if __name__ == "__main__":
    main()
