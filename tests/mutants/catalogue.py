"""Deliberate mistakes, each of a kind that has cost somebody money, and the test that must notice it.

A mistake is an exact piece of source and what stands there instead; `caught_by` is what pytest is given.
What is taken away is a defence: that its test fails without it proves that the test looks, and that nothing
else hides the hole.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` says what is wrong."""

    name: str
    path: str
    old: str
    new: str
    caught_by: str


PAYMENTS = "workers/payments.py"
WORK = "linkpay/store/work.py"

CATALOGUE: tuple[Mutant, ...] = (
    # Money in three strokes ------------------------------------------------------------------------
    Mutant(
        "no idempotency key is sent", "linkpay/adapters/mollie_calls.py",
        "call.method, call.path, call.data, call.params, call.idempotency_key\n",
        'call.method, call.path, call.data, call.params, ""\n',
        "tests/flows/test_debits.py",
    ),
    Mutant(
        "each try has a new key", "linkpay/services/debits.py",
        "idempotency_key=payment.idempotency_key,", "idempotency_key=str(uuid.uuid4()),",
        "tests/flows/test_debits.py",
    ),
    Mutant(
        "the moment of a key's first use is not kept", "linkpay/services/debits.py",
        "        payment.key_used_at = now\n    return Sending(", "        pass\n    return Sending(",
        "tests/flows/test_debits.py",
    ),
    Mutant(
        "no answer counts as refused", PAYMENTS,
        "            debits.outcome_unknown(tx, row.target_id)\n        raise\n",
        "            settlement.attempt_refused(tx, row.target_id, None, parts.clock.now())\n"
        "            work.finish(tx, row, parts.clock.now())\n        return\n",
        "tests/flows/test_debits.py",
    ),
    Mutant(
        "one answer that something is missing sets a search aside", PAYMENTS,
        "    with absence.doubted(parts.clock, row):\n", "    if True:\n",
        "tests/flows/test_debits.py",
    ),
    Mutant(
        "nobody looks before a new key", PAYMENTS,
        "    found = _found(parts, row, sending)\n", "    found = None\n",
        "tests/flows/test_debits.py",
    ),
    Mutant(
        "no quiet time before looking", "linkpay/domain/strokes.py",
        "QUIET = timedelta(minutes=10)", "QUIET = timedelta(0)",
        "tests/domain/test_strokes.py",
    ),
    Mutant(
        "a paused process sends late", "linkpay/domain/strokes.py",
        "    return now - claimed_at > SEND_WITHIN\n", "    return False\n",
        "tests/domain/test_strokes.py",
    ),
    Mutant(
        "a key is used for a day", "linkpay/domain/strokes.py",
        "KEY_LIFE = timedelta(minutes=45)", "KEY_LIFE = timedelta(hours=24)",
        "tests/domain/test_strokes.py",
    ),
    Mutant(
        "a refusal after an unknown outcome is believed", PAYMENTS,
        "        found = _found(parts, row, sending) if sending.repeated else None\n        if found is None:\n",
        "        found = None\n        if found is None:\n",
        "tests/scenarios/test_messages.py",
    ),
    Mutant(
        "what was cancelled is sent all the same", "linkpay/services/debits.py",
        "        return charge.failed_at is None and charge.starts_on < subscription.cancel_on\n",
        "        return True\n",
        "tests/flows/test_leaving.py::test_a_retry_prepared_before_the_cancellation_is_not_sent_after_it",
    ),
    Mutant(
        "all missed months are collected at once", "linkpay/services/billing.py",
        "    if charges.has_unsettled(tx, subscription.id):\n", "    if False:\n",
        "tests/flows/test_catching_up.py",
    ),
    Mutant(
        "what was paid twice is kept", "linkpay/services/settlement.py",
        "    if charge.money.surplus_cents > 0:\n", "    if False:\n",
        "tests/flows/test_money_back.py tests/flows/test_refunds.py",
    ),
    Mutant(
        "any payment is believed to be the one that was asked for", "linkpay/services/settlement.py",
        '    return ", ".join(wrong) or None\n', "    return None\n",
        "tests/flows/test_webhooks.py",
    ),
    Mutant(
        "an old sighting overtakes a newer one", "linkpay/services/settlement.py",
        "    if payment.status is None or told is None or known is None or told >= known:\n", "    if True:\n",
        "tests/scenarios/test_messages.py",
    ),
    # Messages and work ----------------------------------------------------------------------------
    Mutant(
        "a webhook is acknowledged whatever becomes of it", "linkpay/web/webhooks.py",
        "        _keep(token, \"mollie\", ids[0], ids[0].encode())\n",
        "        try:\n            _keep(token, \"mollie\", ids[0], ids[0].encode())\n"
        "        except Exception:\n            pass\n",
        "tests/web/test_errors.py",
    ),
    Mutant(
        "a webhook that came before the answer is dropped", "workers/messages.py",
        '        payment = charges.payment_by_uid(tx, row.site_id, seen.payment.metadata.get("linkpay", ""))\n',
        "        pass\n",
        "tests/flows/test_webhooks.py",
    ),
    Mutant(
        "nobody looks for lost webhooks", "linkpay/services/debits.py",
        "def _owe_poll(tx: Tx, payment: Payment, at: datetime, now: datetime) -> None:\n",
        "def _owe_poll(tx: Tx, payment: Payment, at: datetime, now: datetime) -> None:\n    return\n",
        "tests/flows/test_stories.py::test_a_story_ends_the_same_when_no_webhook_ever_comes",
    ),
    Mutant(
        "two workers may hold one row", WORK,
        '            or_(columns.leased_until.is_(None), columns.leased_until <= bindparam("moment")),\n', "",
        "tests/store/test_work.py",
    ),
    Mutant(
        "who lost her lease still finishes", WORK,
        '            columns.lease == bindparam("old_lease"),\n', "",
        "tests/store/test_work.py",
    ),
    Mutant(
        "a row that kills its worker is tried for ever", "workers/jobs.py",
        "    if row.crashes < work.CRASH_LIMIT:\n", "    if True:\n",
        "tests/workers/test_jobs.py",
    ),
    Mutant(
        "a mail counts as sent before it is", "workers/duties.py",
        "    parts.mailer.send(letter)\n    now = parts.clock.now()\n\n    def left(tx: Tx) -> None:\n"
        "        letters.mark_sent(tx, row.target_id, now)\n        if row.last_error is not None:\n"
        "            letters.let_in(tx, row.site_id, now)\n        work.finish(tx, row, now)\n\n"
        "    parts.together.write(left)\n",
        "    now = parts.clock.now()\n\n    def left(tx: Tx) -> None:\n"
        "        letters.mark_sent(tx, row.target_id, now)\n        if row.last_error is not None:\n"
        "            letters.let_in(tx, row.site_id, now)\n        work.finish(tx, row, now)\n\n"
        "    parts.together.write(left)\n    parts.mailer.send(letter)\n",
        "tests/workers/test_jobs.py",
    ),
    Mutant(
        "SQLite writers begin as readers", "linkpay/store/engines.py",
        'WRITING: Final = {"linkpay_begin": "BEGIN IMMEDIATE"}', 'WRITING: Final = {"linkpay_begin": "BEGIN"}',
        "tests/store/test_concurrency.py tests/store/test_db.py",
    ),
    Mutant(
        "what was set aside is forgotten before it is in the inbox", "linkpay/store/spool.py",
        "                taken = list(_brought_in(database, rows))\n"
        "                with spool:\n"
        '                    spool.executemany("DELETE FROM message WHERE id = ?", taken)\n',
        "                taken = [(row[0],) for row in rows]\n"
        "                with spool:\n"
        '                    spool.executemany("DELETE FROM message WHERE id = ?", taken)\n'
        "                list(_brought_in(database, rows))\n",
        "tests/store/test_spool.py",
    ),
    Mutant(
        "numbers of messages that were set aside are given twice", "linkpay/store/spool.py",
        "INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER PRIMARY KEY",
        "tests/store/test_spool.py",
    ),
    # Access ---------------------------------------------------------------------------------------
    Mutant(
        "two workers may talk to Kajabi about one grant", "linkpay/store/grants.py",
        '        or_(_GRANT.c.leased_until.is_(None), _GRANT.c.leased_until <= bindparam("moment")),\n', "",
        "tests/flows/test_access.py tests/store/test_grants.py",
    ),
    Mutant(
        "a changed wish has no version", "linkpay/store/grants.py",
        "        grant.version += 1\n        grant.mismatches = 0\n", "        grant.mismatches = 0\n",
        "tests/store/test_grants.py tests/flows/test_access.py",
    ),
    Mutant(
        "already granted is an error", "linkpay/adapters/kajabi_answers.py",
        '    _row(True, ANY, r"already (been )?(granted|activated)", Outcome.WAS_SO_ALREADY),\n', "",
        "tests/adapters/test_kajabi_answers.py",
    ),
    Mutant(
        "a whole refund takes nothing away", "linkpay/domain/coverage.py",
        "    return not (fully_refunded and policy.full_refund_ends_access)\n", "    return True\n",
        "tests/domain/test_coverage.py tests/domain/test_coverage_stories.py",
    ),
    Mutant(
        "only the first purchase counts", "linkpay/domain/coverage.py",
        "    stretches = [] if blocked else list(all_covers)\n",
        "    stretches = [] if blocked else list(all_covers)[:1]\n",
        "tests/domain/test_coverage.py tests/domain/test_coverage_stories.py",
    ),
    Mutant(
        "grace never ends", "linkpay/domain/coverage.py",
        "        grace = Cover(source, starts_at, end)\n", "        grace = Cover(source, starts_at, None)\n",
        "tests/domain/test_coverage.py tests/domain/test_coverage_stories.py",
    ),
    # Calendar -------------------------------------------------------------------------------------
    Mutant(
        "the 31st drifts to the 28th", "linkpay/domain/calendar.py",
        "        add_intervals(anchor, interval, offset + 1),\n",
        "        add_intervals(add_intervals(anchor, interval, offset), interval, 1),\n",
        "tests/domain/test_calendar.py",
    ),
    Mutant(
        "days are those of Greenwich", "linkpay/domain/calendar.py",
        "    return instant.astimezone(ZoneInfo(zone)).date()\n", "    return instant.astimezone(UTC).date()\n",
        "tests/domain/test_calendar.py",
    ),
    # Doors ----------------------------------------------------------------------------------------
    Mutant(
        "anything in Redis is taken for a ring", "linkpay/adapters/queue_ring.py",
        "                if name != WAKE:\n", "                if False:\n",
        "tests/adapters/test_queue_ring.py",
    ),
    Mutant(
        "an offer's address may lead inside", "linkpay/adapters/kajabi.py",
        "open_session(PooledAdapter(public_only=True))", "open_session(PooledAdapter())",
        "tests/adapters/test_kajabi.py tests/adapters/test_kajabi_urls.py",
    ),
    Mutant(
        "any form token will do", "linkpay/web/csrf.py",
        '    return _signer().verify_signature(f"{seed}|{purpose}".encode(), sent)\n', "    return True\n",
        "tests/web/test_safety.py",
    ),
    Mutant(
        "a message of another site can be read", "linkpay/store/desk.py",
        "    return tx.scalar(select(Inbox).where(Inbox.site_id == site_id, Inbox.id == number))\n",
        "    return tx.scalar(select(Inbox).where(Inbox.id == number))\n",
        "tests/web/owner/test_log.py",
    ),
    Mutant(
        "who typed her address is taken for her", "linkpay/services/upselling.py",
        "found.started_at is not None and found.ordered_by == browser", "found.started_at is not None",
        "tests/web/test_upsells.py",
    ),
    Mutant(
        "a click charges whatever account is newest", "linkpay/services/upselling.py",
        "link.mandate_id in (None, one.id)", "True",
        "tests/web/test_upsells.py",
    ),
)  # fmt: skip
