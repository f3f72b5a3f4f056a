"""Refuses an `explode` that cannot work, and columns that read from elements without one."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from social_assets.contracts.column import Column
from social_assets.contracts.options.explode import Explode
from social_assets.contracts.refusals.refuse_columns import RefusedError

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract


ELEMENT_NUMBER = "element_number"


def refuse_explode(contract: Contract) -> None:
    """Raise RefusedError for an option `explode` that cannot work."""
    # Of a recorded contract, the columns are not those of the model.
    explode, columns = contract.explode, contract.columns

    def refuse(reason: str, remedy: str, column: str = "") -> typing.NoReturn:
        raise RefusedError(contract.name, column, reason, remedy)

    if explode is not None and not isinstance(explode, Explode):
        refuse(f"explode is {explode!r}", 'write explode=Explode("comments")')
    if explode is not None:
        _refuse_path(explode, refuse)
    for column, path in _of_elements(columns):
        named = [path[: end + 2] for end in range(len(path)) if path.startswith("[]", end)]
        if explode is None:
            array = named[-1].removesuffix("[]")
            refuse(
                f"the source {path!r} is of an element, and the contract explodes no array",
                f'declare explode=Explode("{array}"), or count the elements: `{array}.0`',
                column,
            )
        if not all(explode.element.startswith(each) for each in named):
            refuse(
                f"the source {path!r} is of an array that explode={explode.path!r} leaves whole",
                "count its elements from 0, as in `tags.0`",
                column,
            )
    if explode is None:
        return
    if not any(path.startswith(explode.element) for _, path in _of_elements(columns)):
        refuse(
            f"no column reads from the elements of {explode.path}",
            f'give a column metadata={{"source": "{explode.element}.NAME"}}',
        )
    if "csv" in contract.formats:
        refuse("a record of a CSV file has no array to explode", "take csv out of `formats`")
    if ELEMENT_NUMBER in columns:
        refuse(
            f"{ELEMENT_NUMBER} is the platform's column for the number of an element",
            f'rename it, with metadata={{"source": "{ELEMENT_NUMBER}"}}',
            ELEMENT_NUMBER,
        )


def _refuse_path(explode: Explode, refuse: typing.Callable[[str, str], typing.NoReturn]) -> None:
    names = explode.path.split(".") if isinstance(explode.path, str) else [""]
    if not all(name.rstrip("[]") and name.count("[") == name.count("[]") for name in names):
        refuse(
            f"explode has the path {explode.path!r}",
            "name the array in the record, as in `comments` or `insights.data[].values`",
        )


def _of_elements(columns: Mapping[str, Column]) -> Iterator[tuple[str, str]]:
    """The columns that read from elements, with each such place."""
    for column in columns.values():
        for place in (*column.source, *column.time_source):
            if "[]" in place.path:
                yield column.name, place.path
