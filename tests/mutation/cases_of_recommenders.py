"""Mutations of the recommenders: issue 17, sequences, lists, and what is sent back of them."""

from __future__ import annotations

from tests.mutation.case import Case

_ITEM = "17 sequences"
_MATRIX = "tests/recsys/test_matrix.py::test_"
_NEXT = "tests/recsys/evaluation/test_next_item.py::test_"
_NETWORK = "tests/recsys/scoring/networks/test_self_attention.py::test_"
_PACKED = "tests/recsys/models/deep/test_packing.py::test_"
_VARIED = "tests/recsys/scoring/lists/test_varied_lists.py::test_"
_REASONS = "tests/recsys/scoring/lists/test_reasons.py::test_"
_SERVED = "tests/integration/serving/recommended/test_recommendations.py::test_"
_RECEIVED = "tests/integration/serving/recommended/test_received_events.py::test_"
_JOINED = "tests/integration/warehouse/features/test_recommendation_exposures.py::test_"
_RULED = "tests/integration/serving/recommended/test_ruled_lists.py::test_"
_EXPLORED = "tests/integration/serving/recommended/test_explored_posts.py::test_"
_BOUNDED = "tests/integration/serving/recommended/test_bounded_lists.py::test_"
_BANDIT = "tests/recsys/bandits/test_linear_thompson.py::test_"
_POLICY = "tests/recsys/evaluation/test_off_policy.py::test_"
_CODE = "social_assets/serving/recommended/"
_SELECT = "dbt/macros/features/recommendation_exposures_select.sql"

_MODELS: tuple[Case, ...] = tuple(
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
            "recsys/models/deep/packing.py",
            "np.where(place == 0, start, np.roll(targets, 1))",
            "targets",
            f"{_PACKED}each_place_reads_the_item_before_the_one_it_predicts",
        ),
        (
            "items that nobody had are offered",
            "recsys/scoring/networks/item_vectors.py",
            "    scores[:, ~known] = 0\n",
            "",
            f"{_NETWORK}who_has_nothing_and_what_nobody_had_score_zero_and_all_else_more",
        ),
        (
            "creators are not limited",
            "recsys/scoring/lists/choosing.py",
            "            open_ &= used < weights.most_of_creator\n",
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
            "recsys/scoring/lists/choosing.py",
            "wanted - weights.diversity * nearest",
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

_ONLINE: tuple[Case, ...] = tuple(
    Case("17 recommendations", what, file, old, new, test)
    for what, file, old, new, test in (
        (
            "a click is stored and not folded in",
            f"{_CODE}received.py",
            "        asked.services.lists.note_clicks(clicks)\n",
            "        pass\n",
            f"{_SERVED}a_click_on_a_recommendation_is_folded_in_at_once",
        ),
        (
            "new lists are not served",
            f"{_CODE}served_lists.py",
            "if (place := self.fresh.place(user)) >= 0:",
            "if (place := self.fresh.place(user)) > len(self.fresh):",
            f"{_SERVED}a_new_reaction_is_folded_in_and_its_post_left_out",
        ),
        (
            "lists of another model stay",
            f"{_CODE}served_lists.py",
            "if before is None or before.state != state:",
            "if before is None:",
            f"{_SERVED}a_new_version_of_the_model_is_served_with_its_lists",
        ),
        (
            "a key of an account sees all posts",
            f"{_CODE}recommendations.py",
            "return [each for each in entries if each.item_id in shown]",
            "return entries",
            f"{_SERVED}a_key_of_an_account_is_recommended_posts_of_that_account_only",
        ),
        (
            "a key that reads writes",
            f"{_CODE}received.py",
            "    check_may_write(caller)\n",
            "",
            f"{_RECEIVED}a_key_that_may_only_read_sends_nothing",
        ),
        (
            "feedback after the window belongs",
            _SELECT,
            "    where feedback.happened_at < first_shown.shown_at"
            " + interval {{ feedback_window_seconds() }} second\n",
            "",
            f"{_JOINED}feedback_at_the_end_of_the_window_does_not_belong",
        ),
    )
)

_EXPLORING: tuple[Case, ...] = tuple(
    Case("17 rules and new posts", what, file, old, new, test)
    for what, file, old, new, test in (
        (
            "lists by other rules are kept",
            "social_assets/recommend/top_n.py",
            " or not _is_by(client, rules)",
            "",
            f"{_RULED}lists_are_made_by_the_rules_and_the_answer_says_so",
        ),
        (
            "a fold-in has no rules",
            "social_assets/recommend/fresh_lists.py",
            "current_lists(client, present, rules, now, named)",
            "current_lists(client, present, ServedRules(), now, named)",
            f"{_RULED}a_fold_in_obeys_the_rules_of_the_table",
        ),
        (
            "what was shown does not change a list",
            "recsys/scoring/lists/current_lists.py",
            "        prints = prints ^ Histories(self.shown, nothing).fingerprints()\n",
            "",
            f"{_RULED}what_a_user_was_shown_lately_is_left_out_for_this_user",
        ),
        (
            "the chance that is told is that of all draws",
            f"{_CODE}explorer.py",
            "float(chances[at]) / total",
            "float(chances[at])",
            f"{_EXPLORED}posts_are_drawn_for_the_declared_places_with_their_chances",
        ),
        (
            "a new post is shown to who has it",
            f"{_CODE}explorer.py",
            "if post in listed or (post, user) in self.taken:",
            "if post in listed:",
            f"{_EXPLORED}no_user_is_shown_a_new_post_again_that_the_user_has",
        ),
        (
            "a worse policy is put to use",
            "social_assets/recommend/exploration/policy.py",
            "    passed = value.gain_high >= 0\n",
            "    passed = True\n",
            f"{_EXPLORED}a_policy_that_earns_less_than_what_was_shown_is_not_put_to_use",
        ),
        (
            "lists without a bound",
            f"{_CODE}served_lists.py",
            'only=_HELD if users > most_held else ""',
            'only=""',
            f"{_BOUNDED}a_list_that_is_not_held_is_read_when_it_is_asked_for",
        ),
        (
            "a chance of zero is taken",
            "recsys/evaluation/off_policy.py",
            "(self.chance > 0) & (self.chance <= 1)",
            "(self.chance >= 0) & (self.chance <= 1)",
            f"{_POLICY}what_says_nothing_is_refused",
        ),
        (
            "users are not drawn as a whole",
            "recsys/evaluation/off_policy.py",
            "    _, user = np.unique(logged.user, return_inverse=True)\n",
            "    user = np.arange(len(logged.user))\n",
            f"{_POLICY}entries_of_one_user_count_as_one_observation",
        ),
        (
            "every item counts as known as the next",
            "recsys/bandits/linear_thompson.py",
            "        own_root = np.linalg.cholesky(self.own_inverse[among]) * deviation\n",
            "        own_root = np.zeros_like(self.own_inverse[among])\n",
            f"{_BANDIT}an_item_that_was_never_shown_keeps_a_chance_where_little_is_known",
        ),
    )
)

CASES = _MODELS + _ONLINE + _EXPLORING
