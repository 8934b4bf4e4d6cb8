"""The talk's live demo by keys alone: another heading, built, deployed, watched, taken back."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.e2e.conftest import Sandbox

RAILS_APP = Path(__file__).parents[2] / "rails_app"


def edited(sandbox: Sandbox) -> str:
    """The app with another heading, committed where the console is started; gives the commit."""
    folder = sandbox.home / "rails_app"
    shutil.copytree(RAILS_APP, folder)
    view = folder / "app/views/posts/index.html.erb"
    view.write_text(view.read_text().replace("<h1>Posts</h1>", "<h1>PURR</h1>"))
    git = ("git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "Say purr")):
        subprocess.run([*git, *words], check=True, timeout=30)
    told = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], check=True, stdout=subprocess.PIPE
    )
    return told.stdout.decode().strip()


def test_the_heading_changes_and_comes_back_and_no_request_fails(sandbox: Sandbox) -> None:
    commit = edited(sandbox)
    assert sandbox.heading() == "MEOW"
    with sandbox.console(160, 45) as console:
        console.wait_for(r"STEADY\s+Revision 2 serves 100 %: 4/4 healthy")
        console.wait_for(r"8 8be01c9")
        console.send("B")
        console.wait_for(rf"push it to \S+ as {commit}")
        console.answer("y", rf"Pushed demorepo:{commit}, sha256:")
        console.send("\x1b")
        console.wait_for("1 Tasks")
        console.send("U")
        console.wait_for(rf"{commit} · sha256:")
        console.settle()
        console.send(commit)
        console.wait_for("1f3c2aa · sha256:", gone=True)
        console.answer("\r", rf"type {commit} to deploy:")
        console.answer(commit, rf"type {commit} to deploy: {commit}")
        console.answer("\r", r"step 2: AWS took it · request id")
        console.send("\x1b")
        screen = console.wait_for(rf"(?s)STEADY\s+Revision 3 .*\S {commit}", 60)
        legend = re.search(rf"8 8be01c9  (\S) {commit}", screen)
        assert legend
        new = re.escape(legend[1])
        assert re.search(rf"8{{3,}}{new}+", screen), "the strip of answers has turned"
        assert sandbox.heading() == "PURR"
        console.send("R")
        console.wait_for(r"type 2 to roll back")
        console.answer("2", r"type 2 to roll back: 2")
        console.answer("\r", r"Roll back democluster-service from revision 3 to 2")
        screen = console.wait_for(r"now   revision 2 · 8be01c9 · sha256:\w{8}", 60)
        assert "as read back from all 4 running tasks" in screen
        assert re.search(r"site  .*0 of \d+ requests failed since", screen)
        console.send("\x1b")
        screen = console.wait_for(rf"8+{new}+8+")
        assert "· 0 failed ·" in screen
        console.send("q")
        assert console.wait_for_exit() == 0
    assert sandbox.heading() == "MEOW"
