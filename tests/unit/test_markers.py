"""A test that is marked for a server of its own stands where the Makefile looks for such tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MARKED = ("kafka", "java", "spark", "browser")


def folders(marker: str) -> list[str]:
    """The folders in which the Makefile's target for a marker looks."""
    line = next(
        each
        for each in (ROOT / "Makefile").read_text().splitlines()
        if re.search(rf'-m "?([a-z ]* or )?{marker}\b', each) and "not" not in each
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
