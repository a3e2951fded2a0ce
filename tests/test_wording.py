"""Every code that anything refuses with has a sentence, and every sentence survives missing facts."""

import ast
from pathlib import Path

import pytest

from sms import i18n, wallclock, wording
from sms.gsm import msisdn
from sms.refusal import Refused

ROOT = Path(__file__).parents[1] / "sms"
SENDER_ERRORS = ("empty", "too_long", "bad_character", "only_digits", "not_owned")
TEXT_ERRORS = ("surrogate", "control_character", "empty", "too_long")


def refused_codes() -> dict[str, str]:
    """Return every literal code given to Refused or Conflict in the verbs and pages, with its place."""
    found = {}
    for path in ROOT.rglob("*.py"):
        if {"sandbox", "carriers", "migrations", "api"} & set(path.relative_to(ROOT).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            at = {"Refused": 1, "Conflict": 0}.get(node.func.id)
            if at is None or len(node.args) <= at:
                continue
            for part in ast.walk(node.args[at]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.islower():
                    found[part.value] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def test_every_code_has_a_sentence() -> None:
    codes = set(refused_codes()) | set(msisdn.ERRORS) | set(TEXT_ERRORS)
    codes |= {f"sender_{error}" for error in SENDER_ERRORS}
    without = {c: refused_codes().get(c) for c in codes if wording._known(c) is None and c != "sender_"}
    assert not without


@pytest.mark.parametrize("locale", ["de", "en"])
@pytest.mark.parametrize("code", [*wording.SENTENCES, "too_long", "never_heard_of"])
def test_every_sentence_can_be_said_without_its_facts(
    code: str, locale: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    i18n.compile_catalogues()
    monkeypatch.setattr(i18n, "_locale_now", lambda: locale)
    said = wording.sentence(code)
    assert said
    assert "%(" not in said


def test_too_long_means_the_number_where_no_limit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_locale_now", lambda: "en")
    assert wording.sentence("too_long") == "This phone number is too long."
    assert wording.sentence("too_long", limit=1500) == "Too long: at most 1500 characters."


def test_percent_signs_in_facts_are_only_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "_locale_now", lambda: "de")
    i18n.compile_catalogues()
    assert "100 %(x)s" in wording.sentence("number_taken", name="100 %(x)s")


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "de",
            "28.03.2027, 02:30 Uhr gibt es in Europe/Berlin nicht, weil die Uhr umgestellt wird. "
            "Am nächsten liegen 28.03.2027, 01:59 Uhr und 28.03.2027, 03:00 Uhr.",
        ),
        (
            "en",
            "28 March 2027, 02:30 does not exist in Europe/Berlin because the clocks change. "
            "The nearest times are 28 March 2027, 01:59 and 28 March 2027, 03:00.",
        ),
    ],
)
def test_times_are_said_as_the_reader_writes_them(
    locale: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    i18n.compile_catalogues()
    monkeypatch.setattr(i18n, "_locale_now", lambda: locale)
    with pytest.raises(Refused) as refused:
        wallclock.read("2027-03-28T02:30", "Europe/Berlin", "send_at")
    assert wording.sentence(refused.value.code, **refused.value.params) == said
