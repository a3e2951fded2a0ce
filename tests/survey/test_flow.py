"""The flow by itself: what a draft becomes, what ends, what nobody understands."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from sms.modules.survey import checking, flow, words
from sms.modules.survey.flow import MOST_ASKED, Event, State

DAY = date(2026, 11, 23)

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["a", "b", "c", "d", "end", ""])
texts = st.sampled_from(["Wie war es?", "Und sonst?", "{name}, noch etwas?", ""])
branch = st.fixed_dictionaries(
    {"to": keys},
    optional={
        "answers": st.lists(st.sampled_from(["yes", "no", "1", "2", "5", "0", "x"]), max_size=3),
        "least": st.sampled_from(["1", "2026-01-01", "-3,5", "viel"]),
        "most": st.sampled_from(["9", "2026-12-31", ""]),
    },
)
question = st.fixed_dictionaries(
    {"key": st.sampled_from(["a", "b", "c", "d"]), "text": texts, "type": st.sampled_from(flow.TYPES)},
    optional={
        "options": st.lists(st.sampled_from(["Brot", "Käse", "brot", "Obst", ""]), max_size=4),
        "scale": st.sampled_from([*flow.SCALES, "12"]),
        "retries": st.integers(-1, 7),
        "when_unclear": st.sampled_from([*flow.WHEN_UNCLEAR, "cry"]),
        "branches": st.lists(branch, max_size=3),
        "next": keys,
        "notify": st.booleans(),
    },
)
drafts = st.fixed_dictionaries(
    {"questions": st.lists(question, max_size=4)},
    optional={"closing": texts, "reminders": st.integers(0, 9), "expires_hours": st.integers(0, 90)},
)


@st.composite
def likely(draw):
    """Drafts that are often sound: keys in order, targets among them, rules that fit the kind."""
    count = draw(st.integers(1, 4))
    keys = ["a", "b", "c", "d"][:count]
    targets = st.sampled_from([*keys, "end", ""])
    made = []
    for key in keys:
        type = draw(st.sampled_from(flow.TYPES))
        rule = {"yesno": ["yes"], "scale": ["1", "2"], "choice": ["2"], "multichoice": ["1", "0"]}.get(type)
        branches = [{"answers": rule, "to": draw(targets)}] if rule and draw(st.booleans()) else []
        made.append({
            "key": key, "type": type, "text": "Wie war es?", "options": ["Brot", "Käse"], "branches": branches,
            "retries": draw(st.integers(0, 3)), "when_unclear": draw(st.sampled_from(flow.WHEN_UNCLEAR)),
            "next": draw(st.just("") | targets), "notify": draw(st.booleans()),
        })  # fmt: skip
    return {"questions": made, "closing": draw(texts)}


replies = st.lists(
    st.sampled_from(["ja", "nein", "1", "2", "5", "1 und 2", "24.12.", "hm", "", "STOP", "3,5", "👍"])
    | st.text(max_size=20),
    max_size=40,
)


@given(json_like | st.fixed_dictionaries({"questions": json_like}))
def test_any_data_is_readable_as_a_flow(data):
    made = flow.read(data)
    checking.problems(made)
    checking.cost(made)
    assert flow.read(flow.dump(made)) == made


@given(drafts)
def test_a_flow_survives_being_stored(data):
    made = flow.read(data)
    assert flow.read(flow.dump(made)) == made


@budget(max_examples=300)
@given(likely(), replies)
def test_a_flow_without_problems_leads_everybody_on_whatever_they_say(data, said):
    made = flow.read(data)
    assume(not checking.problems(made))
    state, actions = flow.step(made, State(), Event("begin"), "de")
    assert [a.kind for a in actions] == ["ask"]
    for text in said:
        before = state
        state, actions = flow.step(made, state, Event("reply", text, DAY), "de")
        if before.phase != "asking":
            assert (state, actions) == (before, ())
            continue
        # Every answer leads to words, to a person, or to the end; never to silence.
        assert actions
        assert (state.phase == "asking") == any(a.kind == "ask" for a in actions)
        assert state.asked <= MOST_ASKED
        assert (state.phase in ("finished", "ended", "opted_out")) == any(a.kind == "finish" for a in actions)
        for action in actions:
            if action.kind == "record" and action.how == "value":
                asked = made.question(action.question)
                possible = checking.answers_of(asked)
                stored = flow.values_of(asked, flow.value_text(action.answer.value))
                assert not possible or set(stored) <= set(possible)


@budget(max_examples=200)
@given(likely())
def test_from_every_question_of_a_sound_flow_some_way_leads_to_the_end(data):
    made = flow.read(data)
    assume(not checking.problems(made))
    for start in made.questions:
        seen, waiting, ends = set(), [start], False
        while waiting:
            one = waiting.pop()
            ends |= one is None
            if one is not None and one.key not in seen:
                seen.add(one.key)
                waiting += checking.ways(made, one)
        assert ends


def test_nobody_is_asked_for_ever():
    made = flow.read(
        {
            "questions": [
                {
                    "key": "a",
                    "type": "yesno",
                    "text": "Noch einmal?",
                    "branches": [{"answers": ["yes"], "to": "a"}],
                }
            ]
        }
    )
    assert not checking.problems(made)
    played = flow.play(made, ["ja"] * 200, "de")
    assert played.state.phase == "finished"
    assert sum(who == "ours" for who, _ in played.lines) == MOST_ASKED


@pytest.mark.parametrize(
    ("type", "more", "answer", "value"),
    [
        ("scale", {"scale": "grade"}, "Note 2", "2"), ("scale", {"scale": "nps"}, "0", "0"), ("scale", {"scale": "1-10"}, "zehn", "10"),
        ("yesno", {}, "jo passt", "yes"), ("yesno", {}, "lieber nicht", "no"),
        ("choice", {"options": ["Obst", "Käse"]}, "b", "2"), ("choice", {"options": ["Brot", "Käse"]}, "Kaese", "2"),
        ("multichoice", {"options": ["Brot", "Käse", "Obst"]}, "1 und 3", "1,3"),
        ("number", {"least": "0", "most": "50,5"}, "50,5", "50.5"), ("date", {}, "morgen", "2026-11-24"), ("text", {}, " Danke ", "Danke"),
    ],
)  # fmt: skip
def test_answers_are_read_by_their_kind(type, more, answer, value):
    asked = flow.read({"questions": [{"key": "q", "type": type, "text": "?", **more}]}).questions[0]
    meant = flow.make_sense(asked, answer, "de", DAY)
    assert (meant.outcome, flow.value_text(meant.value)) == ("value", value)


@pytest.mark.parametrize(
    ("value", "to"), [("5", "b"), ("9.5", "b"), ("10", "b"), ("4.99", "c"), ("10.01", "c")]
)
def test_a_range_of_numbers_leads_somewhere_with_both_its_ends(value, to):
    made = flow.read({"questions": [
        {"key": "a", "type": "number", "text": "?", "branches": [{"least": "5", "most": "10", "to": "b"}], "next": "c"},
        {"key": "b", "text": "?"}, {"key": "c", "text": "?"},
    ]})  # fmt: skip
    assert flow.leads_to(made, made.questions[0], value).key == to


def test_a_range_of_days_leads_somewhere():
    made = flow.read({"questions": [
        {"key": "a", "type": "date", "text": "?", "branches": [{"least": "2026-12-01", "to": "c"}]}, {"key": "b", "text": "?"}, {"key": "c", "text": "?"},
    ]})  # fmt: skip
    assert [flow.leads_to(made, made.questions[0], day).key for day in ("2026-11-30", "2026-12-01")] == [
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    ("answer", "value"),
    [("sehr", 1), ("Gar nicht!", 5), ("5, gar nicht!", 5), ("gar nicht (5)", 5), ("1 = sehr", 1), ("3", 3),
     ("nicht sehr", None), ("sehr gar nicht", None), ("4, gar nicht", None), ("5 sehr", None), ("", None)],
)  # fmt: skip
def test_the_ends_of_a_scale_are_understood_by_their_names(answer, value):
    scale = flow.Question("q", type="scale", low="sehr", high="gar nicht")
    meant = flow.make_sense(scale, answer, "de", DAY)
    assert (meant.outcome, meant.value) == (("value", value) if value else ("unclear", None))


def test_ends_with_one_name_are_understood_by_none():
    scale = flow.Question("q", type="scale", low="schlecht", high="Schlecht")
    assert flow.make_sense(scale, "schlecht", "de", DAY).outcome == "unclear"


@pytest.mark.parametrize(
    ("answer", "value"),
    [("sehr gut", 1), ("Gut!", 2), ("befriedigend", 3), ("Note ausreichend", 4), ("mangelhaft", 5), ("Ungenügend.", 6), ("3", 3),
     ("nicht gut", None), ("gut bis befriedigend", None), ("sehr", None), ("gut, aber teuer", None)],
)  # fmt: skip
def test_school_grades_are_understood_by_their_names(answer, value):
    meant = flow.make_sense(flow.Question("q", type="scale", scale="grade"), answer, "de", DAY)
    assert (meant.outcome, meant.value) == (("value", value) if value else ("unclear", None))


def test_grades_by_name_are_no_answer_on_another_scale():
    assert flow.make_sense(flow.Question("q", type="scale"), "gut", "de", DAY).outcome == "unclear"


@pytest.mark.parametrize(
    ("unit", "answer", "value"),
    [("Minuten", "90", "90"), ("Minuten", "30 min", "30"), ("Minuten", "2,5 Stunden", "150"), ("Minuten", "1 Std.", "60"),
     ("Minuten", "ne halbe Stunde", "30"), ("Minuten", "eine Stunde", "60"), ("kg", "500 g", "0.5"), ("€", "12,50 Euro", "12.5"),
     ("Tassen", "3 Stück", "3"), ("Enkel", "3 Enkelkinder", "3"),
     ("Minuten", "20 Euro", None), ("Minuten", "20 €", None), ("€", "20 Minuten", None), ("Minuten", "12 Enkel", None),
     ("Minuten", "6 Stunden", None), ("Minuten", "1 Std 30 Min", None), ("Minuten", "halb", None)],
)  # fmt: skip
def test_a_number_in_another_unit_is_converted_or_asked_for_again(unit, answer, value):
    question = flow.Question("q", type="number", unit=unit, least="0", most="300")
    meant = flow.make_sense(question, answer, "de", DAY)
    assert (meant.outcome, meant.value) == (("value", value) if value else ("unclear", None))


def test_stop_in_a_free_text_is_no_answer():
    made = flow.read({"questions": [{"key": "a", "type": "text", "text": "Warum?"}]})
    played = flow.play(made, ["STOP", "doch"], "de")
    assert (played.state.phase, played.answers, len(played.lines)) == ("opted_out", {}, 3)


def test_what_is_said_again_names_what_would_be_understood():
    asked = flow.read(
        {"questions": [{"key": "q", "type": "number", "least": "0.5", "most": "3", "unit": "l", "text": "?"}]}
    ).questions[0]
    assert words.ask_again(asked, "de").endswith("Zahl von 0,5 bis 3 (l).")
    assert words.ask_again(asked, "en").endswith("number from 0.5 to 3 (l).")


def test_braces_of_a_choice_are_no_placeholder_when_it_is_repeated():
    asked = flow.read(
        {"questions": [{"key": "q", "type": "choice", "options": ["{name}", "b"], "text": "?"}]}
    ).questions[0]
    assert "1 {{name}}, 2 b" in words.ask_again(asked, "de")
