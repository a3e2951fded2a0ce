"""Placeholders: filled once, verbatim, and every other brace left alone."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sms.gsm import placeholders


@pytest.mark.parametrize(
    ("text", "fields", "filled", "missing"),
    [
        ("", {}, "", ()),
        ("Guten Tag", {"name": "Anna"}, "Guten Tag", ()),
        ("Guten Tag {name}", {"name": "Anna"}, "Guten Tag Anna", ()),
        ("{Name} {NAME} { name }", {"nAmE": "Anna"}, "Anna Anna Anna", ()),
        ("{straße} {STRASSE}", {"Straße": "Hauptstr. 1"}, "Hauptstr. 1 Hauptstr. 1", ()),
        ("{gru\u0308ße}", {"grüße": "hallo"}, "hallo", ()),
        ("{Erster  Termin}", {"erster termin": "Montag"}, "Montag", ()),
        ("{vor-name_2}", {"Vor-Name_2": "Eva"}, "Eva", ()),
        ("{имя} {名前} {नाम}", {"Имя": 1, "名前": 2, "नाम": 3}, "1 2 3", ()),
        ("{betrag}", {"betrag": 12.5}, "12.5", ()),
        ("{a}", {"a": ""}, "", ()),
        ("{a}", {"a": 0}, "0", ()),
        ("{a}", {"a": None}, "{a}", ("a",)),
        ("{b} {A} {a} {c}", {"c": "x"}, "{b} {A} {a} x", ("b", "A")),
        ("{a}", {"a": "{b}", "b": "nie"}, "{b}", ()),
        ("{a}{b}", {"a": "{", "b": "a}"}, "{a}", ()),
        ("{a}", {"a": r"\1 \g<0> {{"}, r"\1 \g<0> {{", ()),
        ("{{name}}", {"name": "Anna"}, "{name}", ()),
        ("{{{name}}}", {"name": "Anna"}, "{Anna}", ()),
        ("{{ }}", {}, "{{ }}", ()),
        ("{", {}, "{", ()),
        ("}", {}, "}", ()),
        ("a { b", {"b": "x"}, "a { b", ()),
        ("a } b", {}, "a } b", ()),
        ("{}", {"": "x"}, "{}", ()),
        ("{ }", {" ": "x"}, "{ }", ()),
        ("{a", {"a": "x"}, "{a", ()),
        ("{a{b}", {"b": "x"}, "{ax", ()),
        ("{a\nb}", {"a\nb": "x"}, "{a\nb}", ()),
        ("{a.b} {a!r} {0[x]} {a:>9}", {"a": "x"}, "{a.b} {a!r} {0[x]} {a:>9}", ()),
        ("{.}}", {}, "{.}}", ()),
        ("{" * 80, {}, "{" * 80, ()),
        ("}" * 80, {}, "}" * 80, ()),
        ("{{}}", {}, "{{}}", ()),
        ("{{{{name}}}}", {"name": "Anna"}, "{{name}}", ()),
        ("{{{{{name}}}}}", {"name": "Anna"}, "{{Anna}}", ()),
        ("{{name}", {"name": "Anna"}, "{Anna", ()),
        ("{name}}", {"name": "Anna"}, "Anna}", ()),
        ("{{ name }}", {"name": "Anna"}, "{ name }", ()),
        ("{{{a}}}", {}, "{{{a}}}", ("a",)),
        (":-{ ;-}", {}, ":-{ ;-}", ()),
        ("{" + "a" * 81 + "}", {"a" * 81: "x"}, "{" + "a" * 81 + "}", ()),
        ("{\ud800}", {}, "{\ud800}", ()),
    ],
)
def test_text_is_filled(text: str, fields: dict, filled: str, missing: tuple) -> None:
    assert placeholders.fill(text, fields) == (filled, missing)


def test_names_come_once_each_in_order_as_first_written() -> None:
    assert placeholders.names("{Name}, {termin} {{nicht}} {NAME} { Uhrzeit } {a.b}") == (
        "Name",
        "termin",
        "Uhrzeit",
    )


braced = st.text("{}ab Ä\n_-.", max_size=40)
field_values = st.dictionaries(
    st.sampled_from(["a", "b", "ab", "Ä", "a b"]), st.one_of(st.none(), braced), max_size=4
)


@given(st.text(st.characters(exclude_characters="{}")), field_values)
def test_text_without_braces_stays_as_it_is(text: str, fields: dict) -> None:
    assert placeholders.fill(text, fields) == (text, ())


@given(st.one_of(braced, st.text(st.characters())), field_values)
@example("{{{{", {})
@example("{a{{b}}", {"a": "x", "b": "y"})
def test_filling_agrees_with_reading_one_character_at_a_time(text: str, fields: dict) -> None:
    assert placeholders.fill(text, fields).text == reference(text, fields)


@given(st.text("{}[] .,!?\n"))
def test_braces_round_no_name_are_never_touched(text: str) -> None:
    assert placeholders.fill(text, {"": "x", " ": "x", ".": "x"}) == (text, ())


@given(st.text("abcÄ_ ").map(str.strip).filter(bool), st.text("xyz .", max_size=5))
def test_doubled_braces_show_the_placeholder_itself(name: str, around: str) -> None:
    assert placeholders.fill(f"{around}{{{{{name}}}}}{around}", {name: "x"}) == (
        f"{around}{{{name}}}{around}",
        (),
    )


@given(st.text())
def test_values_are_inserted_as_they_are(value: str) -> None:
    assert placeholders.fill("<{x}>", {"x": value, "y": "never"}).text == f"<{value}>"


@given(braced, field_values)
def test_missing_names_are_among_the_names_and_have_no_value(text: str, fields: dict) -> None:
    missing = placeholders.fill(text, fields).missing
    known = {name.casefold() for name, value in fields.items() if value is not None}

    assert set(missing) <= set(placeholders.names(text))
    assert not known & {name.casefold() for name in missing}


@pytest.mark.parametrize(
    "megabyte",
    [
        "{" * 1_000_000,
        "{a" * 500_000,
        "{ a a a " * 125_000,
        "{" * 500_000 + "a" + "}" * 499_999,
        "{a}" * 300_000,
    ],
)
def test_a_megabyte_is_filled_in_linear_time(megabyte: str) -> None:
    began = time.process_time()
    placeholders.fill(megabyte, {})

    assert time.process_time() - began < 5


def reference(text: str, fields: dict) -> str:
    """Peel pairs of braces from the inside outwards."""
    values = {name.casefold(): value for name, value in fields.items() if value is not None}
    out, at = "", 0
    while at < len(text):
        opening = len(text[at:]) - len(text[at:].lstrip("{"))
        inner = text[at + opening :].partition("}")[0]
        end = at + opening + len(inner)
        closing = len(text[end:]) - len(text[end:].lstrip("}"))
        if not (opening and closing and is_name(inner)):
            step = max(opening, 1)
            out, at = out + text[at : at + step], at + step
            continue
        pairs = min(opening, closing)
        value = inner if pairs % 2 == 0 else values.get(" ".join(inner.casefold().split()))
        if value is None:
            out += text[at : end + closing]
        else:
            out += "{" * (opening - pairs + pairs // 2) + value + "}" * (closing - pairs + pairs // 2)
        at = end + closing
    return out


def is_name(inner: str) -> bool:
    on_one_line = len(inner) <= 80 and not set(inner) & set("{\r\n")
    return on_one_line and inner.strip() != "" and all(c.isalnum() or c in "_- " for c in inner.strip())
