"""What must hold for any answer at all, whatever is typed."""

from collections import defaultdict
from datetime import UTC, date, datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from sms.understanding import KINDS, optout, understand
from sms.understanding.tokens import LONGEST
from sms.understanding.words import REAL_WORDS
from tests.understanding.cases import Case, cases, shown

OPTIONS = ("Sehr zufrieden", "Zufrieden", "Unzufrieden", "10 Uhr", "Weiß nicht")
TODAY = date(2026, 3, 27)
CLEAR = [c for c in cases("corpus") if c.expected not in ("unclear", "opt_out") and c.kind != "optout"]
CHOSEN = st.sampled_from(CLEAR)
PIECES = st.sampled_from(
    [
        "ja",
        "nein",
        "jo",
        "nee",
        "ok",
        "nicht",
        "kein",
        "leider",
        "gerne",
        "passt",
        "kann",
        "komme",
        "1",
        "2",
        "3",
        "10",
        "1,5",
        "1.234,5",
        "24.12.",
        "14:15",
        "eins",
        "zwei",
        "drei",
        "erste",
        "zweite",
        "a",
        "b",
        "c",
        "und",
        "oder\n",
        "",
        "",
        "",
        "bis",
        "-",
        ",",
        ".",
        "!",
        "?",
        "/",
        "+",
        "%",
        "&",
        "(",
        ")",
        "👍",
        "👎",
        "🤷",
        "⭐",
        "morgen",
        "heute",
        "Dienstag",
        "nächsten",
        "in",
        "Woche",
        "Uhr",
        "halb",
        "viertel",
        "nach",
        "vor",
        "acht",
        "Note",
        "von",
        "zufrieden",
        "sehr",
        "alle\n",
        "",
        "",
        "",
        "keine",
        "vielleicht",
        "aber",
        "stopp",
        "absagen",
        "verschieben",
        "Termin",
        "LG",
        "Müller",
        "bitte",
        "danke",
        "^",
        "²",
        "½",
        "①",
        "\n",
        "́",
        "\u202e",
        "🏽",
        "Mio",
        "Komma",
        "minus",
        "weil",
        "außer",
    ]
)
TYPED = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=9).map(" ".join),
    st.lists(PIECES, max_size=6).map("".join),
)


def read(kind: str, text: str, locale: str = "de"):
    return understand(kind, text, locale=locale, options=OPTIONS, min=1, max=6, today=TODAY)


def again(case: Case, text: str) -> str:
    return shown(understand(case.kind, text, **case.setting))


@given(kind=st.sampled_from(KINDS), text=TYPED, locale=st.sampled_from(["de", "en"]))
@example("scale", "1" * 1500, "de")
@example("number", "9" * 15 + " Milliarden", "de")
@example("date", "in 999999 Jahren", "de")
@example("date", "in 99 Wochen " * 3, "de")
@example("choice", "\u0000", "de")
@example("multichoice", "²³¹", "de")
@example("time", "99:99 halb 99", "de")
@example("yesno", "\ud800", "de")
def test_no_answer_raises_and_every_value_is_one_that_was_asked_for(kind, text, locale):
    found = read(kind, text, locale)
    assert found.why
    assert (found.value is None) == (found.outcome != "value")
    if found.outcome == "value":
        assert is_possible(kind, found.value)


def is_possible(kind: str, value) -> bool:
    match kind:
        case "yesno":
            return value in ("yes", "no")
        case "choice":
            return type(value) is int and 1 <= value <= len(OPTIONS)
        case "multichoice":
            return value == sorted(set(value)) and all(1 <= v <= len(OPTIONS) for v in value)
        case "scale":
            return type(value) is int and 1 <= value <= 6
        case "number":
            return 1 <= float(value) <= 6 and not value.endswith((".", ".0"))
        case "date":
            return date.fromisoformat(value).isoformat() == value
        case "time":
            return datetime.strptime(value, "%H:%M").strftime("%H:%M") == value
        case "appointment":
            return value in ("confirm", "cancel", "reschedule")
        case _:
            return value in ("stop", "start", "help", "none")


