"""The rules of records that stand for an element of an array: whether they hold one.

Belongs here: what only contracts with `explode` need. The other rules belong to `validate`; cutting
records into elements belongs to `ingest.files.explode_records`.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.contract import Contract

_MISSING = "record_elements_missing"
_NOT_LIST = "record_elements_not_list"
NOT_CUT = "record_elements_not_cut"
"""The rule of a record that stayed whole, though it has several elements."""


@ibis.udf.scalar.builtin(name="json_type", signature=((dt.string, dt.string), dt.string))
def _json_type(text: str, pointer: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="json_array_length", signature=((dt.string, dt.string), dt.int64))
def _json_array_length(text: str, pointer: str) -> int: ...  # type: ignore[empty-body]


def element_rules(contract: Contract) -> dict[str, str]:
    """The names of the rules, and what it means to break them; none without `explode`."""
    if contract.explode is None:
        return {}
    path = contract.explode.path
    return {
        _MISSING: f"nothing at {path}, and its Explode does not say that it may_be_absent",
        _NOT_LIST: f"no array at {path}, but another value",
        NOT_CUT: f"several elements at {path}, too many to be cut into rows, or not cut at all",
    }


def broken_element_rules(records: ir.Table, contract: Contract) -> dict[str, ir.BooleanValue]:
    """The name of each rule -> whether an opened record breaks it."""
    if contract.explode is None:
        return {}
    text = ibis.cases((records.is_json, records.record_text))
    levels = contract.explode.levels
    kinds = [_json_type(text, _pointer(levels[:end])) for end in range(1, len(levels) + 1)]
    is_other = ibis.or_(
        *(
            kind.notnull() & ~kind.isin(["NULL", "ARRAY" if level is None else "OBJECT"])
            for kind, level in zip(kinds, levels[1:], strict=False)
        )
    )
    arrays = [_pointer(levels[:at]) for at, level in enumerate(levels) if level is None]
    is_whole = ibis.or_(*(_json_array_length(text, array) > 1 for array in arrays))
    return {
        _MISSING: text.notnull() & kinds[-1].isnull() & ~is_other,
        _NOT_LIST: text.notnull() & is_other,
        NOT_CUT: is_whole.fill_null(False),
    }


def _pointer(levels: tuple[str | None, ...]) -> str:
    """The JSON pointer to what stands there in a record that has one element."""
    steps = ("0" if level is None else level for level in levels)
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
