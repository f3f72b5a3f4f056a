"""The SELECT of a plan.

Belongs here: SQL text. Values of people never stand in it: texts are parameters, keys are hashes,
names of zones are checked. One CTE a step: `parts` has partial values of each table, `top` the
groups that are answered, `merged` one row a bucket and group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from social_assets.metrics.dimension import Dimension, KeyDimension, TimePart
from social_assets.metrics.formula import Atom, Formula, Share
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.buckets import offsets_in
from social_assets.metrics.planner.plan import Kept, Piece, Plan
from social_assets.metrics.planner.question import OF_ACCOUNTS
from social_assets.metrics.registry import metric

_BUCKETS: Mapping[Grain, str] = {
    Grain.HOUR: "toUnixTimestamp(toStartOfHour({time})) - ({offset})",
    Grain.DAY: "toDate({time})",
    Grain.WEEK: "toMonday({time})",
    Grain.MONTH: "toStartOfMonth({time})",
    Grain.TOTAL: "0",
}


MOST_BYTES = 8 << 20
"""The longest text of a query: 10,000 groups of three dimensions take a megabyte."""


@dataclass(frozen=True)
class PlannedQuery:
    """SQL, and the values of its parameters. Columns: `bucket`, `group_0` ..., `metric_0` ..."""

    text: str
    parameters: Mapping[str, list[str]]


class _Parameters:
    """The texts that a query is given, by the names of its parameters."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}

    def texts(self, values: tuple[str, ...]) -> str:
        name = f"texts_{len(self.values)}"
        self.values[name] = list(values)
        return f"{{{name}:Array(String)}}"


def query_of(plan: Plan) -> PlannedQuery:
    """The query that answers a plan. Its rows come in any order."""
    parameters = _Parameters()
    groups = [_group(n) for n in range(len(plan.by))]
    is_cut = bool(groups) and (
        plan.question.grain is not Grain.TOTAL or plan.question.with_others or plan.kept is not None
    )
    steps: dict[str, str] = {}
    if plan.kept is not None and groups:
        steps["kept"] = _kept(plan, plan.kept, groups)
    steps["parts"] = _parts(plan, parameters)
    if is_cut:
        steps["top"] = _top(plan, groups)
    steps["merged"] = _merged(plan, groups, is_cut=is_cut)
    steps["answer"] = _answer(plan, groups)
    joined = ",\n\n".join(f"{name} AS (\n{_indented(text)}\n)" for name, text in steps.items())
    shown = [_shown(group, each) for group, each in zip(groups, plan.by, strict=True)]
    outside = f"\nWHERE ({', '.join(groups)}) IN (SELECT {', '.join(shown)} FROM top)"
    filtered = outside if is_cut and _shares(plan) and not plan.question.with_others else ""
    cut = "" if is_cut or not groups else _cut(plan, groups)
    text = f"WITH\n{joined}\n\nSELECT *\nFROM answer{filtered}{cut}"
    return PlannedQuery(text, parameters.values)


def _kept(plan: Plan, kept: Kept, groups: list[str]) -> str:
    """The groups that another query has chosen. Keys stand in the text, which may be long."""
    columns = [
        _values_of(dimension, values)
        for dimension, values in zip(plan.by, zip(*kept.groups, strict=True), strict=True)
    ]
    picked = [f"row.{n} AS {group}" for n, group in enumerate(groups, 1)]
    return (
        f"SELECT {', '.join(picked)}\n"
        f"FROM (SELECT arrayJoin(arrayZip(\n    {_listed(columns)}\n)) AS row)"
    )


def _values_of(dimension: Dimension, values: tuple[str, ...]) -> str:
    """An array of a dimension's values. Texts stand in the query in hex, so they are never SQL."""
    if isinstance(dimension, TimePart):
        return f"[{', '.join(str(int(value)) for value in values)}]"
    is_key = isinstance(dimension, KeyDimension)
    in_hex = [bytes.fromhex(each).hex() if is_key else each.encode().hex() for each in values]
    # A mark before each one, so that an empty text is an element too.
    split = f"splitByChar(',', '{','.join(f'x{each}' for each in in_hex)}')"
    value = "unhex(substring(each, 2))"
    return f"arrayMap(each -> {f'toFixedString({value}, 16)' if is_key else value}, {split})"


def _parts(plan: Plan, parameters: _Parameters) -> str:
    return "\nUNION ALL\n".join(_part(plan, piece, parameters) for piece in plan.pieces)


