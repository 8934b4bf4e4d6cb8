"""The app's sources as far as no Ruby is needed: exercises, Dockerfile, what stays out."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "rails_app"
SERIES = (
    ("1-heading",),
    ("2-expand", "3-move", "4-forget", "5-contract"),
    ("failing-migration",),
)


def test_every_exercise_is_in_a_series_and_in_the_readme() -> None:
    patches = {path.stem for path in (APP / "exercises").glob("*.patch")}
    assert patches == {name for series in SERIES for name in series}
    told = re.findall(r"^\| `([\w-]+)` \|", (APP / "README.md").read_text("utf-8"), re.M)
    assert patches == set(told) & patches


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series[0])
def test_the_patches_of_a_series_apply_one_after_the_other(
    series: tuple[str, ...], tmp_path: Path
) -> None:
    app = tmp_path / "rails_app"
    shutil.copytree(APP, app)
    for name in series:
        patch = APP / "exercises" / f"{name}.patch"
        applied = subprocess.run(
            ["git", "apply", "--directory=rails_app", str(patch)],
            cwd=tmp_path,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert applied.returncode == 0, applied.stderr
    if series == ("1-heading",):
        page = (app / "app/views/posts/index.html.erb").read_text("utf-8")
        assert "<h1>MEOW</h1>" in page


def test_the_heading_of_the_posts_is_one_line_that_a_build_can_change() -> None:
    page = (APP / "app/views/posts/index.html.erb").read_text("utf-8")
    assert page.count("<h1>Posts</h1>") == 1


def test_the_dockerfile_builds_offline_and_runs_as_nobody_in_particular() -> None:
    lines = (APP / "Dockerfile").read_text("utf-8").splitlines()
    # BuildKit would fetch such a front end before it looks at anything else.
    assert not any(re.match(r"#\s*syntax\s*=", line) for line in lines)
    assert "USER 1000:1000" in lines
    # They would hide the gems of the system.
    assert not any("BUNDLE_PATH" in line or "BUNDLE_DEPLOYMENT" in line for line in lines)


def test_nothing_secret_is_kept_or_copied() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "."], cwd=APP, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "Dockerfile" in tracked
    assert not [name for name in tracked if re.search(r"\.key$|\.enc$|\.env|Gemfile\.lock", name)]
    ignored = (APP / ".dockerignore").read_text("utf-8").splitlines()
    assert {".git", ".env*", "*.key", "log", "tmp"} <= set(ignored)


def test_an_installation_brings_every_file() -> None:
    """`--docker` builds from there where there is no checkout."""
    project = tomllib.loads((APP.parent / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["setuptools"]["data-files"]
    brought = {
        path.relative_to(APP.parent).as_posix()
        for folder, patterns in shared.items()
        for pattern in patterns
        for path in APP.parent.glob(pattern)
        if folder == f"share/bgconsole/{path.parent.relative_to(APP.parent).as_posix()}"
    }
    tracked = subprocess.run(
        ["git", "ls-files", "rails_app"], cwd=APP.parent, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name for name in tracked if not name.endswith(".gitignore")} <= brought


def test_programs_are_executable() -> None:
    assert [path.name for path in (APP / "bin").iterdir() if not path.stat().st_mode & 0o111] == []
