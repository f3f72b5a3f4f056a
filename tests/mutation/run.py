"""Mutation tests: each case removes one behaviour that operations rely on, and a test must fail.

    python -m tests.mutation.run [--item 5.3] [--list]

The program copies the checkout and runs the tests that cases name; all must pass. Then it replaces
one text in one file for each case, and one of the case's tests must fail: by an assertion, not
because the code can no longer be imported. Exits with 1 if no test fails for some case.

Belongs here: how cases run. The cases stand in the modules `cases_of_*`, by subject.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import pytest

from tests.mutation import (
    cases_of_alerts,
    cases_of_checks,
    cases_of_collection,
    cases_of_days,
    cases_of_experiments,
    cases_of_features,
    cases_of_loss,
    cases_of_operations,
    cases_of_privacy,
    cases_of_protection,
    cases_of_recommenders,
    cases_of_serving,
    cases_of_upkeep,
)
from tests.mutation.case import Case
from tests.mutation.nightly import cases_of_forecasts

CASES: Sequence[Case] = (
    *cases_of_days.CASES,
    *cases_of_features.CASES,
    *cases_of_forecasts.CASES,
    *cases_of_checks.CASES,
    *cases_of_alerts.CASES,
    *cases_of_upkeep.CASES,
    *cases_of_operations.CASES,
    *cases_of_privacy.CASES,
    *cases_of_privacy.REQUESTS,
    *cases_of_privacy.COUNTS,
    *cases_of_protection.CASES,
    *cases_of_loss.CASES,
    *cases_of_serving.CASES,
    *cases_of_collection.CASES,
    *cases_of_recommenders.CASES,
    *cases_of_experiments.CASES,
)
CHECKOUT = Path(__file__).resolve().parents[2]
PYTEST = ("-q", "-n", "0", "-x", "-p", "no:cacheprovider", "--tb=short", "-rfE")
SECONDS = 400
"""What one test may take."""

OURS = frozenset({"bench", "tests", "recsys", "resources", "sensors", "social_assets"})
PRELOADED = (
    "clickhouse_connect",
    "dagster._core.test_utils",
    "deltalake",
    "ibis.backends.duckdb",
    "kafka.admin",
    "pandera.ibis",
    "pyarrow.dataset",
    "pytest",
)
"""What the tests import, ours apart, and takes seconds of CPU: done once, for all cases."""

_PASSED, _FAILED, _BROKEN = 0, 1, 99
_FAILURE = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_NOT_BY_WHAT_IT_FINDS = re.compile(
    r"\b(SyntaxError|IndentationError|ImportError|ModuleNotFoundError|NameError|UnboundLocalError):"
    r"|from pytest-timeout"
)


@dataclass(frozen=True)
class Outcome:
    """The exit code of pytest, its output, and its seconds."""

    code: int
    text: str
    seconds: float

    @property
    def caught_by(self) -> str:
        """The test that failed by an assertion; "" if none did."""
        if self.code != _FAILED or _NOT_BY_WHAT_IT_FINDS.search(self.text):
            return ""
        failed = _FAILURE.search(self.text)
        return failed[1] if failed else ""


class Copy:
    """A copy of the checkout in a temporary folder, on which pytest runs."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "checkout"
        self._folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (CHECKOUT / name).is_file():
                (self._root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CHECKOUT / name, self._root / name)

    def test(self, names: Sequence[str]) -> Outcome:
        """Run some tests up to the first failure, in a process."""
        said = self._folder / "said"
        started = time.monotonic()
        process = os.fork()
        if process == 0:
            self._become_pytest(said, names)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        return Outcome(code, said.read_text(errors="replace"), time.monotonic() - started)

    def _become_pytest(self, said: Path, names: Sequence[str]) -> NoReturn:
        """Run pytest. This process and its children import modules of the project only from the
        copy.
        """
        code = _BROKEN
        try:
            with said.open("wb") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            os.chdir(self._root)
            for name in [name for name in os.environ if name.startswith("SOCIAL_ASSETS_")]:
                del os.environ[name]
            os.environ |= {
                "DAGSTER_HOME": "",
                "PYTHONPATH": str(self._root),
                "COLUMNS": "200",
                # The deployed warehouse that tests copy is built once, and not for each case.
                "DEPLOYED_HOME_TEMPLATE": str(self._folder / "template"),
            }
            for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
                del sys.modules[name]
            sys.path[:] = [str(self._root), *(p for p in sys.path if Path(p) != CHECKOUT)]
            code = int(pytest.main([*PYTEST, f"--timeout={SECONDS}", *self._places(), *names]))
            ours = [m for name, m in sys.modules.items() if name.partition(".")[0] in OURS]
            # A folder without `__init__.py` is a module without a file.
            files = [m.__file__ for m in ours if getattr(m, "__file__", None)]
            if not all(Path(str(file)).is_relative_to(self._root) for file in files):
                code = _BROKEN
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _places(self) -> list[str]:
        return [f"--rootdir={self._root}", f"--basetemp={self._folder / 'pytest'}"]

    @contextmanager
    def without(self, case: Case) -> Iterator[None]:
        """Apply the case during the block."""
        path = self._root / case.file
        text = path.read_text()
        path.write_text(text.replace(case.old, case.new))
        _forget_compiled(path)
        try:
            yield
        finally:
            path.write_text(text)
            _forget_compiled(path)


