"""What an account may send on one day of its own zone."""

from datetime import UTC, datetime, timedelta

import pytest

from sms import clock, delivery, exchange, quota, sending
from sms.carriers.contract import Outcome, OutcomeKind
from sms.models import Account, Message, Usage
from sms.refusal import Refused
from tests.carrier_side import ILSE, MARGARETHE
from tests.outbox import claim_one


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


@pytest.fixture
def small(account) -> Account:
    """An account that may send three parts a day."""
    Account.update(daily_parts=3).where(Account.id == account.id).execute()
    return Account.get_by_id(account.id)


def test_parts_and_calls_count_and_the_limit_stores_nothing(small):
    sending.send(small, MARGARETHE, "a" * 161)
    sending.send(small, ILSE, "b" * 1000)
    assert quota.used(small) == 3
    with pytest.raises(Refused) as refused:
        sending.send(small, MARGARETHE, "noch einer")
    assert (refused.value.field, refused.value.code, refused.value.params) == (
        "text",
        "daily_limit",
        {"limit": 3},
    )
    assert Message.select().count() == 2
    assert quota.used(small) == 3


def test_a_message_of_two_parts_does_not_fit_into_one(small):
    sending.send(small, MARGARETHE, "a" * 161)
    with pytest.raises(Refused):
        sending.send(small, MARGARETHE, "a" * 161)
    assert sending.send(small, MARGARETHE, "kurz").parts == 1


def test_the_day_is_the_account_s_own(small):
    clock.shift(datetime(2026, 7, 1, 21, 59, tzinfo=UTC) - clock.now())
    sending.send(small, MARGARETHE, "a" * 400)
    assert quota.used(small) == 3
    clock.shift(timedelta(minutes=2))
    assert str(quota.today(small)) == "2026-07-02"
    assert quota.used(small) == 0
    sending.send(small, MARGARETHE, "Ein neuer Tag")
    assert Usage.select().count() == 2


def test_one_account_s_use_is_not_another_s(small, other_account):
    sending.send(small, MARGARETHE, "a" * 400)
    assert sending.send(other_account, "+491713920043", "Autohaus").status == "queued"


def test_trying_again_counts_because_it_costs_again(small):
    message = sending.send(small, MARGARETHE, "a" * 161)
    delivery.settle(claim_one(), Outcome(OutcomeKind.rejected))
    with pytest.raises(Refused):
        sending.retry(Message.get_by_id(message.id))
    assert Message.get_by_id(message.id).status == "failed"
    assert quota.used(small) == 2


def test_a_scheduled_message_cannot_grow_over_the_limit(small):
    tomorrow = clock.now() + timedelta(days=1)
    message = sending.send(small, MARGARETHE, "kurz", send_at=tomorrow)
    sending.edit_scheduled(message, "a" * 161, tomorrow)
    assert quota.used(small) == 2
    with pytest.raises(Refused):
        sending.edit_scheduled(message, "a" * 1000, tomorrow)
    kept = Message.get_by_id(message.id)
    assert (kept.parts, len(kept.text)) == (2, 161)


def test_the_confirmation_of_an_opt_out_is_never_refused(account):
    from sms import receiving
    from sms.carriers.contract import IncomingText

    Account.update(daily_parts=0).where(Account.id == account.id).execute()
    receiving.receive_text("sandbox", IncomingText("SM1", MARGARETHE, "+491713920010", "STOP"))
    assert Message.select().where(Message.direction == "outgoing").count() == 1
