"""Typed telephone numbers: a table of spellings, the kinds, the traps, and what must hold for any input."""

import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sms.gsm import msisdn

MOBILE = "+491713920054"
BERLIN = "+493023125417"


@pytest.mark.parametrize(
    "typed",
    [
        "01713920054",
        "0171 3920054",
        "0171 39200 54",
        "0171/3920054",
        "0171-3920054",
        "0171 - 39 200 54",
        "0171.392.0054",
        "(0171) 3920054",
        "(0)171 3920054",
        "(0)171/39200-54",
        "[0171] 3920054",
        "+491713920054",
        "+49 171 3920054",
        "+49 (0) 171 3920054",
        "+49 (0)171/392 00 54",
        "+49(0)1713920054",
        "+49 [0] 171 3920054",
        "+49 ( 0 ) 171 3920054",
        "+49 0171 3920054",
        "+ 49 171 3920054",
        "(+49) 171 3920054",
        "[+49] 171 3920054",
        "+0049 171 3920054",
        "00491713920054",
        "0049 171 3920054",
        "00 49 (0) 171 39200 54",
        "0049-(0)171-39200-54",
        "(0049) 171 3920054",
        "0 0 4 9 1 7 1 3 9 2 0 0 5 4",
        "491713920054",
        "49 171 3920054",
        "49 (0)171 3920054",
        "490171 3920054",
        "1713920054",
        "171 3920054",
        "  0171 3920054\r\n",
        "0171\t3920054",
        "0171\u00a03920054",
        "0171\u202f3920054",
        "0171\u2009392\u20090054",
        "0171\u3000392\u30000054",
        "0171\u200b392\u200d0054",
        "\ufeff0171 3920054",
        "\u202a+49 171 3920054\u202c",
        "\u2066+49 171 3920054\u2069",
        "0171\u00ad3920054",
        "0171–3920054",
        "0171—3920054",
        "0171‑3920054",
        "0171−3920054",
        "0171·392·0054",
        "0171|3920054",
        "0171~3920054",
        "0171⁄3920054",
        "'01713920054",
        '"01713920054"',
        "01713920054;",
        "01713920054, ",
        "٠١٧١٣٩٢٠٠٥٤",
        "۰۱۷۱۳۹۲۰۰۵۴",
        "०१७१३९२००५४",
        "０１７１３９２００５４",
        "＋４９（０）１７１／３９２００－５４",
        "＋491713920054",
        "➕491713920054",
        "﹢491713920054",
        "𝟎𝟏𝟕𝟏𝟑𝟗𝟐𝟎𝟎𝟓𝟒",
        "tel:+491713920054",
        "tel:+49-171-39200-54",
        "TEL:01713920054",
        "Tel.: 0171/3920054",
        "Mobil: 0171 3920054",
        "Handy: +49 171 3920054",
        "sms:+491713920054",
    ],
)
def test_every_spelling_of_a_mobile_is_the_same_number(typed: str) -> None:
    number = msisdn.parse(typed)

    assert (number.e164, number.kind, number.channel, number.error) == (MOBILE, "mobile", "sms", None)
    assert number.number == "00491713920054"
    assert number.region == "DE"
    assert number.raw == typed


@pytest.mark.parametrize(
    "typed",
    [
        "030 23125417",
        "030/23125-417",
        "030 23125 417",
        "(030) 23125417",
        "+49 30 23125417",
        "+49 (0) 30 23125417",
    ]
    + ["0049 30 23125417", "493023125417", "3023125417", "030 – 23125417", "(0) 30 / 23125-417"],
)
def test_every_spelling_of_a_landline_is_the_same_number(typed: str) -> None:
    number = msisdn.parse(typed)

    assert (number.e164, number.kind, number.channel, number.error) == (BERLIN, "landline", "voice", None)


