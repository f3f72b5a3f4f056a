"""What a complete profile tells: what the contract finds in the records of each platform."""

from __future__ import annotations

import ast
import re

from social_assets.contracts.registry import contract
from social_assets.warehouse.dbt.project import PROJECT

_ASKED = {"display_name", "biography", "picture_url", "website", "category", "country"}


def test_a_complete_profile_has_the_fields_that_its_platform_tells() -> None:
    text = (PROJECT / "macros" / "star" / "account_quality.sql").read_text()
    declared = re.search(r"macro profile_fields\(\).*?return\((\{.*?\})\)", text, re.DOTALL)
    assert declared
    found = {name: set(fields) for name, fields in ast.literal_eval(declared[1]).items()}
    sources = contract("profiles").sources
    assert found == {platform: _ASKED & set(paths) for platform, paths in sources.items()}
