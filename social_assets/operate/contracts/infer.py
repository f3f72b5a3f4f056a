"""Infers a first contract from files: names, types, key, event time.

Belongs here: what the values tell. The files are read by the platform's own reader, first with a
contract of texts, then with the inferred one: a column whose values it rejects becomes a text.
"""

from __future__ import annotations

import keyword
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandera.ibis as pa

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.csv_format import DETECTED, CsvFormat, Decimal
from social_assets.contracts.refusals.broken import BrokenContract
from social_assets.contracts.refusals.refuse import LAYERS
from social_assets.contracts.refusals.refuse_columns import CLAUSES
from social_assets.contracts.refusals.refuse_names import RESERVED
from social_assets.contracts.registry import load_contract
from social_assets.ingest.files.open_file import format_by_name
from social_assets.operate.contracts.contract_module import contract_module
from social_assets.operate.contracts.infer_dates import DatesInFigures, dates_in_figures
from social_assets.operate.contracts.infer_format import (
    csv_format,
    decimal_of,
    declared_at_first,
    records_at,
    with_point,
)
from social_assets.operate.contracts.source_names import source_of
from social_assets.operate.contracts.try_file import try_file

RECORDS = 5_000
_TRIES = 12
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_TIME = re.compile(
    r"\d{4}-\d\d?-\d\d?([T ].*)?|\d{8}T\d{4,6}.*|\w{3},? \w{3} \d.*|\w{3}, \d\d? \w{3} .*"
    r"|\w{3,9} \d\d?, \d{4}.*"
)
_EPOCH = re.compile(
    r"\d{10}(\.\d+)?|\d{13}(\.\d+)?|\d{16}(\.\d+)?|\d{19}|\d\.\d+[eE]\+?(09|9|12|15|18)"
)
_TIME_NAME = re.compile(
    r"(^|_)(time|timestamp|date|datetime|created|published|posted|at|ts|utc)(_|$)"
)
_KEY_NAME = re.compile(r"(^|_)(id|id_str|uuid|guid|uri|url|permalink|key)$")
_ID_NAME = re.compile(
    r"(^|_)id(_str)?$|^(id|identificador|identifiant|identificativo|identificacao|identifier)_"
)
"""Exports of platforms name ids in the language of the account: Identificador de la publicación."""

_DAY_OR_MONTH = (
    "TO DO: some values are dates of which day and month can be exchanged. Make it a datetime,",
    'with metadata={"time_formats": [...]}.',
)
_NOTHING = {"na", "n/a", "#n/a", "nan", "nat", "null", "none", "-"}


MOST_COLUMNS = 200
"""Measured: of 640 MB of engine memory, validating 200 columns leaves some; 300 need more."""


class CannotInferError(ValueError):
    """No contract can be inferred; the text says why and what to do."""


@dataclass(frozen=True)
class InferredColumn:
    """A column as it will be written."""

    name: str
    source: str
    type: str
    is_nullable: bool = True
    time_formats: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    values: tuple[object, ...] = field(default=(), repr=False)

    @property
    def needs_source(self) -> bool:
        """Whether the column's name does not find the value."""
        return "." in self.source or match_key(self.source) != match_key(self.name)


@dataclass(frozen=True)
class InferredContract:
    """What will be written; without a key, the hash of the record is one."""

    name: str
    columns: tuple[InferredColumn, ...]
    formats: tuple[str, ...]
    key: str | None
    event_time: str | None
    csv: CsvFormat = DETECTED
    records_at: str | None = None


def infer(files: Sequence[Path], name: str | None = None, only: Sequence[str] = ()) -> str:
    """A contract's module for the files, of all their columns or of some only.

    Raises FileError and CannotInferError.
    """
    found: dict[str, str] = {}
    sources = [source_of(path) for path in files]
    for told in sources:
        for source, kind in told.names.items():
            found[source] = "list[str]" if kind == "list" else found.get(source, "str")
    found = _chosen(found, only, files[0])
    formats = tuple(dict.fromkeys(format_by_name(path) for path in files))
    stream = name or _stream_name(files[0])
    taken: list[str] = []
    columns = []
    for number, (source, declared) in enumerate(found.items(), 1):
        taken.append(_column_name(source, number, taken))
        columns.append(InferredColumn(taken[-1], source, declared))
    csv = declared_at_first(files, [each.csv for each in sources])
    draft = InferredContract(stream, tuple(columns), formats, None, None, csv)
    seen = [row for path in files for row in try_file(_loaded(draft), path, RECORDS).rows]
    if not seen:
        raise CannotInferError(f"no record of {files[0]} can be read; write the contract by hand")
    decimal = decimal_of([_texts(row[each.name] for row in seen) for each in columns])
    if "csv" not in formats:
        decimal = None
    typed = tuple(_typed(each, tuple(r[each.name] for r in seen), decimal) for each in columns)
    with_decimal = replace(draft, columns=typed, csv=replace(csv, decimal=decimal))
    chosen = _accepting(with_decimal, files)
    final = _loaded(chosen)
    form = csv_format(final, files, decimal)
    return contract_module(replace(chosen, csv=form, records_at=records_at(final, files)))


def _chosen(found: Mapping[str, str], only: Sequence[str], file: Path) -> dict[str, str]:
    if unknown := [name for name in only if name not in found]:
        raise CannotInferError(f"no file has the column {unknown[0]}; write it as the files do")
    if len(only or found) > MOST_COLUMNS:
        raise CannotInferError(
            f"{file} has {len(found):,} columns, and a contract of more than {MOST_COLUMNS} needs "
            "more memory than the engine has by default; name those that matter: --column NAME, "
            "once for each"
        )
    return {name: found[name] for name in only or found}