def main() -> int:
    """Print a line for each case; returns 1 if a case is not caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--item", default="", help="only cases that begin so: 5.3")
    parser.add_argument("--list", action="store_true", help="say what is taken away, and end")
    options = parser.parse_args()
    cases = [case for case in CASES if case.name.startswith(options.item)]
    if not cases:
        sys.exit(f"no case begins with {options.item}")
    _demand_that_each_applies(cases)
    if options.list:
        for case in cases:
            print(f"{case.name} ({case.file})")
        return 0
    started = time.monotonic()
    for name in PRELOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Copy(Path(folder).resolve())
        _demand_that_all_pass(copy, cases)
        missed = sum(not _is_caught(copy, case) for case in cases)
    seconds = time.monotonic() - started
    print(f"{len(cases) - missed} mutations caught, {missed} not; {seconds:.0f} s")
    return 1 if missed else 0


def _demand_that_each_applies(cases: Sequence[Case]) -> None:
    for case in cases:
        found = (CHECKOUT / case.file).read_text().count(case.old)
        if found != 1 or case.old == case.new:
            sys.exit(
                f"{case.name}: its text stands {found} times in {case.file}, not once:\n{case.old}"
            )


def _demand_that_all_pass(copy: Copy, cases: Sequence[Case]) -> None:
    """Run the tests of one folder at a time, because a call imports only one `conftest`."""
    names = sorted({name for case in cases for name in case.named_tests})
    for folder, group in groupby(names, lambda name: Path(name.split("::")[0]).parent):
        listed = list(group)
        outcome = copy.test(listed)
        if outcome.code != _PASSED:
            sys.exit(f"before anything is taken away, a test fails:\n{outcome.text}")
        print(f"{folder}: {len(listed)} tests pass ({outcome.seconds:.1f} s)", flush=True)


def _is_caught(copy: Copy, case: Case) -> bool:
    with copy.without(case):
        outcome = copy.test(case.named_tests)
    caught_by = outcome.caught_by.rpartition("::")[2]
    result = f"caught by {caught_by}" if caught_by else "NOT CAUGHT"
    print(f"{case.name}: {result} ({outcome.seconds:.1f} s)", flush=True)
    if not caught_by and outcome.code != _PASSED:
        print(outcome.text, flush=True)
    return bool(caught_by)


def _forget_compiled(path: Path) -> None:
    """Delete the compiled file: Python uses it for a source of the same second and size."""
    if path.suffix == ".py":
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