def _part(plan: Plan, piece: Piece, parameters: _Parameters) -> str:
    """Partial values of one table by bucket and group."""
    offset = _offset(plan, piece)
    time = f"({_instant(piece)} + ({offset}))"
    bucket = _BUCKETS[plan.question.grain].format(time=time, offset=offset)
    columns = [f"{bucket} AS bucket"]
    columns += [f"{_column(each, time)} AS {_group(n)}" for n, each in enumerate(plan.by)]
    for number, atom in enumerate(plan.atoms):
        columns.append(f"{_partial(plan, piece, atom, time, parameters)} AS {_atom(number)}")
    conditions = [_within(piece), *_filters(plan, time, parameters)]
    if plan.kept and plan.by and not (plan.kept.more or plan.question.with_others or _shares(plan)):
        own = ", ".join(_column(each, time) for each in plan.by)
        names = ", ".join(_group(n) for n in range(len(plan.by)))
        conditions.append(f"({own}) IN (SELECT {names} FROM kept)")
    grouped = ["bucket", *(_group(n) for n in range(len(plan.by)))]
    table = piece.rollup.table if piece.rollup else plan.subject.fact
    return (
        f"SELECT\n    {_listed(columns)}\nFROM {table}\n"
        f"WHERE {' AND '.join(conditions)}\nGROUP BY {', '.join(grouped)}"
    )


def _partial(plan: Plan, piece: Piece, atom: Atom, time: str, parameters: _Parameters) -> str:
    """An atom's value over the rows of a piece, to be merged with those of other pieces."""
    measure = plan.subject.measure(atom.measure)
    if piece.rollup and (column := piece.rollup.column_of(atom)):
        return replace(measure, name=column).from_rollup("", is_final=False)
    condition = _condition(plan, atom, time, parameters)
    partial = measure.from_rollup if piece.rollup else measure.from_fact
    return partial(condition, is_final=False)


def _top(plan: Plan, groups: list[str]) -> str:
    """The groups that are answered: the first ones by the ordering metric over the whole range."""
    names, kept = ", ".join(groups), plan.kept
    if kept is None:
        return _ranked(plan, names, "", plan.question.limit)
    if not kept.more:
        return f"SELECT {names}\nFROM kept"
    others = _ranked(plan, names, f"WHERE ({names}) NOT IN (SELECT {names} FROM kept)\n", kept.more)
    return f"SELECT {names}\nFROM kept\nUNION ALL\nSELECT {names}\nFROM (\n{_indented(others)}\n)"


def _ranked(plan: Plan, groups: str, condition: str, limit: int) -> str:
    names = [each.name for each in plan.metrics]
    is_own = plan.question.ordering in names
    ordering = metric(plan.question.ordering if is_own else names[0]).formula
    if isinstance(ordering, Share):
        ordering = ordering.of
    value = _merged_formula(plan, ordering)
    return (
        f"SELECT {groups}\nFROM parts\n{condition}GROUP BY {groups}\n"
        f"ORDER BY {value} {_way(plan)} NULLS LAST, {groups}\nLIMIT {limit}"
    )


def _way(plan: Plan) -> str:
    return "ASC" if plan.question.is_ascending else "DESC"


def _merged(plan: Plan, groups: list[str], *, is_cut: bool) -> str:
    inside = f"({', '.join(groups)}) IN (SELECT {', '.join(groups)} FROM top)"
    named = [f"{each} AS {each}" for each in groups]
    if is_cut and plan.question.with_others:
        named = [f"if({inside}, toNullable({each}), NULL) AS shown_{each}" for each in groups]
    atoms = [
        f"{plan.subject.measure(atom.measure).merged(_atom(n))} AS final_{_atom(n)}"
        for n, atom in enumerate(plan.atoms)
    ]
    keys = [each.rpartition(" AS ")[2] for each in named]
    is_inside = is_cut and not plan.question.with_others and not _shares(plan)
    return (
        f"SELECT\n    {_listed(['bucket', *named, *atoms])}\nFROM parts\n"
        + (f"WHERE {inside}\n" if is_inside else "")
        + f"GROUP BY {', '.join(['bucket', *keys])}"
    )


def _answer(plan: Plan, groups: list[str]) -> str:
    shown = "shown_" if plan.question.with_others else ""
    finals = {atom: f"final_{_atom(n)}" for n, atom in enumerate(plan.atoms)}
    columns = ["bucket"]
    for each, dimension in zip(groups, plan.by, strict=True):
        columns.append(f"{_shown(f'{shown}{each}', dimension)} AS {each}")
    for number, asked in enumerate(plan.metrics):
        columns.append(f"{asked.formula.sql(lambda atom: finals[atom])} AS metric_{number}")
    return f"SELECT\n    {_listed(columns)}\nFROM merged"


def _cut(plan: Plan, groups: list[str]) -> str:
    names = [each.name for each in plan.metrics]
    ordering = plan.question.ordering
    place = names.index(ordering) if ordering in names else 0
    return (
        f"\nORDER BY metric_{place} {_way(plan)} NULLS LAST, {', '.join(groups)}\n"
        f"LIMIT {plan.question.limit}"
    )


