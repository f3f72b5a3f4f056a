"""Finds the streams whose contract has changed and is not deployed, for `doctor` and `streams`.

Belongs here: the words. `pipeline.contracts` compares the contracts.
"""

from __future__ import annotations

from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import lake_root
from social_assets.lake.lake import Lake
from social_assets.pipeline.contracts.contract_in_force import contract_in_force

REMEDY = "`social-assets plan` shows the difference, `social-assets deploy` puts it in force"


def undeployed(home: Home) -> dict[str, str]:
    """What a deployment would change, in words, by stream."""
    lake = Lake(lake_root(home), locks=home.path / "locks")
    found = {each.name: contract_in_force(lake, each).undeployed for each in contracts()}
    return {stream: told for stream, told in found.items() if told}


def in_force(home: Home) -> list[Contract]:
    """The contract under which each stream is loaded."""
    lake = Lake(lake_root(home), locks=home.path / "locks")
    return [contract_in_force(lake, each).contract for each in contracts()]
