"""Mutations of collection, pushes and text: tokens, budgets, marks, durability, scores."""

from __future__ import annotations

from tests.mutation.case import Case

_SIGNED = "tests/unit/ingest/webhooks/test_signatures.py::test_"
_SEGMENTS = "tests/integration/serving/webhooks/test_landing_segments.py::test_"
_RECEIVER = "tests/integration/serving/webhooks/test_receiver.py::test_"
_TOKENS = "tests/integration/ingest/connectors/test_renewal_of_tokens.py::test_"
_BUDGETS = "tests/integration/ingest/connectors/test_budgets.py::test_"
_MARKS = "tests/integration/ingest/connectors/test_marks_of_chains.py::test_"
_TRACKED = "tests/integration/control/test_tracked_accounts.py::test_"
_DUE = "tests/integration/pipeline/collection/test_collect_due.py::test_"
_PAGES = "tests/integration/pipeline/pages/test_landing_pages.py::test_"
_CHAMPION = "tests/unit/transform/text/test_champion.py::test_"
_SENTIMENT = "tests/integration/warehouse/text/test_sentiment_of_texts.py::test_"
_REBUILT = "tests/integration/pipeline/test_rebuilding_the_warehouse.py::test_"
_BEST = "tests/recsys/evaluation/test_best.py::test_"


def _cases(item: str, *taken_away: tuple[str, str, str, str, str]) -> list[Case]:
    return [Case(item, what, file, old, new, test) for what, file, old, new, test in taken_away]


