"""The error of a change that a deployment can't make, and the way out of it.

Belongs here: what the steps of a deployment share when they refuse it.
"""

from __future__ import annotations


class ContractNotDeployableError(RuntimeError):
    """A change that a deployment can't make; names the stream, the change and the remedy."""


REMEDY = (
    "Nothing was changed. Take the change back; or declare the contract under another name, with "
    "the same topic in place of this one: its tables are made from the files, loaded again, and "
    "from the topic's beginning"
)