@given(
    case=CHOSEN,
    change=st.sampled_from(
        [str.upper, str.lower, lambda t: f"  {t}\n", lambda t: f"„{t}“", lambda t: f"\u200b{t}"]
    ),
)
def test_case_quotes_and_white_space_do_not_change_a_value(case, change):
    changed = change(case.text)
    # "a" as an article, "So" as a Sunday and the like: an answer may become unclear, but never another one.
    assert again(case, changed) in (case.expected, "unclear")


@given(
    case=CHOSEN,
    wrap=st.sampled_from(
        [
            "{}, danke!",
            "{}. Viele Grüße",
            "{} LG Anna Müller",
            "Hallo, {}",
            "Guten Tag,\n{}\nMfG",
            "{} 😊",
            "{}, vielen Dank und liebe Grüße, Familie Schmidt",
        ]
    ),
)
def test_courtesy_round_an_answer_does_not_change_it(case, wrap):
    assume("\n" not in case.text)
    assert again(case, wrap.format(case.text)) in (case.expected, "unclear")


@pytest.mark.parametrize("wrap", ["{}, danke", "{} LG Anna", "Hallo, {}", "{}!"])
def test_courtesy_seldom_makes_an_answer_unclear(wrap):
    plain = [case for case in CLEAR if len(case.text) < 15]
    kept = sum(again(case, wrap.format(case.text)) == case.expected for case in plain)
    assert kept / len(plain) > 0.97


ONE_OF = ("yesno", "choice", "scale", "number", "date", "time")
JOINTS = [" ", ", ", " oder ", ". ", "\n", "! ", " bzw. ", " und ", " dann "]


@st.composite
def two_answers(draw) -> tuple[Case, Case]:
    """Two answers to the same question that mean different things."""
    group = draw(st.sampled_from([g for g in same_question().values() if g[0].kind in ONE_OF]))
    first, second = draw(st.sampled_from(group)), draw(st.sampled_from(group))
    assume(first.expected != second.expected)
    return first, second


def same_question() -> dict[str, list[Case]]:
    groups = defaultdict(list)
    for case in CLEAR:
        groups[f"{case.kind} {case.setting}"].append(case)
    return groups


@given(pair=two_answers(), joint=st.sampled_from(JOINTS))
def test_two_different_answers_are_never_one(pair, joint):
    first, second = pair
    got = again(first, first.text + joint + second.text)
    # Side by side two answers may be a third: "8 Uhr" "5" is 8:05, "am 3." "April" is a day. None may win.
    assert got == "unclear" or (joint in (" ", ". ") and got not in (first.expected, second.expected))


NEGATIONS = [
    " nicht",
    " doch nicht",
    ", nein",
    " auf keinen Fall",
    " stimmt nicht",
    " aber nicht",
    ", ach nein",
    " 👎",
]


@pytest.mark.parametrize("negation", NEGATIONS)
def test_a_negation_behind_an_answer_never_keeps_it(negation):
    positive = [c for c in CLEAR if c.expected not in ("no", "cancel", "none") and not may_be_negated(c)]
    kept = [c.text + negation for c in positive if again(c, c.text + negation) == c.expected]
    assert kept == []
    assert len(positive) > 800


def may_be_negated(case: Case) -> bool:
    """True where the negation would belong to a remark, or where a no is one of the options or a code word."""
    remarked = len(case.text.split()) > 6
    no_is_offered = "Nein" in case.setting.get("options", ()) or "NEIN" in case.setting.get("words", {}).get(
        "reschedule", ()
    )
    return remarked or no_is_offered


DOUBTS = [
    "vielleicht {}",
    "{}?",
    "{} oder so",
    "ich weiß nicht, {}",
    "eher {}",
    "wenn {}",
    "nicht {}",
    "statt {}",
    "{} vielleicht",
    "ob {}",
]


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubt_makes_every_answer_unclear(doubt):
    sure = [
        c
        for c in CLEAR
        if c.expected not in ("no", "cancel", "reschedule")
        and "Weiß nicht" not in c.setting.get("options", ())
    ]
    taken = [(c.text, got) for c in sure if (got := again(c, doubt.format(c.text))) != "unclear"]
    clear = ("einverstanden", "richtig", "korrekt") if doubt == "nicht {}" else ()
    assert [(text, got) for text, got in taken if (text, got) not in [(word, "no") for word in clear]] == []


