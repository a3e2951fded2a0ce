"""Search: parts of words, umlauts either way, numbers in any spelling, and never another account's."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from sms import contacts, exchange, inbox_list, search, sending
from sms.models import Conversation
from tests.carrier_side import MARGARETHE, TORSTEN


@pytest.fixture(autouse=True)
def _carriers(settings, database_file):
    exchange.connect(settings)


@pytest.fixture
def talk(account) -> Conversation:
    """A conversation with Margarethe, in which a text has been sent."""
    contact, conversation = contacts.find_or_add(account, MARGARETHE, "Margarethe Müller-Weiß")
    contacts.save(contact, contact.name, {"Kasse": "AOK Nordost", "Sprache": "Français"})
    sending.send(account, MARGARETHE, "Ihre Terminbestätigung: 24.12. um 14:30 Uhr, 100 % sicher_gestellt")
    search.catch_up()
    return conversation


@pytest.mark.parametrize(
    "query",
    [
        "Termin", "termin", "Bestätigung", "bestaetigung", "BESTÄTIGUNG", "terminbestätigung", "24.12", "14:30",
        "Margarethe", "marga", "Müller", "mueller", "MÜLLER", "Mu\u0308ller", "weiss", "Weiß", "müller weiß",
        "AOK", "nordost", "francais", "Français", "100 %", "sicher_", "Uhr um", "zz Uhr"[3:],
    ],
)  # fmt: skip
def test_a_thread_is_found_by_any_part_of_what_it_holds(account, talk, query):
    assert search.conversations_matching(account.id, query) == {talk.id}


@pytest.mark.parametrize(
    "query",
    [
        "0171 3920042", "01713920042", "0171/392 00 42", "0171-3920042", "+491713920042", "+49 171 3920042",
        "0049 171 3920042", "00491713920042", "+49 (0)171 3920042", "(0171) 392 00 42", "491713920042",
        "3920042", "0171 392", "+49 171 392", "0049171392", "+49 (0)171 392",
    ],
)  # fmt: skip
def test_a_number_is_found_in_any_spelling(account, talk, query):
    contacts.find_or_add(account, "+491719999999", "Jemand anderes")
    assert search.conversations_matching(account.id, query) == {talk.id}


@pytest.mark.parametrize(
    "query",
    ["", "  ", "\0", "Terminator", "Schulze", "0171 3920043", "000", "001", "@", "%", "__", "\\", '"', "*",
     "NEAR(a b)", "a AND b OR c", "rowid:1", "-", "'; DROP TABLE message; --", "\ue00a\ue000\ue000"],
)  # fmt: skip
def test_what_is_nowhere_is_not_found_and_breaks_nothing(account, query):
    contacts.find_or_add(account, TORSTEN, "Torsten")
    assert search.conversations_matching(account.id, query) == set()


@profile(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=30))
def test_any_query_is_answered(account, query):
    search.conversations_matching(account.id, query)


@profile(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text("abcäöüßÄéñ -.", min_size=4, max_size=20).filter(lambda t: len(t.strip()) > 3), st.data())
def test_every_part_of_a_name_finds_its_contact(account, name, data):
    Conversation.delete().execute()
    contact, conversation = contacts.find_or_add(account, MARGARETHE)
    contacts.save(contact, name, {})
    whole = " ".join(name.split())
    start = data.draw(st.integers(0, max(0, len(whole) - 3)))
    part = whole[start : start + data.draw(st.integers(3, 20))]
    if part.strip(" -."):
        assert conversation.id in search.conversations_matching(account.id, part)


def test_another_account_s_words_are_never_found(account, other_account, talk, anna, stranger):
    assert search.conversations_matching(other_account.id, "Termin") == set()
    sending.send(other_account, TORSTEN, "Termin für @000001@ und \ue00a\ue000")
    search.catch_up()
    found = search.conversations_matching(account.id, "Termin")
    assert found == {talk.id}
    assert [r.id for r in inbox_list.rows(anna, "open", query="Termin").items] == [talk.id]
    assert [r.name for r in inbox_list.rows(stranger, "open", query="mueller").items] == []
    assert contacts.listing(other_account, "Müller") == []


def test_a_changed_text_or_name_is_found_by_its_new_words_only(account, talk):
    from datetime import timedelta

    from sms import clock

    later = clock.now() + timedelta(hours=1)
    message = sending.send(account, TORSTEN, "Impfung", send_at=later)
    sending.edit_scheduled(message, "Vorsorge", later)
    assert search.conversations_matching(account.id, "Impfung") == set()
    assert search.conversations_matching(account.id, "Vorsorge") == {message.conversation_id}
    contact = talk.contact
    contacts.save(contact, "Gretel Schmidt", {})
    assert search.conversations_matching(account.id, "Weiß") == set()
    assert search.conversations_matching(account.id, "Gretel") == {talk.id}


def test_the_chooser_of_contacts_finds_people_and_not_what_they_wrote(account, talk):
    assert [c.name for c in contacts.listing(account, "mueller")] == ["Margarethe Müller-Weiß"]
    assert [c.name for c in contacts.listing(account, "0171 3920042")] == ["Margarethe Müller-Weiß"]
    assert contacts.listing(account, "Terminbestätigung") == []


def test_a_name_of_two_letters_is_found_among_contacts(account):
    talk = contacts.find_or_add(account, "+491713920042", "Xu Li")[1]
    search.catch_up()
    assert search.conversations_matching(account.id, "xu") == {talk.id}
    assert search.contacts_matching(account.id, "li") == {talk.contact_id}
