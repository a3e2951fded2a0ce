"""What keeps a survey from starting is named: at which question, in which field, by which code."""

import pytest

from sms.modules.survey import checking, demo, flow


def q(key="a", type="yesno", text="Ja?", **more):
    return {"key": key, "type": type, "text": text, **more}


def found(*questions, **more):
    return [
        (p.question, p.field, p.code)
        for p in checking.problems(flow.read({"questions": list(questions), **more}))
    ]


def test_the_survey_of_the_design_has_no_problem():
    assert checking.problems(flow.read(demo.DRAFT)) == []


@pytest.mark.parametrize(
    ("questions", "problem"),
    [
        ([], ("", "questions", "no_questions")),
        ([q(str(n)) for n in range(51)], ("", "questions", "too_many")),
        ([q(text="")], ("a", "text", "empty")),
        ([q(text="x" * 1501)], ("a", "text", "too_long")),
        ([q(text="a\tb")], ("a", "text", "control_character")),
        ([q(), q()], ("a", "key", "key_twice")),
        ([q("end")], ("end", "key", "bad_key_name")),
        ([q("ä b")], ("ä b", "key", "bad_key_name")),
        ([q(type="smell")], ("a", "type", "unknown_type")),
        ([q(retries=6)], ("a", "retries", "bad_number")),
        ([q(when_unclear="cry")], ("a", "when_unclear", "unknown_choice")),
        ([q(type="scale", scale="7")], ("a", "scale", "unknown_choice")),
        ([q(type="choice")], ("a", "options", "too_few_options")),
        ([q(type="choice", options=["a", ""])], ("a", "options", "empty_option")),
        ([q(type="choice", options=["Straße", "STRASSE"])], ("a", "options", "option_twice")),
        ([q(type="choice", options=[str(n) for n in range(160)])], ("a", "options", "too_many_options")),
        ([q(type="number", least="10", most="1")], ("a", "least", "bounds_swapped")),
        ([q(type="number", least="viel")], ("a", "least", "bad_bound")),
        ([q(type="number", most="nan")], ("a", "least", "bad_bound")),
        ([q(next="b")], ("a", "next", "unknown_target")),
        ([q(branches=[{"answers": ["yes"], "to": "b"}])], ("a", "branches.0", "unknown_target")),
        ([q(branches=[{"to": "end"}])], ("a", "branches.0", "rule_without_answer")),
        ([q(branches=[{"answers": ["maybe"], "to": "end"}])], ("a", "branches.0", "rule_with_foreign_answer")),
        ([q(branches=[{"answers": ["yes"], "to": "end"}] * 2)], ("a", "branches.1", "answer_in_two_rules")),
        ([q(type="text", branches=[{"answers": ["x"], "to": "end"}])], ("a", "branches.0", "no_rules_on_text")),
        ([q(type="date", branches=[{"least": "morgen", "to": "end"}])], ("a", "branches.0", "bad_date")),
        ([q(), q("b"), q("c", next="a"), q("d")], ("d", "next", "never_asked")),
        ([q(next="end"), q("b")], ("b", "next", "never_asked")),
        ([q(next="b"), q("b", next="a")], ("a", "next", "no_way_out")),
        ([q(next="a", when_unclear="agent")], ("a", "next", "no_way_out")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(questions, problem):
    assert problem in found(*questions)


def test_a_loop_with_a_way_out_may_stay():
    assert not found(q(next="a", branches=[{"answers": ["no"], "to": "end"}]))
    assert not found(q(next="a", when_unclear="end"))


def test_a_question_that_every_answer_passes_by_is_asked_of_who_is_skipped_only():
    both = [{"answers": ["yes"], "to": "c"}, {"answers": ["no"], "to": "end"}]
    assert not found(q(branches=both, when_unclear="skip"), q("b"), q("c"))
    assert found(q(branches=both, when_unclear="end"), q("b"), q("c")) == [("b", "next", "never_asked")]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("closing", "x" * 1501, "too_long"), ("reminders", 9, "bad_number"), ("expires_hours", 0, "bad_number")],
)
def test_the_frame_of_a_survey_is_checked_too(field, value, code):
    assert found(q(), **{field: value}) == [("", field, code)]


def test_the_cost_is_that_of_the_longest_way():
    cost = checking.cost(flow.read(demo.DRAFT))
    assert (cost.messages, cost.parts) == (5, 5)
    assert cost.most > cost.parts


def test_the_cost_of_a_loop_is_finite():
    assert (
        checking.cost(flow.read({"questions": [q(branches=[{"answers": ["yes"], "to": "a"}])]})).messages == 1
    )


def test_a_long_chain_is_reckoned_quickly():
    chain = [q(f"k{n}", branches=[{"answers": ["yes"], "to": f"k{min(n + 2, 49)}"}]) for n in range(50)]
    chain[49]["branches"] = []
    assert checking.cost(flow.read({"questions": chain})).messages == 50


def test_placeholders_of_all_texts_are_named_once():
    made = flow.read({"questions": [q(text="{Anrede} {name}", unclear="{anrede}?")], "closing": "{praxis}"})
    assert checking.placeholder_names(made) == ("Anrede", "name", "praxis")


def test_a_question_is_by_the_way_only_where_no_straight_way_leads_to_it():
    def by_the_way(*questions):
        made = flow.read({"questions": list(questions)})
        return [each.key for each in made.questions if checking.is_by_the_way(made, each)]

    to_c = [{"answers": ["no"], "to": "c"}]
    assert by_the_way(q(branches=to_c), q("b"), q("c")) == []
    assert by_the_way(q(branches=to_c), q("b", next="end"), q("c")) == ["c"]
    assert by_the_way(q(), q("b", branches=[{"answers": ["no"], "to": "a"}])) == []
    assert by_the_way(*demo.DRAFT["questions"]) == ["schlecht"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Guten Tag {name}, gut bei {Praxis}?", []),
        ("Hallo {quatsch}?", ["unknown"]),
        ("Hallo {}?", ["lone_brace"]),
        ("Hallo { du?", ["lone_brace"]),
        ("Hallo {name?", ["lone_brace"]),
        ("Hallo {{name}}?", []),
    ],
)
def test_what_may_be_a_slip_of_a_placeholder_is_named(text, codes):
    made = flow.read({"questions": [q(text=text)], "closing": text})
    found = checking.doubts(made, {"name", "praxis"}, "unknown")
    assert [(p.question, p.field, p.code) for p in found] == [
        *(("a", "text", code) for code in codes),
        *(("", "closing", code) for code in codes),
    ]
    assert all(p.params.get("names", "{quatsch}") == "{quatsch}" for p in found)
    assert checking.problems(made) == []
