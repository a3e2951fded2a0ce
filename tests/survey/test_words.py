"""What surveys say by themselves, and how a long text is shortened where there is little room."""

import pytest

from sms.modules.survey import words
from sms.modules.survey.flow import Question


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Alles  gut,\ndanke", "Alles gut, danke"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        (
            "Wie zufrieden waren Sie mit Ihrer gestrigen Behandlung, insgesamt gesehen?",
            "Wie zufrieden waren Sie mit Ihrer gestrigen Behandlung…",
        ),
    ],
)
def test_a_long_answer_is_cut_after_a_word_and_says_so(text, shown):
    assert words.shown(Question("q"), text, "de") == shown