def _merged_formula(plan: Plan, formula: Formula) -> str:
    merged = {
        atom: plan.subject.measure(atom.measure).merged(_atom(n))
        for n, atom in enumerate(plan.atoms)
    }
    return formula.sql(lambda atom: merged[atom])


def _shares(plan: Plan) -> bool:
    return any(isinstance(each.formula, Share) for each in plan.metrics)


def _instant(piece: Piece) -> str:
    """A row's time, UTC."""
    if piece.rollup is None:
        return "toTimeZone(event_time, 'UTC')"
    return f"toDateTime({piece.rollup.time}, 'UTC')"


def _offset(plan: Plan, piece: Piece) -> str:
    """The zone's offset at a row's time, in seconds.

    The server is never asked for a zone: it would keep 4 MB for each one for as long as it runs,
    and its calendar might be another one than that of the buckets' edges.
    """
    changes = [(at, int(offset.total_seconds())) for at, offset in offsets_in(plan.question)]
    branches = [
        f"{_instant(piece)} < toDateTime('{at:%Y-%m-%d %H:%M:%S}', 'UTC'), {before}"
        for (_, before), (at, _) in pairwise(changes)
    ]
    return (
        f"multiIf({', '.join([*branches, str(changes[-1][1])])})"
        if branches
        else str(changes[0][1])
    )


def _column(dimension: Dimension, time: str) -> str:
    if isinstance(dimension, TimePart):
        return dimension.column.format(time=time)
    if isinstance(dimension, KeyDimension):
        return dimension.column
    return f"toString({dimension.column})"


def _shown(column: str, dimension: Dimension) -> str:
    """A group's value as the answer has it: keys in hex."""
    return f"lower(hex({column}))" if isinstance(dimension, KeyDimension) else column


def _condition(plan: Plan, atom: Atom, time: str, parameters: _Parameters) -> str:
    return " AND ".join(_equals(plan, name, values, time, parameters) for name, values in atom.only)


def _filters(plan: Plan, time: str, parameters: _Parameters) -> list[str]:
    return _accounts(plan) + [
        _equals(plan, each.dimension, each.values, time, parameters) for each in plan.question.where
    ]


def _accounts(plan: Plan) -> list[str]:
    """Rows of the question's accounts: pairs, since two platforms may use the same id."""
    if plan.question.accounts is None:
        return []
    columns = [_key(plan, name) for name in OF_ACCOUNTS]
    pairs = [
        f"({', '.join(c.literal_of(v) for c, v in zip(columns, pair, strict=True))})"
        for pair in plan.question.accounts
    ]
    named = ", ".join(column.column for column in columns)
    return [f"({named}) IN ({', '.join(pairs)})" if pairs else "0"]


def _key(plan: Plan, name: str) -> KeyDimension:
    found = plan.subject.dimension(name)
    if not isinstance(found, KeyDimension):
        raise KeyError(name)
    return found


def _equals(
    plan: Plan, name: str, values: tuple[str, ...], time: str, parameters: _Parameters
) -> str:
    dimension = plan.subject.dimension(name)
    if dimension is None:
        raise KeyError(name)
    column = _column(dimension, time)
    literals = [dimension.literal_of(value) for value in values]
    if None not in literals:
        return f"{column} IN ({', '.join(map(str, literals))})"
    if isinstance(dimension, TimePart):
        column = f"toString({column})"
    return f"has({parameters.texts(values)}, {column})"


def _within(piece: Piece) -> str:
    """The ranges of a piece, by partition first."""
    ranges = [_range(piece, begin, end) for begin, end in piece.ranges]
    return f"({' OR '.join(ranges)})" if len(ranges) > 1 else ranges[0]


def _range(piece: Piece, begin: datetime, end: datetime) -> str:
    first, last = begin.astimezone(UTC), end.astimezone(UTC)
    if piece.rollup is not None and piece.rollup.grain >= Grain.DAY:
        time = piece.rollup.time
        return f"({time} >= '{first.date()}' AND {time} < '{last.date()}')"
    time = piece.rollup.time if piece.rollup else "event_time"
    kind = "toDateTime('{}', 'UTC')" if piece.rollup else "toDateTime64('{}', 6, 'UTC')"
    pattern = "%Y-%m-%d %H:%M:%S" if piece.rollup else "%Y-%m-%d %H:%M:%S.%f"
    newest = (last - timedelta(microseconds=1)).date()
    return (
        f"(event_date >= '{first.date()}' AND event_date <= '{newest}'"
        f" AND {time} >= {kind.format(first.strftime(pattern))}"
        f" AND {time} < {kind.format(last.strftime(pattern))})"
    )


def _group(number: int) -> str:
    return f"group_{number}"


def _atom(number: int) -> str:
    return f"atom_{number}"


def _listed(columns: list[str]) -> str:
    return ",\n    ".join(columns)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