@pytest.mark.parametrize(
    ("typed", "e164", "kind", "region", "channel"),
    [
        # the ranges for fiction
        ("0171 3920000", "+491713920000", "mobile", "DE", "sms"),
        ("0171 3920099", "+491713920099", "mobile", "DE", "sms"),
        ("030 23125000", "+493023125000", "landline", "DE", "voice"),
        ("030 23125999", "+493023125999", "landline", "DE", "voice"),
        # a national number may begin with the digits of a country code
        ("0491 71392005", "+4949171392005", "landline", "DE", "voice"),
        ("0491713920054", "+49491713920054", "landline", "DE", "voice"),
        ("04931 1234", "+4949311234", "landline", "DE", "voice"),
        ("+49 4931 1234", "+4949311234", "landline", "DE", "voice"),
        ("4949311234", "+4949311234", "landline", "DE", "voice"),
        ("493112345", "+49493112345", "landline", "DE", "voice"),
        ("49511234567", "+49511234567", "landline", "DE", "voice"),
        ("0664 1234567", "+496641234567", "landline", "DE", "voice"),
        # a mobile at home that lost its zero before a number abroad that lost its plus
        ("15202345678", "+4915202345678", "mobile", "DE", "sms"),
        ("+15202345678", "+15202345678", "landline_or_mobile", "US", "sms"),
        ("12025550123", "+12025550123", "landline_or_mobile", "US", "sms"),
        ("436641234567", "+436641234567", "mobile", "AT", "sms"),
        # abroad
        ("+43 664 1234567", "+436641234567", "mobile", "AT", "sms"),
        ("0043 664 1234567", "+436641234567", "mobile", "AT", "sms"),
        ("+43 (0)664 1234567", "+436641234567", "mobile", "AT", "sms"),
        ("+41 79 123 45 67", "+41791234567", "mobile", "CH", "sms"),
        ("+33 (0)6 12 34 56 78", "+33612345678", "mobile", "FR", "sms"),
        ("+39 347 123 4567", "+393471234567", "mobile", "IT", "sms"),
        ("+48 (0) 512 345 678", "+48512345678", "mobile", "PL", "sms"),
        ("+1 (0) 202 555 0123", "+12025550123", "landline_or_mobile", "US", "sms"),
        # German mobiles of every length
        ("0151 12345678", "+4915112345678", "mobile", "DE", "sms"),
        ("01520 2345678", "+4915202345678", "mobile", "DE", "sms"),
        ("0160 1234567", "+491601234567", "mobile", "DE", "sms"),
        ("0176 12345678", "+4917612345678", "mobile", "DE", "sms"),
        # libphonenumber files the internet numbers of 032 under fixed lines; either way a voice reads the text
        ("032 221234567", "+4932221234567", "landline", "DE", "voice"),
        ("030 23125-0", "+4930231250", "landline", "DE", "voice"),
    ],
)
def test_typed_number_is_understood_as(typed: str, e164: str, kind: str, region: str, channel: str) -> None:
    number = msisdn.parse(typed)

    assert (number.e164, number.kind, number.region, number.channel, number.error) == (
        e164,
        kind,
        region,
        channel,
        None,
    )


