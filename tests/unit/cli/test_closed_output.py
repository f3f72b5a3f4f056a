"""A reader that closes the output of a command (`| head`) is no failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resources.settings.home import ENVIRONMENT_VARIABLE


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["load", "--help"], ["streams"], ["streams", "posts"]]
)
def test_a_command_ends_in_silence_when_its_output_is_closed(
    arguments: list[str], tmp_path: Path
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "social_assets", *arguments],
            env={**os.environ, ENVIRONMENT_VARIABLE: str(tmp_path)},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")
