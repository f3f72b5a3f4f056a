"""Mutations of the recommenders: issue 17, sequences and what is made of lists."""

from __future__ import annotations

from tests.mutation.case import Case

_ITEM = "17 sequences"
_MATRIX = "tests/recsys/test_matrix.py::test_"
_NEXT = "tests/recsys/evaluation/test_next_item.py::test_"
_NETWORK = "tests/recsys/scoring/test_self_attention.py::test_"
_PACKED = "tests/recsys/models/sequences/test_packing.py::test_"
_VARIED = "tests/recsys/scoring/lists/test_varied_lists.py::test_"
_REASONS = "tests/recsys/scoring/lists/test_reasons.py::test_"

CASES: tuple[Case, ...] = tuple(
    Case(_ITEM, what, file, old, new, test)
    for what, file, old, new, test in (
        (
            "a pair has any of its times",
            "recsys/matrix.py",
            "np.minimum.reduceat(times, first)",
            "times[first]",
            f"{_MATRIX}each_pair_has_the_time_when_the_user_first_had_the_item",
        ),
        (
            "histories are in the order of ids",
            "recsys/scoring/histories.py",
            "        return self.lists.indices[self.order()]\n",
            "        return self.lists.indices\n",
            f"{_NETWORK}the_network_reads_what_a_loop_by_the_paper_reads",
        ),
        (
            "the last item is learned as well",
            "recsys/evaluation/next_item.py",
            "matrix.keeping(~tested), matrix.keeping(tested)",
            "matrix, matrix.keeping(tested)",
            f"{_NEXT}the_last_item_of_each_user_is_tested_and_all_others_are_learned",
        ),
        (
            "a place predicts the item that it reads",
            "recsys/models/sequences/packing.py",
            "np.where(place == 0, start, np.roll(targets, 1))",
            "targets",
            f"{_PACKED}each_place_reads_the_item_before_the_one_it_predicts",
        ),
        (
            "items that nobody had are offered",
            "recsys/scoring/self_attention.py",
            "        scores[:, ~self.known] = 0\n",
            "",
            f"{_NETWORK}who_has_nothing_and_what_nobody_had_score_zero_and_all_else_more",
        ),
        (
            "creators are not limited",
            "recsys/scoring/lists/varied_lists.py",
            "            open_ &= used < rules.most_of_creator\n",
            "            open_ &= used >= 0\n",
            f"{_VARIED}at_most_so_many_items_of_a_creator_are_in_a_list",
        ),
        (
            "what was shown is offered again",
            "recsys/scoring/lists/varied_lists.py",
            "    if shown is None:\n",
            "    if True:\n",
            f"{_VARIED}what_a_user_was_shown_is_left_out_for_this_user_alone",
        ),
        (
            "what is alike does not matter",
            "recsys/scoring/lists/varied_lists.py",
            "wanted - rules.diversity * nearest",
            "wanted",
            f"{_VARIED}diversity_brings_other_tastes_into_a_list_and_keeps_its_best_item_first",
        ),
        (
            "items that weighed nothing are reasons",
            "recsys/scoring/lists/reasons.py",
            "    best = best[weights[best] > 0]\n",
            "",
            f"{_REASONS}popularity_has_no_reasons_and_a_single_item_is_one",
        ),
    )
)
