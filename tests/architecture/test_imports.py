"""What is loaded when: a static graph cannot tell a deferred import from a real one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    "textual",
    "rich",
    "boto3",
    "botocore",
    "docker",
    "awslogs",
    "ministack",
    "aiohttp",
    "httpx",
)
PROBE = """
import json, os, sys
sys.argv = ["bgconsole", *json.loads(sys.argv[1])]
def leave(code, leave=os._exit):
    print(json.dumps({"code": code, "loaded": sorted(sys.modules)}), flush=True)
    leave(0)
os._exit = leave
try:
    from bgconsole.main import main
    main()
except SystemExit as end:
    leave(end.code)
"""


def loaded(*arguments: str, home: Path) -> tuple[int, set[str]]:
    """The exit code of one command, and the packages and modules that it loaded."""
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=home,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true"},
        check=False,
    )
    found = json.loads(ran.stdout.strip().splitlines()[-1])
    modules = set(found["loaded"])
    return found["code"] or 0, modules | {each.partition(".")[0] for each in modules}


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["status", "--help"]])
def test_words_about_the_program_load_nothing_heavy(nowhere: Path, arguments: list[str]) -> None:
    code, found = loaded(*arguments, home=nowhere)
    assert code == 0
    assert not found & set(HEAVY)


def test_a_sub_command_loads_no_screen(nowhere: Path) -> None:
    code, found = loaded(
        "--region", "us-east-1", "--cluster", "c", "--service", "s", "status", home=nowhere
    )
    assert code == 4, "without credentials"
    assert "boto3" in found or "botocore" in found
    assert not found & {"textual", "rich", "docker", "awslogs", "ministack", "httpx"}


@pytest.mark.parametrize("arguments", [["scale", "--help"], ["audit"], ["--version"]])
def test_a_sub_command_loads_no_other(nowhere: Path, arguments: list[str]) -> None:
    code, found = loaded(*arguments, home=nowhere)
    assert code == 0
    own = {f"bgconsole.{layer}.{arguments[0]}" for layer in ("cli", "operations")}
    others = {f"bgconsole.operations.{name}" for name in ("build", "deploy", "rollback", "scale")}
    others |= {f"bgconsole.cli.{name}" for name in ("status", "logs", "probe", "watch")}
    assert not found & (others - own)
    assert not found & {"bgconsole.domain.verdict", "yaml"}


def test_the_docker_sdk_is_loaded_from_one_end() -> None:
    loading = [
        file.name
        for file in (Path(__file__).parents[2] / "bgconsole" / "gateway").rglob("*.py")
        if re.search(r"^\s*(?:from|import) (?:docker|requests)\b", file.read_text("utf-8"), re.M)
    ]
    assert loading == ["docker_sdk.py"]


def test_logs_loads_little(nowhere: Path) -> None:
    code, found = loaded("logs", "group", "ALL", "--region", "us-east-1", home=nowhere)
    assert code == 4, "without credentials"
    assert not found & {"textual", "rich", "docker", "awslogs", "ministack", "httpx", "boto3"}


def test_the_sandbox_extra_missing_is_one_sentence(nowhere: Path) -> None:
    hidden = PROBE.replace(
        "import json, os, sys", "import json, os, sys\nsys.modules['ministack'] = None", 1
    )
    for arguments in (["sandbox"], ["demo"]):
        ran = subprocess.run(
            [sys.executable, "-c", hidden, json.dumps(arguments)],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=nowhere,
            env={"PATH": "/usr/bin:/bin", "HOME": str(nowhere)},
            check=False,
        )
        assert json.loads(ran.stdout.strip().splitlines()[-1])["code"] == 2
        assert "pip install 'bgconsole[sandbox]'" in ran.stderr
        assert "Traceback" not in ran.stderr