@pytest.mark.parametrize(
    ("typed", "kind", "error"),
    [
        ("", "invalid", "empty"),
        (" \t\n", "invalid", "empty"),
        ("\u200b\ufeff", "invalid", "empty"),
        ("tel:", "invalid", "empty"),
        ("+", "invalid", "not_a_number"),
        ("++491713920054", "invalid", "not_a_number"),
        ("0171+3920054", "invalid", "not_a_number"),
        ("()", "invalid", "not_a_number"),
        ("*100#", "invalid", "not_a_number"),
        ("0171\x003920054", "invalid", "not_a_number"),
        ("\ud800", "invalid", "not_a_number"),
        ("0171\udfff3920054", "invalid", "not_a_number"),
        ("0171 392005²", "invalid", "not_a_number"),
        ("01713920054, 01713920042", "invalid", "not_a_number"),
        ("😀", "invalid", "not_a_number"),
        ("Anna", "invalid", "letters"),
        ("0171 ANRUFEN", "invalid", "letters"),
        ("O171 3920054", "invalid", "letters"),
        ("+1 800 FLOWERS", "invalid", "letters"),
        ("零一七一", "invalid", "letters"),
        ("demo@faden.example", "invalid", "letters"),
        ("030 23125417 ext. 12", "invalid", "extension"),
        ("030 23125417 ext 12", "invalid", "extension"),
        ("030 23125417x12", "invalid", "extension"),
        ("030 23125417 Durchwahl 12", "invalid", "extension"),
        ("030 23125417 (App. 12)", "invalid", "extension"),
        ("030 23125417,12", "invalid", "extension"),
        ("030 23125417#12", "invalid", "extension"),
        ("tel:+49-30-23125417;ext=12", "invalid", "extension"),
        ("tel:+49-30-23125417;isub=12", "invalid", "extension"),
        ("0", "invalid", "too_short"),
        ("00", "invalid", "too_short"),
        ("1", "invalid", "too_short"),
        ("+49", "invalid", "too_short"),
        ("0171 123", "invalid", "too_short"),
        ("0171 39200 4", "invalid", "too_short"),
        ("0049 30", "invalid", "too_short"),
        ("+1 202 555", "invalid", "too_short"),
        ("0171 392005412", "invalid", "too_long"),
        ("030 231254171234567", "invalid", "too_long"),
        ("0171 3920054 / 030 23125417", "invalid", "too_long"),
        ("1" * 21, "invalid", "too_long"),
        ("0171 3920054" + " " * 200, "invalid", "too_long"),
        ("23125417", "invalid", "no_area_code"),
        ("4931 1234", "invalid", "no_area_code"),
        ("445566", "invalid", "no_area_code"),
        ("0190 123456", "invalid", "invalid"),
        ("+999 12345678", "invalid", "invalid"),
        ("+44 7700 900123", "invalid", "invalid"),
        ("012 34567", "invalid", "invalid"),
        ("110", "emergency", "emergency"),
        ("1 1 0", "emergency", "emergency"),
        ("112", "emergency", "emergency"),
        ("911", "emergency", "emergency"),
        ("999", "emergency", "emergency"),
        ("0110", "emergency", "emergency"),
        ("00112", "emergency", "emergency"),
        ("+112", "emergency", "emergency"),
        ("+49110", "emergency", "emergency"),
        ("+49 (0) 110", "emergency", "emergency"),
        ("0049 112", "emergency", "emergency"),
        ("49110", "emergency", "emergency"),
        ("+1 911", "emergency", "emergency"),
        ("+43 133", "emergency", "emergency"),
        ("+44 999", "emergency", "emergency"),
        ("+352 113", "emergency", "emergency"),
        ("１１２", "emergency", "emergency"),
        ("tel:110", "emergency", "emergency"),
        ("030 110", "emergency", "emergency"),
        ("+49 431 112", "emergency", "emergency"),
        ("115", "short_code", "short_code"),
        ("116117", "short_code", "short_code"),
        ("116 116", "short_code", "short_code"),
        ("+49 116117", "short_code", "short_code"),
        ("11833", "short_code", "short_code"),
        ("22333", "short_code", "short_code"),
        ("+43 1 5551234", "landline", "foreign_landline"),
        ("0041 44 123 45 67", "landline", "foreign_landline"),
        ("+39 (0)6 12345678", "landline", "foreign_landline"),
        ("+44 56 1234 5678", "voip", "voip"),
        ("0800 1234567", "toll_free", "toll_free"),
        ("+800 12345678", "toll_free", "toll_free"),
        ("0900 1234567", "premium", "premium"),
        ("+49 900 1234567", "premium", "premium"),
        ("0180 5 123456", "shared_cost", "shared_cost"),
        ("0137 1 234567", "shared_cost", "shared_cost"),
        ("0700 12345678", "other", "other"),
        ("0164 1234567", "other", "other"),
        ("0177 99 1234567", "other", "other"),
        ("+881 6 12345678", "other", "other"),
    ],
)
def test_refused_number_says_why(typed: str, kind: str, error: str) -> None:
    number = msisdn.parse(typed)

    assert (number.kind, number.channel, number.error) == (kind, None, error)
    assert error in msisdn.ERRORS


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("+491713920042", "0171 39200 42"),
        ("+493023125417", "030 23125 417"),
        ("+4930231250", "030 231250"),
        ("+436641234567", "+43 664 1234567"),
        ("+12025550123", "+1 202-555-0123"),
        ("keine Nummer", "keine Nummer"),
        ("\ud800", "?"),
    ],
)
def test_number_is_displayed_as_people_at_home_write_it(typed: str, shown: str) -> None:
    assert msisdn.parse(typed).display == shown


def test_home_region_decides_how_a_national_number_is_read() -> None:
    assert msisdn.parse("0664 1234567", "AT").e164 == "+436641234567"
    assert msisdn.parse("436641234567", "AT").e164 == "+436641234567"
    assert msisdn.parse("0664 1234567", "at").display == "0664 1234567"
    assert msisdn.parse("011 49 171 3920054", "US").e164 == MOBILE
    assert msisdn.parse("0171 3920054", "XX").error == "invalid"
    assert msisdn.parse("+491713920054", "XX").e164 == MOBILE


