"""What a search result shows: the newest text that holds the words, from around the first of them, marked."""

import re

import pytest

from sms import search
from sms.views.inbox import marked
from tests.views import practice


def results(client, query):
    page = client.get("/inbox", query_string={"view": "open", "q": query}).get_data(as_text=True)
    return re.findall(r'<span class="conv-text">(.*?)</span>', page, re.S)


def test_a_result_shows_the_text_that_was_found_not_the_newest(client, account, anna):
    talk = practice.conversation(account)
    practice.write_in("Danke für die Terminbestätigung!")
    practice.write_in("Ist der Termin auch barrierefrei zu erreichen?")
    practice.write_out(talk, "Ja, mit dem Aufzug.", anna)
    assert results(client, "termin barriere") == [
        "Ist der <mark>Termin</mark> auch <mark>barriere</mark>frei zu erreichen?"
    ]
    assert results(client, "bestaetigung") == ["Danke für die Termin<mark>bestätigung</mark>!"]


def test_a_contact_found_by_name_shows_the_newest_text(client, account, anna):
    practice.write_out(practice.conversation(account), "Ja, mit dem Aufzug.", anna)
    assert results(client, "schoessler") == ["<b>Sie:</b> Ja, mit dem Aufzug."]


def test_another_account_s_texts_are_no_excerpts(account, other_account, app):
    talk = practice.conversation(account)
    practice.write_in("Geheimes Wort")
    assert search.excerpts(account.id, "geheim", [talk.id]) == {talk.id: "Geheimes Wort"}
    assert search.excerpts(other_account.id, "geheim", [talk.id]) == {}


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        ("Größe <b>", "groesse", "<mark>Größe</mark> &lt;b&gt;"),
        ("Straße und Strasse", "strasse", "<mark>Straße</mark> und <mark>Strasse</mark>"),
        ("aaaa", "aa aaa", "<mark>aaaa</mark>"),
        ("nichts davon", "zahn", "nichts davon"),
    ],
)
def test_hits_are_marked_in_the_text_as_it_was_written(text, query, shown):
    assert marked(text, query) == shown


def test_a_long_text_is_shown_from_shortly_before_the_hit():
    text = "Wort " * 60 + "Zahnschmerzen seit gestern " + "Ende " * 60
    shown = marked(text, "zahnschmerz")
    assert shown.startswith("… Wort ")
    assert "<mark>Zahnschmerz</mark>en seit gestern" in shown
    assert len(shown) < 200
