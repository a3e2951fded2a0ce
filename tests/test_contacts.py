"""Contacts: found by any spelling, one thread each, and gone without a trace when a person is erased."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from sms import (
    answering,
    clock,
    contacts,
    delivery,
    exchange,
    idempotency,
    inbox,
    media,
    search,
    sending,
    speaking,
    suppression,
)
from sms.db import database
from sms.models import Call, Change, Contact, ContactNumber, Conversation, Message, Suppression
from sms.refusal import Conflict, NotFound, Refused
from tests.carrier_side import ILSE, MARGARETHE, POOL, TORSTEN, VOICE, CarrierSide, sid
from tests.outbox import claim_one
from voice import store, wav


@pytest.fixture
def carrier(app) -> CarrierSide:
    return CarrierSide(app)


@pytest.mark.parametrize("spelling", ["0171 3920042", "+49 171 3920042", "00491713920042", "0171/392 00-42"])
def test_a_contact_is_found_by_any_spelling_and_in_its_account_only(account, other_account, spelling):
    contact, conversation = contacts.find_or_add(account, MARGARETHE, "Margarethe")
    assert contacts.find(account, spelling) == contact
    assert contacts.find(other_account, spelling) is None
    assert contacts.find_or_add(account, MARGARETHE) == (contact, conversation)
    assert contacts.find_or_add(other_account, MARGARETHE)[0] != contact


def test_a_further_number_leads_to_the_same_thread(account, anna):
    contact, conversation = contacts.find_or_add(account, MARGARETHE)
    contacts.add_number(contact, "030 23125640", anna)
    assert contacts.find_or_add(account, ILSE)[1] == conversation
    contacts.remove_number(contact, ILSE, anna)
    assert contacts.find(account, ILSE) is None
    with pytest.raises(Conflict):
        contacts.remove_number(contact, MARGARETHE)
    with pytest.raises(NotFound):
        contacts.remove_number(contact, ILSE)


def test_a_number_leads_to_one_contact(account):
    contacts.find_or_add(account, TORSTEN, "Torsten")
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    with pytest.raises(Refused) as refused:
        contacts.add_number(contact, TORSTEN)
    assert (refused.value.code, refused.value.params) == ("number_taken", {"name": "Torsten"})


@pytest.mark.parametrize("raw", ["", "112", "0900 123456", "abc", "+43 1 58858", "9" * 400, "\0"])
def test_a_number_that_cannot_be_reached_is_not_kept(account, raw):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    with pytest.raises(Refused) as refused:
        contacts.add_number(contact, raw)
    assert refused.value.field == "number"
    assert ContactNumber.select().count() == 1


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("x" * 101, {}), ("a\0b", {}), ("a\ud800", {}), ("ok", {"": "x"}), ("ok", {"x" * 41: "y"}),
        ("ok", {"a{b": "x"}), ("ok", {"k": "v" * 501}), ("ok", {"k": "v\0"}), ("ok", {str(n): "" for n in range(41)}),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_and_changes_nothing(account, name, fields):
    contact, _ = contacts.find_or_add(account, MARGARETHE, "Margarethe")
    before = Change.select().count()
    with pytest.raises(Refused):
        contacts.save(contact, name, fields)
    kept = Contact.get()
    assert (kept.name, kept.fields) == ("Margarethe", {})
    assert Change.select().count() == before


@profile(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(max_size=120),
    st.dictionaries(st.text(max_size=45), st.none() | st.integers() | st.text(max_size=50)),
)
def test_any_name_and_fields_are_kept_or_refused(account, name, fields):
    contact, _ = contacts.find_or_add(account, MARGARETHE)
    try:
        contacts.save(contact, name, fields)
    except Refused:
        return
    assert Contact.get_by_id(contact.id).name == " ".join(name.split())


def everything_that_holds(words: str) -> list[str]:
    """Return each table that still holds these words anywhere."""
    found = []
    for table in database.get_tables():
        if table.startswith(("sqlite_", "search_index_")):
            continue
        rows = database.execute_sql(f'SELECT * FROM "{table}"').fetchall()
        if any(words in str(value) for row in rows for value in row):
            found.append(table)
    return found


def test_an_erased_person_leaves_no_trace_but_the_opt_out(account, anna, carrier, monkeypatch):
    secret = "Hautausschlag"
    contact, talk = contacts.find_or_add(account, MARGARETHE, "Margarethe Schößler")
    contacts.save(contact, contact.name, {"Kasse": "AOK Nordost"})
    contacts.add_number(contact, ILSE)
    carrier.text(f"Ich habe einen {secret}")
    sending.reply(talk, f"Seit wann der {secret}?", by=anna)
    sending.reply(talk, "Morgen", by=anna, send_at=clock.now() + timedelta(days=1))
    sending.add_note(talk, f"Notiz: {secret}", anna)
    inbox.save_draft(anna, talk, "reply", secret)
    inbox.add_label(talk, "Rezept", anna)
    inbox.show_presence(anna, talk, typing=True)
    inbox.mark_read(anna, Conversation.get())
    spoken = sending.send(account, ILSE, f"Wegen {secret}", by=anna)
    monkeypatch.setattr(
        exchange.carriers()["sandbox"], "fetch_recording", lambda url: wav.write(b"\1\2" * 8000)
    )
    for _ in range(2):  # one call with a recording, one without
        reference = sid("CA")
        form = {"CallSid": reference, "From": ILSE, "To": VOICE}
        carrier.post("/carriers/sandbox/voice/incoming", form)
    url = f"https://api.twilio.com/2010-04-01/Accounts/{carrier.account}/Recordings/RE{'0' * 32}"
    carrier.post("/carriers/sandbox/voice/recorded", {**form, "RecordingUrl": url, "RecordingDuration": "1"})
    left = answering.fetch_recording(Call.get(Call.detail != ""))
    speaking.spoken_words(spoken)
    answer = json.dumps({"to": "00491713920042", "text": secret})
    idempotency.once(account, "key", "digest", lambda: (202, answer))
    suppression.suppress(account, MARGARETHE, "agent", by=anna)
    folder = exchange.current().settings.audio
    files = {left.data["audio"]["digest"], spoken.data["audio"]["digest"]}
    assert all(store.find(digest, folder) for digest in files)

    contacts.erase(contact, anna)

    assert everything_that_holds(secret) == []
    assert everything_that_holds("Schößler") == everything_that_holds("schoessler") == []
    assert everything_that_holds(ILSE[1:]) == []
    assert everything_that_holds(MARGARETHE[1:]) == ["suppression"]
    assert Suppression.select().count() == 1
    assert search.conversations_matching(account.id, secret) == set()
    assert [store.find(digest, folder) for digest in files] == [None, None]
    assert Change.select().order_by(Change.id.desc()).get().kind == "erased"
    assert idempotency.once(account, "key", "digest", lambda: (500, "again")).status == 202


def test_a_captured_webhook_does_not_bring_an_erased_person_back(account, carrier):
    form = {"MessageSid": sid(), "From": MARGARETHE, "To": POOL[0], "Body": "Hallo"}
    carrier.post("/carriers/sandbox/inbound", form)
    contacts.erase(Contact.get())
    assert carrier.post("/carriers/sandbox/inbound", form).status_code == 200
    assert Contact.select().count() == Message.select().count() == 0


def test_audio_that_another_message_uses_stays(account, carrier):
    first, second = (sending.send(account, to, "Dieselben Worte") for to in (ILSE, "+493023125641"))
    digests = {speaking.spoken_words(m).audio.digest for m in (first, second)}
    assert len(digests) == 1
    contacts.erase(first.conversation.contact)
    assert store.find(*digests, exchange.current().settings.audio)
    contacts.erase(second.conversation.contact)
    assert store.find(*digests, exchange.current().settings.audio) is None


def test_audio_nothing_refers_to_goes_after_a_month(account, carrier, monkeypatch):
    message = sending.send(account, ILSE, "Eins")
    used = speaking.spoken_words(message).audio
    unused = speaking.audio_of(account, "Nie verschickt")
    assert media.tidy() == 0
    monkeypatch.setattr(media, "UNUSED", timedelta(seconds=-60))
    assert media.tidy() == 1
    assert used.path.exists()
    assert not unused.path.exists()


def test_an_erasure_while_the_carrier_is_asked_breaks_nothing(account, carrier):
    from sms.carriers.contract import Outcome, OutcomeKind

    message = sending.send(account, MARGARETHE, "Hallo")
    claimed = claim_one()
    contacts.erase(message.conversation.contact)
    delivery.settle(claimed, Outcome(OutcomeKind.accepted, sid()))
    assert Message.select().count() == 0


def test_erasing_one_account_s_contact_leaves_another_s(account, other_account, carrier):
    mine = sending.send(account, MARGARETHE, "Praxis")
    theirs = sending.send(other_account, MARGARETHE, "Autohaus")
    contacts.erase(mine.conversation.contact)
    assert Message.get() == theirs
    carrier.text("Hallo", to=theirs.ours)
    assert Message.get(Message.direction == "incoming").account == other_account
