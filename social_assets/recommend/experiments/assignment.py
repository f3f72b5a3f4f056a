"""Which variant a unit gets: a function of salt and id, the same in Python and in ClickHouse.

Belongs here: the hash and the cut of its range. Nothing is stored, so that any service computes the
same variant, and a check compares what was logged with what should have been.

A unit has two places in [0, 1), from two hashes: whether it takes part (`share`), and its variant.
So a larger share keeps the variant of those who took part already.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import accumulate

from social_assets.recommend.experiments.definition import Experiment

_RANGE = 1 << 64
_SHARE = "share"


def place(salt: str, unit: str) -> int:
    """The place of a unit: 64 bits, uniform over units and independent of other salts."""
    return int.from_bytes(sha256(f"{salt}/{unit}".encode()).digest()[:8])


def variant_of(experiment: Experiment, unit: str) -> str | None:
    """The variant that a unit gets; None if it does not take part."""
    salt = experiment.salted_with
    if place(f"{salt}/{_SHARE}", unit) >= _cut(experiment.share):
        return None
    at = place(salt, unit)
    return next(name for name, below in _cuts(experiment) if at < below)


def variant_sql(experiment: Experiment, unit: str) -> str:
    """SQL of `variant_of`: the variant's name, or an empty text for a unit that has none."""
    salt = experiment.salted_with
    at = _place_sql(salt, unit)
    cuts = list(_cuts(experiment))
    cases = [f"{at} <= {below - 1}, '{name}'" for name, below in cuts[:-1]]
    chosen = f"multiIf({', '.join(cases)}, '{cuts[-1][0]}')"
    if experiment.share >= 1:
        return chosen
    return f"if({_place_sql(f'{salt}/{_SHARE}', unit)} >= {_cut(experiment.share)}, '', {chosen})"


def _place_sql(salt: str, unit: str) -> str:
    quoted = salt.replace("\\", "\\\\").replace("'", "\\'")
    hashed = f"SHA256(concat('{quoted}/', {unit}))"
    # The first eight bytes as a number, the first byte being the highest.
    return f"reinterpretAsUInt64(reverse(substring({hashed}, 1, 8)))"


def _cuts(experiment: Experiment) -> Iterator[tuple[str, int]]:
    """Each variant, and the place below which units have it if no earlier one has them."""
    total = sum(each.weight for each in experiment.variants)
    edges = accumulate(each.weight for each in experiment.variants)
    *inner, last = experiment.variants
    for variant, edge in zip(inner, edges, strict=False):
        yield variant.name, _cut(edge / total)
    yield last.name, _RANGE


def _cut(part: float) -> int:
    return min(_RANGE, int(part * _RANGE))