PUSHES = _cases(
    "6.2 pushes",
    (
        "a delivery is stored whoever signed it",
        "social_assets/ingest/webhooks/signatures.py",
        "if not hmac.compare_digest(given.encode(), expected.encode()):",
        'if given == "":',
        f"{_SIGNED}one_changed_byte_of_the_body_is_refused",
    ),
    (
        "a recorded delivery is taken at any time",
        "social_assets/ingest/webhooks/signatures.py",
        "if abs(now - int(given[1])) > REPLAY_SECONDS:",
        "if now < 0:",
        f"{_SIGNED}a_signature_from_another_time_is_refused",
    ),
    (
        "the time of a signature is not signed",
        "social_assets/ingest/webhooks/signatures.py",
        'signed = given[1].encode() + b"." + body',
        "signed = body",
        f"{_SIGNED}a_right_signature_is_accepted",
    ),
    (
        "an event is answered before it is on the disk",
        "social_assets/serving/webhooks/landing_segments.py",
        "            os.fdatasync(segment.file)\n",
        "",
        f"{_SEGMENTS}a_segment_is_synced_before_the_write_returns",
    ),
    (
        "the segment of a live process is sealed by another",
        "social_assets/serving/webhooks/landing_segments.py",
        "        fcntl.flock(file, fcntl.LOCK_EX)\n        _sync_folder(folder)\n",
        "        _sync_folder(folder)\n",
        f"{_SEGMENTS}the_segment_of_a_live_process_is_left_alone",
    ),
    (
        "a full disk leaves half a line",
        "social_assets/serving/webhooks/landing_segments.py",
        "            self._cut_off(stream, segment)\n",
        "",
        f"{_SEGMENTS}a_full_disk_loses_nothing_and_leaves_no_half_line",
    ),
    (
        "what could not be stored is answered 200",
        "social_assets/serving/webhooks/group_commit.py",
        "            raise NotDurableError(failure)\n",
        "            return\n",
        f"{_RECEIVER}a_full_disk_is_answered_503_until_there_is_room",
    ),
)
COLLECTION = _cases(
    "6.3 collection",
    (
        "processes renew one token at the same time",
        "social_assets/ingest/connectors/engine/token_keeper.py",
        "            if tokens.access_token != used.access_token:\n"
        "                # Another process has renewed it meanwhile.\n"
        "                return tokens\n",
        "",
        f"{_TOKENS}processes_that_renew_at_once_send_one_request",
    ),
    (
        "a renewed token is used and not stored",
        "social_assets/ingest/connectors/engine/token_keeper.py",
        "        self._store.refreshed(record, renewed)\n",
        "",
        f"{_TOKENS}a_token_is_renewed_before_it_ends_and_the_new_one_is_used",
    ),
    (
        "a refresh token that is not given anew is forgotten",
        "social_assets/ingest/connectors/engine/token_keeper.py",
        "refresh_token=refresh if isinstance(refresh, str) and refresh else old.refresh_token,",
        "refresh_token=refresh if isinstance(refresh, str) and refresh else None,",
        f"{_TOKENS}google_gives_no_refresh_token_and_the_old_one_is_kept",
    ),
    (
        "an interrupted renewal leaves no mark",
        "social_assets/ingest/connectors/engine/token_keeper.py",
        "        self._store.refresh_begins(record.id)\n",
        "",
        f"{_TOKENS}killed_between_the_answer_and_its_storage_the_reason_tells_it",
    ),
    (
        "the calls of a killed process count for nothing",
        "social_assets/ingest/connectors/engine/budgets.py",
        "(charge.bucket, charge.cost, at + LEASE_SECONDS + charge.window.seconds),",
        "(charge.bucket, charge.cost, at),",
        f"{_BUDGETS}a_call_of_a_process_that_was_killed_counts_for_its_lease",
    ),
    (
        "what others use of a limit is passed over",
        "social_assets/ingest/connectors/engine/budgets.py",
        "            if used > own:\n",
        "            if used < 0:\n",
        f"{_BUDGETS}what_others_use_is_taken_from_headers",
    ),
    (
        "a time of the future hides all posts until then",
        "social_assets/ingest/connectors/engine/marks.py",
        "return None if time is None or time > now + timedelta(minutes=5) else time.isoformat()",
        "return None if time is None else time.isoformat()",
        f"{_MARKS}a_time_of_the_future_moves_no_mark",
    ),
    (
        "a page in another order ends a chain",
        "social_assets/ingest/connectors/engine/marks.py",
        "return is_newest_first and read[0] < known - since.margin",
        "return read[0] < known - since.margin",
        f"{_MARKS}a_page_that_is_not_newest_first_stops_nothing",
    ),
    (
        "reading stops at the mark without a margin",
        "social_assets/ingest/connectors/engine/marks.py",
        "return is_newest_first and read[0] < known - since.margin",
        "return is_newest_first and read[0] < known",
        f"{_MARKS}reading_stops_at_what_is_known_and_a_margin_before_it",
    ),
    (
        "one account is collected under two names",
        "social_assets/control/collection/tracked_accounts.py",
        "            if other is not None:\n",
        "            if other == name:\n",
        f"{_TRACKED}an_account_under_two_names_is_collected_once",
    ),
    (
        "a collection that goes on asks about all posts again",
        "social_assets/pipeline/collection/due_chains.py",
        "return place.collected_at > begin",
        "return False",
        f"{_DUE}a_collection_that_goes_on_leaves_out_the_posts_that_it_has_asked_about",
    ),
    (
        "an account that nobody may ask for has no endpoint",
        "social_assets/pipeline/collection/account_endpoints.py",
        "return found or self.connector.endpoints_of(is_own=True)",
        "return found",
        f"{_DUE}an_account_that_nobody_may_ask_for_says_what_it_lacks_and_goes_on_when_it_has_it",
    ),
)
MADE_OF_IT = _cases(
    "6.4 made of it",
    (
        "pages that have landed land again after a crash",
        "social_assets/pipeline/pages/land_pages.py",
        "        if (stores.raw.applied_version(applied.app_id) or 0) >= batch.version:\n",
        "        if batch.version < 0:\n",
        f"{_PAGES}a_batch_whose_promotion_was_not_recorded_lands_once",
    ),
    (
        "positions of chains are not promoted",
        "social_assets/pipeline/pages/land_pages.py",
        "        self.promote(batch.promotion)\n",
        "",
        f"{_PAGES}pages_pass_all_steps_and_their_positions_are_promoted",
    ),
    (
        "a rebuilt warehouse does not know what it has loaded",
        "social_assets/pipeline/rebuild_warehouse.py",
        "                _record_loaded(each)\n",
        "                pass\n",
        f"{_REBUILT}a_rebuild_stopped_before_batches_are_recorded_doubles_no_row",
    ),
    (
        "a text keeps its score when it changes",
        "social_assets/transform/text/sentiment.py",
        '  AND (platform, text_id, account_id, post_id, event_time, text_hash) IN (\\n"\n'
        '        "    SELECT platform, text_id, account_id, post_id, event_time, text_hash\\n"',
        '  AND (platform, text_id, account_id, post_id, event_time) IN (\\n"\n'
        '        "    SELECT platform, text_id, account_id, post_id, event_time\\n"',
        f"{_SENTIMENT}a_changed_text_is_scored_again_and_a_text_that_is_gone_loses_its_row",
    ),
    (
        "another version of the model keeps the scores",
        "social_assets/transform/text/sentiment.py",
        "AND model_version = {version:String}",
        "AND {version:String} != ''",
        f"{_SENTIMENT}another_version_scores_all_texts_again",
    ),
    (
        "a text model that is no better is promoted",
        "social_assets/transform/text/champion.py",
        "        return self.gain.low > 0\n",
        "        return self.gain.high >= 0\n",
        f"{_CHAMPION}a_challenger_that_is_as_good_does_not_win",
    ),
    (
        "models are trained on the texts that they are evaluated on",
        "social_assets/transform/text/labels.py",
        "    learned = [not held for held in held_out]\n",
        "    learned = [True for held in held_out]\n",
        f"{_CHAMPION}a_fifth_is_held_out_and_a_text_is_on_one_side_alone",
    ),
    (
        "a damaged text model scores",
        "social_assets/transform/text/registry.py",
        '    if entry_of(content) != FileEntry(**manifest["files"][_ARRAYS]):\n',
        "    if not content:\n",
        "tests/unit/transform/text/test_registry.py::test_"
        "a_damaged_file_is_refused_by_name_and_written_anew_by_the_next_training",
    ),
    (
        "a champion that the lexicon beats passes its check",
        "social_assets/quality/text_models.py",
        "        return self.gain is not None and self.gain.high < 0\n",
        "        return False\n",
        "tests/unit/quality/test_text_models.py::test_"
        "a_champion_is_not_right_if_the_lexicon_is_better_beyond_the_interval",
    ),
    (
        "blends are not tried",
        "recsys/evaluation/best.py",
        "    _try_blends(trials, began + seconds)\n    best = trials.best()\n",
        "    best = trials.best()\n",
        f"{_BEST}blends_of_the_best_three_are_tried_and_the_best_of_all_is_chosen",
    ),
)
CASES = [*PUSHES, *COLLECTION, *MADE_OF_IT]
