"""A home belongs to one machine; another machine is refused until it takes the home over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from resources.machine.home_machine import (
    FILE,
    NAME,
    HomeOfAnotherMachineError,
    claim_home,
    take_over_home,
    this_machine,
)
from resources.settings.home import Home
from social_assets.lake.lock import stream_lock
from social_assets.operate.ui.lock import lock_ui

_HOLDS_A_STREAM = """
import sys, time
from pathlib import Path
from social_assets.lake.lock import stream_lock
with stream_lock(Path(sys.argv[1]), "posts"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_writer_of_a_stream_on_another_machine_is_refused_naming_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = tmp_path / "locks"
    monkeypatch.setenv(NAME, "machine-a")
    with stream_lock(locks, "posts"):
        pass
    monkeypatch.setenv(NAME, "machine-b")
    with pytest.raises(HomeOfAnotherMachineError) as refused, stream_lock(locks, "posts"):
        pass
    text = str(refused.value)
    assert "machine-a" in text
    assert "since 20" in text
    assert "--take-over" in text
    assert "\n" not in text


def test_a_killed_writer_of_another_machine_still_refuses_this_one_until_it_takes_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = tmp_path / "locks"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS_A_STREAM, str(locks)],
        env={**os.environ, NAME: "machine-a"},
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
    monkeypatch.setenv(NAME, "machine-b")
    with pytest.raises(HomeOfAnotherMachineError):
        claim_home(locks)
    take_over_home(locks)
    with stream_lock(locks, "posts"):
        pass
    monkeypatch.setenv(NAME, "machine-a")
    with pytest.raises(HomeOfAnotherMachineError, match="machine-b"):
        claim_home(locks)


def test_a_second_daemon_on_another_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, "machine-a")
    claim_home(tmp_path / "locks")
    monkeypatch.setenv(NAME, "machine-b")
    with pytest.raises(HomeOfAnotherMachineError, match="machine-a"):
        lock_ui(Home(tmp_path), 0)


def test_the_same_machine_goes_on_after_a_reboot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    earlier = replace(this_machine(), boot="of the last boot", since="2026-01-01 00:00:00 UTC")
    (tmp_path / FILE).write_text(json.dumps(asdict(earlier)))
    claim_home(tmp_path)
    now = json.loads((tmp_path / FILE).read_text())
    assert now["boot"] == this_machine().boot
    assert now["since"] == earlier.since


def test_containers_with_one_kernel_are_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    other = replace(this_machine(), id="another-container", host="another-container")
    (tmp_path / FILE).write_text(json.dumps(asdict(other)))
    claim_home(tmp_path)


def test_a_machine_with_another_id_and_kernel_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    other = replace(this_machine(), id="other", boot="other", host="host-of-old")
    (tmp_path / FILE).write_text(json.dumps(asdict(other)))
    with pytest.raises(HomeOfAnotherMachineError, match="host-of-old"):
        claim_home(tmp_path)


def test_each_writer_renews_when_the_home_was_last_used(tmp_path: Path) -> None:
    claim_home(tmp_path)
    os.utime(tmp_path / FILE, (0, 0))
    with stream_lock(tmp_path, "posts"):
        assert (tmp_path / FILE).stat().st_mtime > 0
    assert [found.name for found in tmp_path.iterdir() if "tmp" in found.name] == []


def test_the_command_line_takes_a_home_over(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "social_assets", "--home", str(tmp_path)]
    environment = {**os.environ, NAME: "machine-b"}
    other = replace(this_machine(), name="machine-a")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / FILE).write_text(json.dumps(asdict(other)))
    subprocess.run([*command, "--take-over", "stop"], env=environment, check=True)
    assert json.loads((tmp_path / "locks" / FILE).read_text())["name"] == "machine-b"
