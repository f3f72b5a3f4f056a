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
LIBRARY = "colorsys"
LOCATIONS = ("streaming", "batch")


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_while_modules_are_imported() -> None:
    with imports_kept():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_library_is_left_out_of_later_collections() -> None:
    gc.unfreeze()
    before = sys.modules.pop(LIBRARY, None)
    try:
        with imports_kept(LIBRARY):
            assert gc.get_freeze_count() > 0
            # The least that a module has; what is frozen is in no generation.
            assert all(each is not vars(sys.modules[LIBRARY]) for each in gc.get_objects())
    finally:
        if before is not None:
            sys.modules[LIBRARY] = before


def test_what_the_block_makes_is_collected_later() -> None:
    with imports_kept():
        made = [[]]
    assert any(each is made for each in gc.get_objects())


def test_an_import_that_fails_leaves_the_collection_on() -> None:
    with pytest.raises(ImportError), imports_kept():
        raise ImportError
    assert gc.isenabled()
    with pytest.raises(ImportError), imports_kept("no_such_library"):
        pass
    assert gc.isenabled()


def test_a_process_that_collects_nothing_goes_on_so() -> None:
    gc.disable()
    with imports_kept():
        pass
    assert not gc.isenabled()


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_process_of_a_location_collects_garbage_after_its_imports(location: str) -> None:
    program = (
        f"import gc, social_assets.locations.{location}\n"
        "assert gc.isenabled()\n"
        "assert gc.get_freeze_count() > 100_000\n"
        "assert len(gc.get_objects()) < 100_000\n"
    )
    _run(program)


@pytest.mark.parametrize("location", LOCATIONS)
def test_the_end_of_a_process_does_not_search_the_libraries(location: str) -> None:
    program = (
        "import atexit, gc\n"
        # Called last, since it is registered first.
        "atexit.register(lambda: print(gc.get_freeze_count()))\n"
        f"import social_assets.locations.{location}\n"
    )
    assert int(_run(program).stdout) > 100_000


@pytest.mark.parametrize("earlier", ["", "import duckdb\n"], ids=["", "duckdb_imported_earlier"])
@pytest.mark.parametrize("location", LOCATIONS)
def test_a_process_that_used_the_engine_ends_in_silence(
    location: str, earlier: str, tmp_path: Path
) -> None:
    """DuckDB's binding prints the objects that are not collected at the end of the process."""
    program = (
        f"{earlier}"
        "import sys\n"
        "from pathlib import Path\n"
        "import pyarrow as pa\n"
        f"import social_assets.locations.{location}\n"
        "from social_assets.transform.duckdb_engine import DuckDBEngine\n"
        "with DuckDBEngine(Path(sys.argv[1])).session() as session:\n"
        "    session.connection.sql('SELECT 1').to_arrow_table()\n"
        "    session.table(session.rows(pa.table({'number': [1]})))\n"
    )
    ended = _run(program, str(tmp_path))
    assert (ended.stdout, ended.stderr) == (b"", b"")


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
