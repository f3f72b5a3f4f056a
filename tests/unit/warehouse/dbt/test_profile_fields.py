"""What a complete profile tells is what the contract finds in the records of each platform."""

from __future__ import annotations

from jinja2 import Environment

from social_assets.contracts.registry import contract
from social_assets.warehouse.dbt.generated_macros import columns_of_platforms
from social_assets.warehouse.dbt.project import PROJECT


def test_a_complete_profile_has_the_fields_that_its_platform_tells() -> None:
    """As dbt reads the macros: `return` gives the value itself."""
    returned: list[object] = []
    environment = Environment(autoescape=True)
    environment.globals["return"] = returned.append
    macros = (
        columns_of_platforms() + (PROJECT / "macros" / "star" / "account_quality.sql").read_text()
    )
    module = environment.from_string(macros).module
    module.columns_of_platforms("profiles")  # type: ignore[attr-defined]
    module.profile_fields()  # type: ignore[attr-defined]
    found, asked = returned
    assert found == {name: [*paths] for name, paths in contract("profiles").sources.items()}
    assert set(asked) <= set(contract("profiles").columns)  # type: ignore[call-overload]
