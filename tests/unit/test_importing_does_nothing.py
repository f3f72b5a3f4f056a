"""An import creates no folder, starts no process, checks no setting, configures no log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

IMPORTS = '''
"""Import every module; print what each of them did, by its name."""

import importlib, json, logging, os, pkgutil, sys, traceback

ROOTS = ("resources", "recsys", "sensors", "social_assets")
ROOMS = tuple(os.path.join(sys.argv[1], root, "") for root in ROOTS)
EVENTS = {"open", "os.mkdir", "os.fork", "os.posix_spawn", "subprocess.Popen", "socket.connect"}
did, importing = {}, ""


def is_ours():
    """Whether code of ours is at work, and not that of a library which is being imported."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        if frame.f_code.co_filename.startswith(ROOMS):
            return True
        frame = frame.f_back
    return False


def note(event, arguments):
    if event not in EVENTS or not is_ours():
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event != "open":
        did.setdefault(importing, []).append(f"{event} {arguments[0]}")
    elif writes and "__pycache__" not in str(arguments[0]):
        did.setdefault(importing, []).append(f"open {arguments[0]} to write")


def add_handler(logger, handler, add=logging.Logger.addHandler):
    if is_ours():
        did.setdefault(importing, []).append(f"gave logger {logger.name} a handler")
    add(logger, handler)


sys.addaudithook(note)
logging.Logger.addHandler = add_handler
names = []
for root in ROOTS:
    package = importlib.import_module(root)
    names += [each.name for each in pkgutil.walk_packages(package.__path__, f"{root}.")]
for importing in names:
    try:
        importlib.import_module(importing)
    except ImportError as error:
        # What only an extra brings, such as Spark.
        if (error.name or "").split(".")[0] in ROOTS:
            raise
    except BaseException as error:
        did.setdefault(importing, []).append(traceback.format_exception_only(error)[-1].strip())
print(json.dumps({"modules": len(names), "did": did}))
'''


WRONG = {
    "SOCIAL_ASSETS_ENVIRONMENT": "production",
    "SOCIAL_ASSETS_FIRST_DATE": "tomorrow",
    "SOCIAL_ASSETS_LOG_LEVEL": "loud",
    "SOCIAL_ASSETS_LOG_FORMAT": "verse",
    "SOCIAL_ASSETS_LAKE_URL": "nowhere://lake",
    "SOCIAL_ASSETS_CLICKHOUSE_URL": "nowhere",
    "SOCIAL_ASSETS_CONTRACTS": "/no/such/folder",
}
"""What a process that is to do something refuses."""


@pytest.mark.parametrize("settings", [{}, WRONG], ids=["no_settings", "wrong_settings"])
def test_importing_any_module_does_nothing(settings: dict[str, str], tmp_path: Path) -> None:
    home, user, folder = (tmp_path / name for name in ("home", "user", "folder"))
    for each in (home, user, folder):
        each.mkdir()
    # Without a home, the default is the user's own; here it is empty.
    named = {"SOCIAL_ASSETS_HOME": str(home)} if settings else {}
    found = _import_all({**settings, **named, "HOME": str(user)}, folder)
    assert found["did"] == {}
    assert found["modules"] > 200
    assert sorted(tmp_path.rglob("*")) == [folder, home, user]


def _import_all(environment: Mapping[str, str], folder: Path) -> dict[str, object]:
    """Import every module in a process with only the given environment."""
    passed = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), **environment}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORTS, str(CHECKOUT)],
        env=passed,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found
