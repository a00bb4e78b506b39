"""Sixty ways in which money and access come apart elsewhere, what each proves here, and the tests that prove it.

Each name is a test of its own (`tests/scenarios/test_scenarios.py`), which fails when a test that it leans on is
gone. What is common to all: nothing is lost, nobody is charged twice for a period, access is what the money says
within the promised time, and the odd case can be seen.
"""

from dataclasses import dataclass

WEBHOOKS, DEBITS, ACCESS = (
    "tests/flows/test_webhooks.py",
    "tests/flows/test_debits.py",
    "tests/flows/test_access.py",
)
SIGNUP, MANDATES = "tests/flows/test_kajabi_signup.py", "tests/flows/test_mandates.py"
BACK, LEAVING, JOBS = (
    "tests/flows/test_money_back.py",
    "tests/flows/test_leaving.py",
    "tests/workers/test_jobs.py",
)
CRASHES = "tests/flows/test_crashes.py::test_a_story_survives_a_kill_after_every_effect"
CHAOS = "tests/chaos/test_chaos.py::test_a_short_run_in_all_storms_leaves_nothing_wrong"
PURCHASES, RENEWALS = "tests/processes/test_purchases.py", "tests/processes/test_renewals.py"
CATCHING_UP, DRIFT = "tests/flows/test_catching_up.py", "tests/flows/test_drift.py"
CALENDAR, HERE = "tests/domain/test_calendar.py", "tests/scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """`proves` is the outcome; `tests` are what pytest calls those that show it, separated by blanks.

    Without tests, it is an open promise, and `proves` says so.
    """

    name: str
    proves: str
    tests: str


CATALOGUE: tuple[Scenario, ...] = (
    # Webhooks in ----------------------------------------------------------------------------------
    Scenario("S01_one_webhook_ten_times", "one booking, one grant, one mail, also five at one instant",
             f"{WEBHOOKS}::test_a_webhook_books_once_however_often_it_comes "
             f"{WEBHOOKS}::test_five_webhooks_at_the_same_instant_book_once"),
    Scenario("S02_chargeback_told_before_the_payment", "the state is read, so the end is the same",
             f"{WEBHOOKS}::test_a_chargeback_heard_of_before_the_payment_ends_the_same"),
    Scenario("S03_webhook_lost", "the poller finds it within 360 s, ten minutes after the order too",
             f"{WEBHOOKS}::test_a_lost_webhook_is_made_up_for_within_six_minutes "
             f"{HERE}/test_messages.py::test_S03_a_webhook_lost_at_any_minute_is_found_within_six"),
    Scenario("S04_down_beyond_mollies_last_try", "being away for 27 hours loses nothing",
             f"{WEBHOOKS}::test_being_down_for_27_hours_loses_nothing"),
    Scenario("S05_webhook_before_our_own_answer", "it is booked, not dropped",
             f"{WEBHOOKS}::test_a_webhook_before_the_answer_to_our_own_request_is_booked "
             f"{WEBHOOKS}::test_a_webhook_finds_the_debit_whose_answer_was_lost"),
    Scenario("S06_webhook_and_return_at_once", "one transition, one mail",
             f"{HERE}/test_messages.py::test_S06_webhook_and_returning_buyer_at_once_book_once"),
    Scenario("S07_database_locked", "kept beside SQLite, or 503 in time; never 200 for what is not kept",
             f"{HERE}/test_messages.py::test_S07_while_the_database_is_held_nothing_is_acknowledged_that_is_not_kept "
             "tests/web/test_errors.py::test_without_its_database_a_page_asks_to_come_back_and_keeps_what_was_typed"),
    Scenario("S08_foreign_and_malformed_ids", "an equal answer, no state changed, no address reached",
             f"{WEBHOOKS}::test_an_id_that_mollie_cannot_have_given_reaches_no_address "
             f"{WEBHOOKS}::test_a_payment_of_another_mollie_account_costs_a_few_looks_and_no_more "
             "tests/security/test_forging.py::test_two_thousand_forged_webhooks_change_nothing_and_learn_nothing"),
    Scenario("S09_mollie_answers_nonsense", "nothing is booked, it is asked again",
             f"{WEBHOOKS}::test_an_answer_that_makes_no_sense_books_nothing_and_is_asked_again "
             f"{WEBHOOKS}::test_the_message_waits_while_mollie_cannot_be_read "
             f"{WEBHOOKS}::test_fields_that_mollie_adds_one_day_do_not_matter"),
    Scenario("S10_kajabi_messages_odd_and_doubled", "kept as they came, followed once, or set aside with a reason",
             f"{SIGNUP}::test_a_doubled_purchase_opens_one_sign_up_and_sends_one_mail "
             f"{SIGNUP}::test_what_cannot_be_understood_is_kept_and_set_aside_with_a_reason "
             "tests/adapters/test_kajabi_hooks.py::test_odd_bodies_are_refused_with_a_reason"),
    Scenario("S11_forged_kajabi_message", "it never lets anybody in and never moves money",
             f"{SIGNUP}::test_a_forged_purchase_changes_nothing_for_a_member_who_pays "
             f"{SIGNUP}::test_a_forged_purchase_never_lets_a_former_member_in"),
    Scenario("S12_clock_of_the_sender", "no message is believed by its own time or signature: each is only a hint to"
             " look, so there is nothing to replay; an old one changes nothing",
             f"{WEBHOOKS}::test_a_late_old_view_of_a_payment_takes_nothing_back "
             f"{HERE}/test_messages.py::test_S12_an_old_view_that_is_booked_late_undoes_nothing"),
    # Charging -------------------------------------------------------------------------------------
    Scenario("S13_timeout_before_mollie_got_it", "one charge with the same key",
             f"{DEBITS}::test_a_lost_answer_leads_to_one_debit"),
    Scenario("S14_timeout_after_mollie_did_it", "the same key finds the first payment",
             f"{DEBITS}::test_a_lost_answer_leads_to_one_debit "
             "tests/adapters/test_mollie_sandbox.py::test_after_any_disturbance_the_same_key_finds_the_one_payment "
             f"{HERE}/test_messages.py::test_S14_a_refusal_after_a_lost_answer_is_not_believed"),
    Scenario("S15_down_past_the_life_of_the_key", "look first, adopt",
             f"{DEBITS}::test_down_for_two_hours_after_a_lost_answer_looks_first"),
    Scenario("S16_request_arrives_late", "still one charge",
             f"{DEBITS}::test_a_request_that_arrives_when_we_gave_it_up_is_adopted"),
    Scenario("S17_kill_between_send_and_store", "a kill at every boundary, one charge",
             f"{CRASHES} {RENEWALS}::test_a_worker_killed_again_and_again_debits_everybody_once"),
    Scenario("S18_paused_between_claim_and_send", "what is too late is not sent",
             f"{DEBITS}::test_a_worker_that_slept_between_claim_and_send_sends_nothing "
             f"{RENEWALS}::test_a_worker_that_froze_for_longer_than_its_leases_charges_nobody_twice"),
    Scenario("S19_two_billers", "the unique key wins, the other does nothing",
             f"{DEBITS}::test_four_billers_and_workers_at_the_same_instant_debit_once "
             f"{RENEWALS}::test_two_clocks_and_two_workers_debit_everybody_once"),
    Scenario("S20_scheduler_dead_for_days", "each missed period once, one at a time",
             f"{DEBITS}::test_a_dead_scheduler_is_caught_up_with_one_period_at_a_time "
             f"{CATCHING_UP}::test_what_was_missed_is_collected_one_at_a_time_and_told_once"),
    Scenario("S21_scheduler_twice_and_clock_back", "no new charge",
             f"{DEBITS}::test_the_sweep_may_run_again_and_again_and_the_clock_may_go_back"),
    Scenario("S22_anchor_days", "no drift, gap or double in 1,200 months",
             f"{CALENDAR}::test_an_anchor_day_survives_1200_months "
             f"{CALENDAR}::test_a_leap_day_falls_back_to_28_february_and_returns "
             f"{DEBITS}::test_the_day_of_the_month_survives_short_months"),
    Scenario("S23_summer_time_and_zones", "a period is a day of the site's zone",
             f"{CALENDAR}::test_every_day_from_2010_to_2036_begins_at_its_first_instant "
             f"{DEBITS}::test_a_period_begins_at_midnight_in_amsterdam_in_summer_and_winter"),
    Scenario("S24_mandate_gone_before_the_call", "no charge, help begins",
             f"{MANDATES}::test_a_mandate_revoked_at_mollie_is_asked_for_again_and_never_debited "
             f"{MANDATES}::test_a_mandate_that_is_still_pending_is_waited_for"),
    Scenario("S25_failed_charge", "each try has its row and key, one open at a time, never more than the policy",
             "tests/flows/test_membership.py::test_a_bounced_debit_is_tried_twice_mailed_thrice_and_ends_access_after_grace "
             "tests/store/test_constraints.py::test_one_open_payment_per_charge"),
    Scenario("S26_cancelled_while_a_debit_runs", "it buys its period and no other follows",
             f"{LEAVING}::test_a_debit_under_way_is_honoured_and_buys_its_period"),
    Scenario("S27_double_click_and_two_tabs", "one open payment; of two paid, one goes back",
             "tests/web/test_checkout.py::test_two_tabs_pressed_at_once_make_one_payment "
             f"{WEBHOOKS}::test_two_sign_ups_paid_at_the_same_instant_leave_one"),
    Scenario("S28_price_changed_in_between", "the frozen amount counts; what differs from it opens nothing",
             "tests/web/test_checkout.py::test_a_changed_price_is_shown_again_before_it_is_asked "
             f"{WEBHOOKS}::test_a_payment_that_is_not_what_was_asked_for_books_nothing_and_opens_nothing"),
    # After payment --------------------------------------------------------------------------------
    Scenario("S29_refund_in_mollies_dashboard", "booked by reading, access by policy",
             f"{BACK}::test_a_full_refund_by_hand_ends_the_access_it_bought "
             f"{BACK}::test_a_partial_refund_by_hand_is_booked_and_changes_no_access"),
    Scenario("S30_refund_without_an_answer", "one refund",
             f"{BACK}::test_a_refund_whose_answers_are_lost_for_an_hour_is_looked_for_before_it_is_sent_anew"),
    Scenario("S31_chargeback_late_and_reversed", "out, then in again",
             f"{BACK}::test_a_chargeback_fifty_days_later_is_found_and_its_reversal_gives_access_back"),
    Scenario("S32_paid_after_expired", "recorded, granted, shown",
             f"{BACK}::test_a_payment_found_paid_after_we_took_it_for_expired_counts"),
    Scenario("S33_test_payment_for_a_live_site", "never access",
             f"{WEBHOOKS}::test_a_payment_that_is_not_what_was_asked_for_books_nothing_and_opens_nothing"),
    Scenario("S34_key_refused", "this site halts, others go on, nothing is lost",
             f"{MANDATES}::test_a_refused_key_halts_the_site_and_loses_nothing "
             f"{MANDATES}::test_other_sites_go_on_while_one_is_halted"),
    Scenario("S35_site_disconnected", "no new charges, its work waits and ends when it is back",
             f"{MANDATES}::test_work_of_a_site_without_a_key_waits_until_it_is_connected"),
    Scenario("S36_ledger_differs_from_mollie", "a cent that nothing explains is shown the same day",
             "tests/flows/test_recovery.py::test_a_cent_that_nothing_explains_stays_in_the_report "
             f"{BACK}::test_a_chargeback_fifty_days_later_is_found_and_its_reversal_gives_access_back"),
    # Access at Kajabi -----------------------------------------------------------------------------
    Scenario("S37_kajabi_away_for_an_hour", "within two minutes after it answers again",
             f"{ACCESS}::test_when_kajabi_answers_again_access_comes_within_two_minutes"),
    Scenario("S38_timeout_though_kajabi_did_it", "already granted counts as done, no second welcome",
             f"{ACCESS}::test_what_kajabi_did_without_saying_so_counts_as_done "
             "tests/adapters/test_kajabi_sandbox.py::test_kajabi_mails_only_when_asked"),
    Scenario("S39_grant_and_revoke_cross", "the newest wish wins",
             f"{ACCESS}::test_a_grant_that_lands_after_a_newer_revoke_is_set_right "
             f"{ACCESS}::test_a_grant_and_a_revoke_at_the_same_instant_end_right"),
    Scenario("S40_addresses_that_differ", "the id is kept to the letter; a stranger is never let in",
             f"{SIGNUP}::test_an_external_id_is_kept_to_the_letter_and_used_for_ever "
             f"{SIGNUP}::test_a_member_whom_kajabi_knows_by_an_unknown_id_is_left_to_the_owner"),
    Scenario("S41_offer_gone_or_address_wrong", "set aside for the owner, money untouched",
             f"{ACCESS}::test_a_wrong_address_is_the_owners_to_mend_and_money_is_not_touched"),
    Scenario("S42_two_purchases_of_one_offer", "stays in when one ends",
             f"{ACCESS}::test_a_member_with_two_purchases_stays_in_when_one_ends"),
    Scenario("S43_changed_by_hand_in_kajabi", "found each night, reported or mended",
             f"{DRIFT}::test_differences_are_reported_and_put_right_by_a_button "
             f"{DRIFT}::test_differences_are_put_right_by_themselves_where_the_owner_says_so"),
    Scenario("S44_many_grants_after_an_outage", "all get in, none is forgotten",
             f"{ACCESS}::test_many_members_get_in_after_an_outage_and_none_is_forgotten"),
    Scenario("S45_kajabi_says_200_and_means_no", "no success",
             f"{ACCESS}::test_a_page_to_log_in_is_no_success "
             "tests/adapters/test_kajabi_answers.py::test_every_answer_has_a_meaning_and_only_2xx_is_done"),
    Scenario("S46_cancel_undone_in_the_last_second", "exactly one of both, never out and charged",
             f"{HERE}/test_messages.py::test_S46_undone_at_the_last_moment_exactly_one_of_both_holds "
             f"{HERE}/test_messages.py::test_S46_called_off_before_it_was_paid_nothing_begins "
             f"{LEAVING}::test_after_the_day_a_cancellation_cannot_be_undone"),
    # Processes, queue, database -------------------------------------------------------------------
    Scenario("S47_kill_every_process", "right again within 30 s",
             f"{CHAOS} {PURCHASES}::test_a_worker_killed_again_and_again_loses_nobody "
             f"{PURCHASES}::test_webhooks_that_met_a_dead_web_come_again_and_are_followed"),
    Scenario("S48_the_same_job_twice_at_once", "the slower one changes nothing",
             f"{JOBS}::test_who_wakes_up_after_the_lease_says_so_quietly_and_spoils_nothing "
             f"{DEBITS}::test_a_worker_that_slept_while_another_sent_changes_nothing"),
    Scenario("S49_redis_killed_emptied_full", "webhooks are answered 200, all is right 30 s after it is back",
             f"{PURCHASES}::test_redis_killed_and_emptied_costs_no_webhook_and_no_buyer_her_access "
             "tests/workers/test_worker.py::test_redis_killed_and_back_empty_in_the_middle_of_rings_costs_no_row"),
    Scenario("S50_a_job_beyond_its_time", "calls have deadlines of their own; one slow row holds one thread",
             "tests/adapters/test_mollie_outcomes.py::test_a_body_that_only_drips_is_cut "
             "tests/workers/test_worker.py::test_a_slow_row_does_not_hold_up_the_others"),
    Scenario("S51_sqlite_with_four_writers", "no lost update; a full or read-only disk acknowledges nothing",
             "tests/store/test_concurrency.py::test_four_processes_lose_none_of_10000_updates "
             "tests/store/test_concurrency.py::test_a_killed_writer_lets_go_and_leaves_nothing "
             f"{HERE}/test_messages.py::test_S51_a_full_disk_acknowledges_nothing"),
    Scenario("S52_connection_cut_after_commit", "a death right after each commit repeats harmlessly",
             f"{CRASHES} {CHAOS}"),
    Scenario("S53_old_and_new_code_together", "machines that deploy at once take turns; a ring is only row ids",
             "tests/store/test_concurrency.py::test_machines_that_deploy_at_once_take_turns "
             "tests/adapters/test_queue_ring.py::test_no_json_value_gives_anything_but_ids_or_a_refusal"),
    Scenario("S54_restored_from_yesterday", "Mollie's books come before any charge: nobody is charged twice",
             "tests/flows/test_recovery.py::test_yesterdays_backup_charges_nobody_twice "
             "tests/flows/test_recovery.py::test_after_a_long_outage_mollies_books_come_first"),
    Scenario("S55_poison_row", "set aside after eight crashes, the others flow",
             f"{JOBS}::test_a_row_that_kills_its_worker_again_and_again_is_set_aside "
             f"{HERE}/test_messages.py::test_S55_one_member_who_cannot_be_billed_keeps_nobody_else_from_it"),
    Scenario("S56_key_rotation_interrupted", "old and new open; without keys nothing starts",
             "tests/security/test_secrets.py::test_a_rotation_killed_anywhere_leaves_every_secret_readable "
             "tests/config/test_settings.py::test_production_refuses_each_missing_setting_by_name"),
    # Abuse ----------------------------------------------------------------------------------------
    Scenario("S57_flood_of_forged_webhooks", "no call to Mollie for an unknown token, real ones go on",
             "tests/security/test_forging.py::test_two_thousand_forged_webhooks_change_nothing_and_learn_nothing"),
    Scenario("S58_other_peoples_links_and_ids", "404 everywhere",
             "tests/web/owner/test_routes.py::test_each_role_gets_what_it_may_and_nothing_of_another_site "
             "tests/web/portal/test_acts.py::test_somebody_elses_subscription_is_not_found "
             "tests/web/portal/test_door.py::test_a_session_or_link_of_another_site_is_not_found"),
    Scenario("S59_address_that_leads_inside", "refused when saved and when used",
             "tests/adapters/test_kajabi_urls.py::test_a_bad_address_is_refused_when_saved_and_when_used "
             "tests/adapters/test_kajabi.py::test_a_name_that_turned_inside_after_saving_is_refused_when_used"),
    Scenario("S60_writer_in_redis", "no code runs, at worst a delay",
             "tests/workers/test_doorbell.py::test_nothing_that_is_put_into_redis_by_hand_is_run "
             "tests/adapters/test_queue_ring.py::test_any_other_call_is_refused"),
)  # fmt: skip