def test_german_landline_is_called_whatever_the_home_region() -> None:
    assert msisdn.parse("+49 30 23125417", "AT").channel == "voice"
    assert msisdn.parse("01 5551234", "AT").error == "foreign_landline"


typed_text = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text("+0123456789 ()/-.\u00a0\u200b٣４;,#xext=tel:\x00", max_size=40),
    st.from_regex(r"(\+|00|0|)(49|43|1|)[ (/]{0,2}0?[)]?[1-9][0-9 /-]{2,14}", fullmatch=True),
)


@given(typed_text, st.sampled_from(["DE", "AT", "US", "IT", "XX", "", "\ud800"]))
@example("\ud800", "DE")
@settings(max_examples=600)
def test_parse_never_raises_and_refuses_exactly_with_a_reason(typed: str, region: str) -> None:
    number = msisdn.parse(typed, region)

    assert (number.channel is None) == (number.error is not None)
    assert number.error is None or number.error in msisdn.ERRORS
    assert number.channel is None or number.e164 is not None
    assert number.e164 is not None or number.kind in ("invalid", "emergency", "short_code")
    number.display.encode()


@given(typed_text)
@settings(max_examples=600)
def test_reading_a_stored_number_again_changes_nothing(typed: str) -> None:
    first = msisdn.parse(typed)
    if first.e164 is None:
        return
    shown = [first.display] if first.channel else []
    for again in (first.e164, first.number, f"tel:{first.e164}", *shown):
        second = msisdn.parse(again)
        assert (second.e164, second.kind, second.error) == (first.e164, first.kind, first.error)


@given(st.from_regex(r"[1-9][0-9]{3,14}", fullmatch=True))
@settings(max_examples=400)
def test_plus_and_double_zero_mean_the_same(digits: str) -> None:
    plus, zeros = msisdn.parse(f"+{digits}"), msisdn.parse(f"00{digits}")

    assert (plus.e164, plus.kind, plus.error) == (zeros.e164, zeros.kind, zeros.error)


@given(st.from_regex(r"(15[0-9]|16[0-9]|17[0-9])[0-9]{7,8}", fullmatch=True))
def test_a_german_mobile_is_the_same_in_all_its_spellings(national: str) -> None:
    stored = msisdn.parse(f"+49{national}")
    assume(stored.kind == "mobile")

    for spelling in (f"0{national}", f"0049{national}", f"+49 (0){national}", f"49{national}", national):
        assert msisdn.parse(spelling).e164 == stored.e164


@given(
    st.text(" -/.()\u00a0\u200b", max_size=3),
    st.lists(st.text(" -/.\u00a0\u200b", max_size=2), min_size=11, max_size=11),
)
def test_separators_between_the_digits_never_matter(front: str, separators: list[str]) -> None:
    typed = front + "".join(map(str.__add__, "01713920054", separators))

    assert msisdn.parse(typed).e164 == MOBILE


@pytest.mark.parametrize(
    "megabyte", ["0" * 1_000_000, "+49" * 300_000, "a" * 1_000_000, "(" * 1_000_000, "\ud800" * 500_000]
)
def test_a_megabyte_is_refused_at_once(megabyte: str) -> None:
    began = time.process_time()
    number = msisdn.parse(megabyte)

    assert number.error == "too_long"
    assert len(number.display) <= msisdn.LONGEST_RAW
    assert time.process_time() - began < 0.5


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(("+49", "0049", "0", "49", "", "00", "+", "0043", "+4900", "1")),
    st.one_of(
        st.from_regex(r"1[567][0-9]{6,11}", fullmatch=True),
        st.from_regex(r"[0-9]{2,13}", fullmatch=True),
        st.from_regex(r"1[567]\d{8,9}", fullmatch=True),
    ),
    st.sampled_from(("DE", "de", "AT", "US", "IT")),
)
@example("0", "1713920042\n", "DE")
@example("", "1713920042", "DE")
@example("", "4916012345678", "DE")
@example("0", "16013123456", "DE")
def test_a_mobile_without_separators_is_read_as_the_library_reads_it(prefix, digits, region):
    """German mobiles take a short way; it must never say anything else than the long one."""
    assert msisdn.parse(prefix + digits, region) == msisdn._parse(prefix + digits, region.upper())
