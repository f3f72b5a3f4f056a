"""Persons against a union-find that is written plainly: orders, late links, removed links."""

from __future__ import annotations

import random

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from social_assets.transform.identity.identities import parts_of
from social_assets.transform.identity.persons import (
    Merges,
    Persons,
    changes_of,
    persons_of,
    wrong_merges,
)

Link = tuple[str, str]
Table = dict[str, str]

NAMES = [
    f"{platform}\0{number}" for platform in ("Facebook", "Instagram", "X") for number in "0189"
]
LINKS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=14)


def texts(values: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([values], pa.large_string())


def persons(links: list[Link]) -> Table:
    found = persons_of(texts([a for a, _ in links]), texts([b for _, b in links]))
    return as_table(found)


def as_table(found: Persons) -> Table:
    pairs = list(zip(found.identity.to_pylist(), found.person.to_pylist(), strict=True))
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def naive(links: list[Link]) -> Table:
    """Groups joined one link after another; each person has the name of the smallest identity."""
    groups: dict[str, set[str]] = {}
    for a, b in links:
        joined = groups.get(a, {a}) | groups.get(b, {b})
        groups.update(dict.fromkeys(joined, joined))
    return {name: min(group) for name, group in groups.items()}


class Stored:
    """What a store holds: rows by key, changed as `changes_of` says."""

    def __init__(self) -> None:
        self.persons: Table = {}
        self.merges: Table = {}

    def update(self, links: list[Link]) -> set[str]:
        """Take the links as all that there are; returns the identities whose rows were written."""
        after = persons_of(texts([a for a, _ in links]), texts([b for _, b in links]))
        changes = changes_of(self.before(), self.recorded(), after)
        for identity in changes.gone.to_pylist():
            del self.persons[identity]
        for person in changes.unmerged.to_pylist():
            del self.merges[person]
        written = as_table(changes.persons)
        self.persons |= written
        merged = changes.merges
        self.merges |= dict(zip(merged.person.to_pylist(), merged.into.to_pylist(), strict=True))
        return set(written)

    def before(self) -> Persons:
        return Persons(texts(list(self.persons)), texts(list(self.persons.values())))

    def recorded(self) -> Merges:
        return Merges(texts(list(self.merges)), texts(list(self.merges.values())))

    def followed(self, person: str) -> str:
        seen = set()
        while person in self.merges:
            assert person not in seen, "the merges lead in a circle"
            seen.add(person)
            person = self.merges[person]
        return person


@given(LINKS)
def test_persons_are_those_of_a_plain_union_find(links: list[Link]) -> None:
    assert persons(links) == naive(links)


@given(LINKS, st.randoms())
def test_neither_order_nor_direction_nor_repetition_of_links_matters(
    links: list[Link], chance: random.Random
) -> None:
    other = [link if chance.random() < 0.5 else link[::-1] for link in links + links[:3]]
    chance.shuffle(other)
    assert persons(other) == persons(links)


@given(LINKS, LINKS)
def test_a_late_link_changes_only_the_persons_that_it_joins(
    early: list[Link], late: list[Link]
) -> None:
    before, after = persons(early), persons(early + late)
    for name, person in before.items():
        group = {each for each, named in after.items() if named == after[name]}
        if group == {each for each, named in before.items() if named == person}:
            assert after[name] == person


@given(st.lists(LINKS, max_size=5))
def test_links_that_come_in_parts_give_what_all_of_them_give_at_once(
    parts: list[list[Link]],
) -> None:
    stored, links = Stored(), []
    for part in parts:
        links += part
        before = dict(stored.persons)
        written = stored.update(links)
        assert stored.persons == naive(links)
        assert written == {n for n, person in naive(links).items() if before.get(n) != person}
        # A person that ever was leads to the person that it is now.
        assert all(stored.followed(name) == stored.persons[name] for name in stored.persons)
        assert stored.update(links) == set()


@settings(max_examples=300)
@example([[("d", "c")], [("d", "b"), ("c", "b")], [("d", "b"), ("c", "a")]])
@given(st.lists(LINKS, max_size=6))
def test_links_that_are_removed_part_persons_and_no_merge_leads_astray(
    states: list[list[Link]],
) -> None:
    stored = Stored()
    for links in states:
        stored.update(links)
        assert stored.persons == naive(links)
        assert all(stored.followed(name) == stored.persons[name] for name in stored.persons)
        assert stored.merges.keys() == {n for n, person in stored.persons.items() if n != person}
        assert len(wrong_merges(stored.before(), stored.recorded())) == 0


def test_a_merge_that_was_recorded_stays_when_its_person_is_merged_again() -> None:
    stored = Stored()
    stored.update([("c", "b")])
    stored.update([("c", "b"), ("b", "a")])
    assert stored.merges == {"c": "b", "b": "a"}
    assert stored.persons == {"a": "a", "b": "a", "c": "a"}


def test_merges_in_a_circle_or_to_another_person_are_found_and_mended() -> None:
    stored = Stored()
    links = [("a", "b"), ("c", "d"), ("d", "e")]
    stored.update(links)
    for wrong in ({"b": "a", "d": "e", "e": "d"}, {"b": "c", "d": "c", "e": "c"}, {"b": "a"}):
        stored.merges = dict(wrong)
        found = wrong_merges(stored.before(), stored.recorded()).to_pylist()
        assert found == [n for n in "abcde" if stored.persons[n] != wrong_end(n, wrong)]
        stored.update(links)
        assert len(wrong_merges(stored.before(), stored.recorded())) == 0


def wrong_end(name: str, merges: Table) -> str | None:
    for _ in range(9):
        if name not in merges:
            return name
        name = merges[name]
    return None


def test_a_person_that_is_unknown_is_in_no_merge() -> None:
    stored = Stored()
    stored.merges = {"x": "y", "z": "z"}
    assert wrong_merges(stored.before(), stored.recorded()).to_pylist() == ["x", "z"]
    stored.update([])
    assert stored.merges == {}


def test_identities_sort_by_platform_and_then_by_id_and_have_both_again() -> None:
    found = persons_of(texts(["XY\0a", "X\0b"]), texts(["X\0a\0c", "X\0b"])).identity
    assert found.to_pylist() == ["X\0a\0c", "X\0b", "XY\0a"]
    assert [part.to_pylist() for part in parts_of(found)] == [["X", "X", "XY"], ["a\0c", "b", "a"]]
