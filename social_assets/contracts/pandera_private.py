"""Parts of pandera that it does not export, and that compile a contract's checks.

Belongs here: every import from `pandera.api` and `pandera.backends`. A check of a contract is
compiled to a column of Ibis by the function that pandera's Ibis backend calls; pandera itself
offers validation of whole tables only.
"""

from typing import cast

import ibis.expr.operations as ops
import ibis.expr.types as ir
from pandera.api.checks import Check
from pandera.api.ibis.types import IbisData
from pandera.backends.ibis.checks import IbisCheckBackend
from pandera.backends.ibis.register import register_ibis_backends

CHECKED_AGAINST = "0.35"
"""The release of pandera in which these parts were checked."""

__all__ = ["CHECKED_AGAINST", "Check", "passes", "register_ibis_backends"]


def passes(table: ir.Table, column: str, check: Check) -> ir.BooleanValue:
    """Compile one pandera check to a column of the table, without validating anything.

    A check of pandera's Ibis backend returns a table of one boolean column (built-in checks) or the
    column itself (checks written in a contract).
    """
    backend = cast(IbisCheckBackend, check.get_backend(table)(check))
    answer = backend.check_fn(IbisData(table, column))
    if isinstance(answer, ir.Table):
        (value,) = answer.op().values.values()
        answer = value.to_expr()
    return _in_fixed_order(answer)


def _in_fixed_order(passing: ir.BooleanValue) -> ir.BooleanValue:
    """Values of `isin` and `notin` sorted: pandera gives them in another order in each process."""
    found = passing.op()
    if isinstance(found, ops.Not):
        return ~_in_fixed_order(found.arg.to_expr())
    if isinstance(found, ops.InValues):
        options = sorted(found.options, key=lambda each: repr(each.__args__))
        return found.copy(options=tuple(options)).to_expr()
    return passing
