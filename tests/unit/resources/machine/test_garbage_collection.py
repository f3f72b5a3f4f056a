"""A process collects no garbage while it imports, and collects as before when it has."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.machine.garbage_collection import imports_kept

pytestmark = pytest.mark.endurance

CHECKOUT = Path(__file__).resolve().parents[4]


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_while_modules_are_imported() -> None:
    with imports_kept():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_imported_is_left_out_of_later_collections() -> None:
    gc.unfreeze()
    with imports_kept():
        kept = [[number] for number in range(1000)]
    assert gc.get_freeze_count() >= len(kept)


def test_an_import_that_fails_leaves_the_collection_on() -> None:
    with pytest.raises(ImportError), imports_kept():
        raise ImportError
    assert gc.isenabled()


def test_a_process_that_collects_nothing_goes_on_so() -> None:
    gc.disable()
    with imports_kept():
        pass
    assert not gc.isenabled()


@pytest.mark.parametrize("location", ["streaming", "batch"])
def test_a_process_of_a_location_collects_garbage_after_its_imports(location: str) -> None:
    program = (
        f"import gc, social_assets.locations.{location}\n"
        "assert gc.isenabled()\n"
        "assert gc.get_freeze_count() > 100_000\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=CHECKOUT, check=True)


def test_a_process_that_used_the_engine_ends_in_silence(tmp_path: Path) -> None:
    """DuckDB's binding prints the objects that are not collected at the end of the process."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "import social_assets.locations.streaming\n"
        "from social_assets.transform.duckdb_engine import DuckDBEngine\n"
        "with DuckDBEngine(Path(sys.argv[1])).session() as session:\n"
        "    session.backend.con.sql('SELECT 1').to_arrow_table()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(tmp_path)],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")
