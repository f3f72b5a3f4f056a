"""Turns a report's document on standard input into a PDF on standard output.

Belongs here: the process. It runs once for each PDF (`pdf` starts it) and imports nothing else of
the project. The look of the pages is in `page.typ`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

VEGA_LITE = "6.4"


def main() -> None:
    """Read a document, draw its charts, write the PDF."""
    import typst
    import vl_convert

    document = json.load(sys.stdin)
    for section in document["sections"]:
        for figure in section["figures"]:
            chart = figure.pop("chart")
            # vl-convert fetches no data: the specification holds the values.
            figure["svg"] = (
                vl_convert.vegalite_to_svg(chart, vl_version=VEGA_LITE, allowed_base_urls=[])
                if chart
                else ""
            )
    page = Path(__file__).with_name("page.typ").read_bytes()
    sys.stdout.buffer.write(typst.compile(page, sys_inputs={"document": json.dumps(document)}))


if __name__ == "__main__":
    main()
