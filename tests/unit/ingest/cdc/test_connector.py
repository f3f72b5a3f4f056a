"""The connector's configuration is made from the contract, and has no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resources.settings.secret_urls import UrlSettingError
from resources.settings.user_module import import_file
from social_assets.contracts.contract import TOPIC_PREFIX, Contract
from social_assets.ingest.cdc.connector import connector_config, password_variable
from social_assets.ingest.cdc.source_database import (
    SourceDatabaseError,
    address_of,
    source_address,
)

EXAMPLE = Path(__file__).parents[4] / "examples" / "change_capture" / "orders.py"
VARIABLE = "SOCIAL_ASSETS_CAPTURE_URL"


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Contract:
    monkeypatch.setenv(VARIABLE, "postgresql://me:se%40cret@db:5433/shop")
    module = import_file(EXAMPLE, "orders_of_the_example")
    assert module is not None
    contract = module.CONTRACT
    assert isinstance(contract, Contract)
    return contract


def test_a_configuration_names_the_variable_of_the_password(orders: Contract) -> None:
    config = connector_config(orders, address_of(orders))
    assert config["database.password"] == "${env:SOCIAL_ASSETS_CAPTURE_PASSWORD}"
    assert "cret" not in str(config)
    assert "cret" not in repr(address_of(orders))
    assert address_of(orders).password == "se@cret"
    assert (config["database.hostname"], config["database.port"]) == ("db", "5433")
    assert password_variable(VARIABLE + "__SHOP") == "SOCIAL_ASSETS_CAPTURE_PASSWORD__SHOP"


def test_changes_go_to_the_topic_of_the_stream(
    orders: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOPIC_PREFIX, "team.")
    config = connector_config(orders, address_of(orders))
    written = f"{config['topic.prefix']}.public.orders"
    assert re.fullmatch(config["transforms.route.regex"], written)
    assert config["transforms.route.replacement"] == "team.orders.public.orders"


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@db", "postgresql://db/shop", "mysql://me:secret@db/shop"]
)
def test_a_url_that_cannot_be_used_is_refused_without_the_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(UrlSettingError, match=VARIABLE) as refused:
        source_address(VARIABLE)
    assert "secret" not in str(refused.value)


def test_a_stream_without_a_database_names_the_variable(
    orders: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(SourceDatabaseError, match=VARIABLE):
        address_of(orders)
