"""Accounts, people, passwords and keys, below the pages."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sms import accounts, clock, guessable
from sms.models import Account, ApiKey, User
from sms.refusal import NotFound, Refused
from tests.conftest import API_KEY, PASSWORD


def test_password_is_kept_as_argon2id_only(anna: User) -> None:
    assert anna.password_hash.startswith("$argon2id$")
    assert PASSWORD not in anna.password_hash


def test_person_without_a_password_cannot_sign_in(account: Account) -> None:
    miriam = accounts.add_user(account, "miriam@praxis.example")
    assert not accounts.verify_password(miriam, "")
    assert not accounts.verify_password(None, PASSWORD)


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=300))
def test_any_text_can_be_compared_as_a_password(text: str) -> None:
    assert accounts.verify_password(None, text) is False


def test_password_that_is_cut_at_the_limit_does_not_fit(anna: User) -> None:
    long = "ab cd" * 40
    accounts.set_password(anna, long)
    assert accounts.verify_password(anna, long)
    assert not accounts.verify_password(anna, long + "x")


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "Passwort2026!", "P@ssw0rd2026", "qwertzuiop", "1234567890", "Sommer2026!", "aaaaaaaaaa",
     "ababababab", "27.03.1984", "annaweber2026", "Anna Weber!!", "anna.weber@praxis-lindner.example", "1q2w3e4r5t",
     "Praxis-Dr-Lindner", "Frühling2026"],
)  # fmt: skip
def test_password_that_is_tried_first_is_refused(anna: User, password: str) -> None:
    with pytest.raises(Refused) as refused:
        accounts.check_password(password, anna)
    assert (refused.value.field, refused.value.code) == ("password", "password_too_simple")


@pytest.mark.parametrize(
    "password",
    ["bunte Wolle 12", "kx7Qp2mZ9w", "correct horse battery", "Zug nach Ulm", "Kaffeetasse", "сорок восемь", "𝔄𝔟𝔠 und Zwirn"],
)  # fmt: skip
def test_password_of_some_words_or_of_chance_is_taken(anna: User, password: str) -> None:
    accounts.check_password(password, anna)


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=200), st.text(max_size=40))
def test_any_text_can_be_judged_as_a_password(password: str, name: str) -> None:
    assert guessable.is_easy(password, (name,)) in (True, False)


def test_name_of_a_person_without_one_is_from_the_address(account: Account) -> None:
    assert accounts.add_user(account, "miriam.aydin@praxis.example").name == "miriam.aydin"


def test_session_ends_with_the_password_it_began_with(anna: User) -> None:
    session = anna.get_id()
    assert accounts.find_user(session) == anna
    accounts.set_password(anna, "ganz neue Wolle")
    assert accounts.find_user(session) is None
    assert accounts.find_user(anna.get_id()) == anna


@pytest.mark.parametrize(
    "junk", ["", ".", "1", "1.", ".1", "1.1.1", "-1.0", "٣.0", "1.0x", "9" * 40 + ".0", "\0.0"]
)
def test_made_up_session_is_nobody(anna: User, junk: str) -> None:
    assert accounts.find_user(junk) is None


def test_session_comes_with_its_account_in_one_query(anna: User) -> None:
    found = accounts.find_user(anna.get_id())
    assert found is not None
    assert "account" in found.__rel__


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": " "}),
        ("zone", {"name": "A", "zone": "Mond"}),
        ("locale", {"name": "A", "locale": "fr"}),
    ],
)
def test_account_needs_a_name_a_place_and_a_language(
    account: Account, field: str, values: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        accounts.add_account(**values)
    assert refused.value.field == field


def test_one_address_signs_in_to_one_account(other_account: Account, anna: User) -> None:
    with pytest.raises(Refused, match="taken"):
        accounts.add_user(other_account, anna.email.upper())


def test_colleagues_end_at_the_account(account: Account, anna: User, stranger: User) -> None:
    assert stranger not in accounts.colleagues(account)
    assert anna in accounts.colleagues(account)
    with pytest.raises(NotFound):
        accounts.colleague(account, stranger.id)


def test_link_of_a_locked_out_person_is_dead(anna: User) -> None:
    token = accounts.password_token(anna)
    accounts.deactivate(anna)
    assert accounts.user_for_token(token) is None


def test_newer_link_kills_no_older_one_but_a_new_password_kills_both(anna: User) -> None:
    first, second = accounts.password_token(anna), accounts.password_token(anna)
    assert accounts.user_for_token(first) == accounts.user_for_token(second) == anna
    accounts.set_password(anna, "ganz neue Wolle")
    assert accounts.user_for_token(first) is None
    assert accounts.user_for_token(second) is None


def test_key_is_kept_as_a_fingerprint_with_letters_to_recognise_it(account: Account) -> None:
    row, key = accounts.add_api_key(account, "Kalender")
    assert key.startswith(row.prefix)
    assert len(key) > 40
    stored = ApiKey.get_by_id(row.id)
    assert key not in (stored.digest, stored.prefix)
    assert accounts.account_for_key(key) == account


@pytest.mark.parametrize("key", ["", "fdn_", API_KEY + "x", API_KEY.upper(), "\ud800", "\0"])
def test_wrong_key_opens_nothing(account: Account, key: str) -> None:
    assert accounts.account_for_key(key) is None


def test_revoked_key_opens_nothing_and_stays_in_the_list(account: Account, other_account: Account) -> None:
    row = accounts.api_keys(account)[0]
    with pytest.raises(NotFound):
        accounts.revoke_api_key(other_account, row.id)
    assert accounts.account_for_key(API_KEY) == account
    accounts.revoke_api_key(account, row.id)
    assert accounts.account_for_key(API_KEY) is None
    assert accounts.api_keys(account)[0].revoked_at is not None


def test_last_use_of_a_key_is_noted_once_a_minute(account: Account) -> None:
    accounts.account_for_key(API_KEY)
    first = accounts.api_keys(account)[0].used_at
    clock.shift(timedelta(seconds=30))
    accounts.account_for_key(API_KEY)
    assert accounts.api_keys(account)[0].used_at == first
    clock.shift(timedelta(seconds=31))
    accounts.account_for_key(API_KEY)
    assert accounts.api_keys(account)[0].used_at > first
