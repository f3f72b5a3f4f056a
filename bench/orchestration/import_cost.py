"""Measures the CPU seconds that a process takes to import a code location.

    python -m bench.orchestration.import_cost [--rounds 7]

Each figure is the minimum of some rounds: user and system time of a process from its start to its
end, in a temporary home with a prepared dbt project. "Loaded" includes the construction of the
definitions, as in a code server and in each run. Exits with 1 if the import of a drain takes longer
than the target.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.warehouse.dbt.project import prepare

DRAIN_TARGET = 1.4
PROGRAMS = (
    ("Python", "pass", None),
    ("dagster", "import dagster", None),
    ("dagster_dbt", "import dagster_dbt", None),
    ("contracts", "from social_assets.contracts.registry import contracts; contracts()", None),
    ("streaming", "import social_assets.locations.streaming", DRAIN_TARGET),
    (
        "streaming, loaded",
        "from social_assets.locations.streaming import defs; defs().get_repository_def()",
        None,
    ),
    ("batch", "import social_assets.locations.batch", None),
    (
        "batch, loaded",
        "from social_assets.locations.batch import defs; defs().get_repository_def()",
        None,
    ),
)


def main() -> int:
    """Print the figures; returns 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="import-cost-") as folder:
        os.environ[ENVIRONMENT_VARIABLE] = folder
        prepare(Home(Path(folder)))
        # Sources are compiled once, as where a process may write the bytecode beside them.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        for _, program, _ in PROGRAMS:
            cpu_seconds(program)
        # Side by side, so that a load on the machine meets all alike.
        seconds = [[cpu_seconds(p) for _, p, _ in PROGRAMS] for _ in range(options.rounds)]
    least = [min(column) for column in zip(*seconds, strict=True)]
    figures = [
        Figure("import", name, each, "CPU s", target)
        for (name, _, target), each in zip(PROGRAMS, least, strict=True)
    ]
    for figure in figures:
        print(figure.line())
    is_met = all(figure.is_met for figure in figures)
    print("PASS" if is_met else "MISSED")
    return 0 if is_met else 1


def cpu_seconds(program: str) -> float:
    """CPU seconds of a Python process that runs the program, with its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], check=True, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