@given(text=st.text(alphabet=st.characters(categories=["L"]), min_size=6, max_size=20))
def test_a_word_that_nobody_knows_is_no_answer(text):
    assume(not any(read(kind, text).why in ("meaning",) for kind in ("choice",)))
    for kind in ("scale", "number", "date", "time"):
        assert read(kind, text).outcome in ("unclear", "opt_out") or text.isascii()


@given(st.integers(1, 6))
def test_every_way_of_writing_a_scale_value_is_the_same(value):
    word = ["eins", "zwei", "drei", "vier", "fünf", "sechs"][value - 1]
    for text in (
        f"{value}",
        f"{value}.",
        f"Note {value}",
        f"({value})",
        word,
        word.upper(),
        f"{value}/6",
        f"eine {value}",
        f"{value},0",
    ):
        assert read("scale", text).value == value, text


@given(st.decimals(-(10**9), 10**9, places=2, allow_nan=False))
def test_numbers_written_the_german_and_the_english_way_come_back_as_they_were(value):
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    found = understand("number", german, locale="de"), understand("number", english, locale="en")
    assert [float(one.value) for one in found] == [float(value)] * 2


@given(st.dates(date(2000, 1, 1), date(2036, 12, 31)), st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_a_full_date_is_that_date_and_a_short_one_lies_ahead(day, today):
    full = understand("date", f"{day.day}.{day.month}.{day.year}", locale="de", today=today)
    assert full.value == day.isoformat()
    short = understand("date", f"{day:%d.%m.}", locale="de", today=today)
    if short.outcome == "value":
        found = date.fromisoformat(short.value)
        assert (found.day, found.month) == (day.day, day.month)
        assert 0 <= (found - today).days <= 366


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(0, 6))
def test_a_weekday_is_the_next_one_and_never_today(today, weekday):
    name = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"][weekday]
    found = date.fromisoformat(understand("date", f"am {name}", locale="de", today=today).value)
    assert found.weekday() == weekday
    assert 1 <= (found - today).days <= 7
    following = understand("date", f"nächsten {name}", locale="de", today=today)
    assert following.value in (None, found.isoformat())


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_with_a_leading_hour_above_four_is_that_time(hour, minute):
    for text in (f"{hour}:{minute:02}", f"{hour:02}.{minute:02} Uhr"):
        found = understand("time", text, locale="de").value
        assert found == f"{hour:02}:{minute:02}" or (found is None and 1 <= hour <= 4)


def test_an_answer_longer_than_any_message_is_not_read():
    assert read("yesno", "ja " * LONGEST).why == "too_long"


def test_a_kind_that_does_not_exist_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="poem"):
        read("poem", "ja")


def test_the_day_of_a_moment_is_that_of_the_zone():
    moment = datetime(2026, 3, 27, 23, 30, tzinfo=UTC)
    berlin = understand("date", "heute", locale="de", today=moment, zone="Europe/Berlin")
    assert berlin.value == "2026-03-28"
    assert understand("date", "heute", locale="de", today=moment).value == "2026-03-27"
    assert understand("date", "heute", locale="de").why == "no_today"


@given(st.one_of(st.sampled_from(sorted(optout.STOP_WORDS)), TYPED))
def test_whoever_is_blocked_by_a_word_never_gives_an_answer_with_it(text):
    if optout.is_stop(text):
        assert all(read(kind, text).outcome == "opt_out" for kind in KINDS if kind != "optout")
        assert read("optout", text).value == "stop"


@pytest.mark.parametrize(
    "word",
    [
        "Fieber",
        "mögen",
        "Feier",
        "Definition",
        "streicheln",
        "vertragen",
        "Papst",
        "kommt",
        "neuer",
        "passe",
        "Genre",
        "gehen",
        "Monate",
        "Marsch",
        *sorted(REAL_WORDS),
    ],
)
def test_a_word_of_its_own_is_no_misspelt_answer(word):
    assert {
        read(kind, word).outcome for kind in ("yesno", "scale", "number", "date", "time", "appointment")
    } == {"unclear"}
