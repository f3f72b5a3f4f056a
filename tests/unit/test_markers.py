"""Every test is run by a target of the Makefile, and every target by CI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKED = ("kafka", "java", "spark", "deep", "browser", "s3", "kubernetes")


def folders(marker: str) -> list[str]:
    """The folders in which the Makefile's target for a marker looks."""
    line = next(
        each
        for each in (ROOT / "Makefile").read_text().splitlines()
        if re.search(rf'-m "?\(?([a-z ]* or )?{marker}\b', each)
    )
    return re.findall(r"\btests/\S+", line)


@pytest.mark.parametrize("marker", MARKED)
def test_a_marked_test_is_in_a_folder_that_is_run(marker: str) -> None:
    where = folders(marker)
    assert where and all((ROOT / each).is_dir() for each in where)
    marked = [
        str(file.relative_to(ROOT))
        for file in (ROOT / "tests").rglob("*.py")
        if re.search(rf"^[^\"\n]*\bmark\.{marker}\b", file.read_text(), re.MULTILINE)
    ]
    lost = [each for each in marked if not each.startswith(tuple(f"{at}/" for at in where))]
    assert marked and not lost, f"`make test-{marker}` does not run {lost}"


def test_a_test_without_a_marker_is_in_a_folder_that_is_run() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    quick = next(line for line in lines if line.startswith("QUICK :="))
    rest = next(line for line in lines if "$(QUICK:%=--ignore=%)" in line)
    run = re.findall(r"\btests/\w+(?:/\w+)*", f"{quick} {rest}")
    assert all((ROOT / each).is_dir() for each in run)
    files = [str(file.relative_to(ROOT)) for file in (ROOT / "tests").rglob("test_*.py")]
    lost = [
        each for each in files if not each.startswith((*(f"{at}/" for at in run), "tests/browser/"))
    ]
    assert files and not lost, f"neither `make test` nor `make test-integration` runs {lost}"


def test_ci_runs_every_target_of_tests() -> None:
    targets = re.findall(r"^(test[\w-]*): ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    run = (ROOT / ".ci/run").read_text()
    ran = re.findall(r"^tests\w* (?:\w+=\S+ )?make (test[\w-]*)$", run, re.MULTILINE)
    assert sorted(targets) == sorted(ran)
