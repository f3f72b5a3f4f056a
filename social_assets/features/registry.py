"""All feature views, found in `declared`, and look-ups by name.

Belongs here: finding and checking declarations.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from importlib import import_module

from social_assets.features import declared as package
from social_assets.features.errors import FeatureDeclarationError, FeatureError
from social_assets.features.feature_view import ENTITIES, Entity, FeatureView
from social_assets.features.history import EXPIRES_AT, KNOWN_AT

_TAKEN = ("platform", "id", "at", "row", "platform_key", KNOWN_AT, EXPIRES_AT)


@cache
def views() -> tuple[FeatureView, ...]:
    """All views, in the order of their names. Raises FeatureDeclarationError."""
    declared: list[FeatureView] = []
    for module in pkgutil.iter_modules(package.__path__):
        declared += import_module(f"{package.__name__}.{module.name}").VIEWS
    found = tuple(sorted(declared, key=lambda view: view.name))
    check_views(found)
    return found


def views_of(entity: Entity) -> tuple[FeatureView, ...]:
    """The views of an entity."""
    return tuple(each for each in views() if each.entity == entity)


def view_named(name: str) -> FeatureView:
    """The view of this name. Raises FeatureError, which names similar ones."""
    for each in views():
        if each.name == name:
            return each
    raise FeatureError(f"no feature view is named {name!r}{_hint(name, [v.name for v in views()])}")


def entity_named(name: str) -> Entity:
    """The entity of this name. Raises FeatureError."""
    for each in ENTITIES:
        if each.name == name:
            return each
    listed = ", ".join(each.name for each in ENTITIES)
    raise FeatureError(f"{name!r} is no entity; entities are {listed}")


def views_with(entity: Entity, names: Sequence[str]) -> list[FeatureView]:
    """The views that have the features. Raises FeatureError for a name that none has."""
    found: list[FeatureView] = []
    for name in names:
        having = [view for view in views_of(entity) if name in view.names]
        if not having:
            hint = _hint(name, [each for view in views_of(entity) for each in view.names])
            raise FeatureError(f"no feature of entity {entity.name} is named {name!r}{hint}")
        found += [view for view in having if view not in found]
    return found


def check_views(found: Sequence[FeatureView]) -> None:
    """Raise FeatureDeclarationError for names that are used twice, or that SQL needs itself."""
    names = [view.name for view in found]
    for name in names:
        if names.count(name) > 1:
            raise FeatureDeclarationError(f"two feature views are named {name}; rename one")
    for entity in ENTITIES:
        features = [f.name for v in found if v.entity == entity for f in v.features]
        for name in features:
            if features.count(name) > 1 or name in (*_TAKEN, entity.key):
                raise FeatureDeclarationError(
                    f"feature {name} of entity {entity.name}: the name is taken; choose another"
                )


def _hint(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""
