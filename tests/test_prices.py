"""What messages cost: sums of whole numbers, prices as people type them, amounts as readers write them."""

import pytest

from sms import accounts, prices
from sms.models import Account
from sms.refusal import Refused


def priced(part: int | None = 7_500, minute: int | None = 10_000) -> Account:
    """An account that nobody has stored."""
    return Account(price_part=part, price_minute=minute)


def test_parts_and_calls_add_up_exactly() -> None:
    assert prices.about(priced(), 4, locale="de") == "0,30\xa0€"
    assert prices.about(priced(), 14, locale="de") == "1,05\xa0€"
    assert prices.about(priced(), 1_756 + 46, 20, "de") == "137,15\xa0€"
    assert prices.estimate(priced(), 1_000_000_000) == 7_500 * 10**9


def test_an_amount_is_written_in_the_language_of_its_reader_and_rounded_to_the_cent() -> None:
    assert prices.shown(123_450_000, "de") == "1.234,50\xa0€"
    assert prices.shown(123_450_000, "en") == "€1,234.50"
    assert [prices.shown(amount, "de") for amount in (0, 499, 500)] == ["0,00\xa0€", "0,00\xa0€", "0,01\xa0€"]


def test_without_a_price_there_is_no_cost_but_what_is_free_costs_nothing() -> None:
    assert prices.estimate(priced(part=None), 3) is None
    assert prices.about(priced(part=None), 3) == ""
    assert prices.estimate(priced(minute=None), 3, 1) is None
    assert prices.estimate(priced(minute=None), 3) == 22_500
    assert prices.estimate(priced(part=None, minute=None)) == 0
    assert prices.about(priced(part=0), 3, locale="de") == "0,00\xa0€"


@pytest.mark.parametrize(
    ("typed", "price"),
    [
        ("0,075", 7_500), ("0.075", 7_500), ("0,075 €", 7_500), ("€ 0.075", 7_500), ("0,075 Euro", 7_500),
        ("EUR 0,10", 10_000), ("7,5 ct", 7_500), ("7.5 Cent", 7_500), ("7,512 ct", 7_512), (" 1 ", 100_000),
        ("0", 0), ("100", 10_000_000), ("0,00001", 1), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_a_price_is_understood_as_people_type_it(typed: str, price: int | None) -> None:
    assert prices.read(typed, "price_part") == price


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("100,00001", "bad_price"), ("101", "bad_price"), ("1.000,50", "bad_price"), ("-1", "bad_price"),
        ("abc", "bad_price"), ("€", "bad_price"), ("0,", "bad_price"), ("1e3", "bad_price"), ("٠,١", "bad_price"),
        ("0,075 $", "bad_price"), ("NaN", "bad_price"), ("9" * 5_000, "bad_price"),
        ("0,000001", "price_too_fine"), ("7,5123 ct", "price_too_fine"), ("0," + "0" * 4_000 + "1", "price_too_fine"),
    ],
)  # fmt: skip
def test_what_is_no_price_is_refused_at_its_field(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        prices.read(typed, "price_minute")
    assert (refused.value.field, refused.value.code) == ("price_minute", code)


@pytest.mark.parametrize("price", [0, 1, 7_500, 7_512, 100_000, 10_000_000])
@pytest.mark.parametrize("locale", ["de", "en"])
def test_a_price_as_its_field_shows_it_is_read_back_as_it_was(price: int, locale: str) -> None:
    assert prices.read(prices.written(price, locale), "price_part") == price


def test_no_price_is_an_empty_field() -> None:
    assert prices.written(None) == ""


@pytest.mark.both
def test_an_account_keeps_its_prices(account: Account) -> None:
    assert (account.price_part, account.price_minute) == (None, None)
    accounts.change_account(account, price_part=7_500, price_minute=10_000_000)
    assert prices.estimate(Account.get_by_id(account.id), 2, 1) == 10_015_000
