"""The process that dbt runs in: one command on a manifest parsed before, a JSON line a node.

Run as `python -m social_assets.defs.dbt_process PARTIAL_PARSE ARGUMENT...`. A process of its own,
since dbt keeps its state in globals and takes seconds to import. The manifest is handed over
because dbt parses the whole project again whenever `--vars` change (measured: 3 s of CPU).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder


def main(partial_parse: Path, arguments: list[str]) -> int:
    """Run dbt; print what became of each node; 1 when one failed."""
    manifest = Manifest.from_msgpack(partial_parse.read_bytes(), decoder=extended_mashumuro_decoder)
    done = dbtRunner(manifest=manifest, callbacks=[_report]).invoke(arguments)
    if done.exception is not None:
        _print({"failed": str(done.exception)})
    return 0 if done.success else 1


def _report(event: Any) -> None:
    if event.info.name == "NodeFinished":
        result = event.data.run_result
        _print(
            {
                "node": event.data.node_info.unique_id,
                "status": result.status,
                "seconds": result.execution_time,
                "message": result.message,
            }
        )


def _print(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