def _texts(values: Iterable[object]) -> list[str]:
    """The values that are there."""
    texts = (str(value) for value in values if value is not None)
    return [text for text in texts if text.casefold() not in _NOTHING]


def _accepting(draft: InferredContract, files: Sequence[Path]) -> InferredContract:
    """The contract with which no record of the files is rejected, if there is one."""
    without_time: set[str] = set()
    for _ in range(_TRIES):
        chosen = replace(
            draft, key=_key(draft.columns), event_time=_event_time(draft.columns, without_time)
        )
        rules = {r.rule for path in files for r in try_file(_loaded(chosen), path, RECORDS).reasons}
        changed = tuple(
            _as_text(each, rules)
            if each.type not in ("str", "list[str]") and _is_unreadable(each, rules)
            else each
            for each in draft.columns
        )
        if any(rule.startswith("event_time_") for rule in rules) and chosen.event_time:
            without_time.add(chosen.event_time)
        elif changed == draft.columns:
            return chosen
        draft = replace(draft, columns=changed)
    return chosen


def _as_text(column: InferredColumn, rules: set[str]) -> InferredColumn:
    to_do = (*column.to_do, *(_DAY_OR_MONTH if f"{column.name}_day_or_month" in rules else ()))
    return replace(column, type="str", time_formats=(), to_do=to_do)


def _is_unreadable(column: InferredColumn, rules: set[str]) -> bool:
    return any(
        rule.startswith(f"{column.name}_not_") or rule == f"{column.name}_day_or_month"
        for rule in rules
    )


def _loaded(draft: InferredContract) -> Contract:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "inferred.py"
        path.write_text(contract_module(draft))
        loaded = load_contract(path)
    if isinstance(loaded, BrokenContract):
        raise CannotInferError(f"{loaded.reason}; {loaded.remedy}")
    return loaded


def _typed(
    column: InferredColumn, values: tuple[object, ...], decimal: Decimal | None
) -> InferredColumn:
    texts = [str(value) for value in values if value is not None]
    present = _texts(values)
    dates = dates_in_figures(present) if column.type == "str" else None
    time_formats: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    if column.type == "list[str]":
        kind = column.type
    elif dates and dates.is_certain:
        kind, time_formats = "datetime", dates.formats
    elif dates:
        kind, to_do = "str", _to_choose(dates)
    else:
        numbers = [with_point(text) for text in present] if decimal == "," else present
        kind = _type(column.name, numbers)
    texts = texts if kind == "str" else present
    return replace(
        column,
        type=kind,
        time_formats=time_formats,
        to_do=to_do,
        is_nullable=len(texts) < len(values) or kind == "list[str]",
        values=values,
    )


def _to_choose(dates: DatesInFigures) -> tuple[str, ...]:
    day_first, month_first = dates.formats
    return (
        f"TO DO: in dates such as {dates.example}, the day or the month may stand first. Make it a",
        f'datetime, with metadata={{"time_formats": ["{day_first}"]}} or "{month_first}".',
    )


def _type(name: str, texts: Sequence[str]) -> str:
    def all_are(pattern: re.Pattern[str]) -> bool:
        return bool(texts) and all(pattern.fullmatch(text) for text in texts)

    if _ID_NAME.search(name):
        return "str"
    times = re.compile(f"{_TIME.pattern}|{_EPOCH.pattern}") if _TIME_NAME.search(name) else _TIME
    if all_are(times):
        return "datetime"
    if all_are(_WHOLE):
        return "int"
    if all_are(_NUMBER) and not any(re.match(r"[+-]?0\d", text) for text in texts):
        return "float"
    if texts and {text.lower() for text in texts} <= {"true", "false"}:
        return "bool"
    return "str"


def _key(columns: Sequence[InferredColumn]) -> str | None:
    """The first column with an identifier's name and with different values; `id` before others."""
    unique = [
        each
        for each in columns
        if each.type in ("str", "int")
        and not each.is_nullable
        and "." not in each.source
        and (_KEY_NAME.search(each.name) or _ID_NAME.search(each.name))
        and len(set(each.values)) == len(each.values)
    ]
    unique.sort(key=lambda each: (each.name != "id", not each.name.endswith(("id", "id_str"))))
    return unique[0].name if unique else None


def _event_time(columns: Sequence[InferredColumn], without: set[str]) -> str | None:
    """The best time: never missing, and named as the time of creation."""
    times = [
        each
        for each in columns
        if each.type == "datetime" and not each.is_nullable and each.name not in without
    ]
    best = re.compile(r"created|published|posted|timestamp|event_time")
    times.sort(key=lambda each: not best.search(each.name))
    return times[0].name if times else None


def _stream_name(path: Path) -> str:
    name = _snake(path.name.split(".")[0]).strip("_0123456789")
    return f"{name or 'my'}_stream" if name in LAYERS or not name else name


def _column_name(source: str, number: int, taken: Sequence[str]) -> str:
    parts = [part for part in (_snake(step) for step in source.split(".")) if part]
    name = parts[-1] if parts else f"column_{number}"
    if name in taken or name in ("id", "name", "text", "count"):
        name = "_".join(parts[-2:]) or name
    if name[0].isdigit():
        name = f"n_{name}"
    if (
        name in RESERVED
        or name == "event_time"
        or keyword.iskeyword(name)
        or hasattr(pa.DataFrameModel, name)
        or name in ("str", "int", "float", "bool", "list", "datetime", "pa")
        or name in CLAUSES
    ):
        name = f"{name}_value"
    while name in taken or match_key(name) in map(match_key, taken):
        name = f"{name}_{number}"
    return name[:90]


def _snake(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
