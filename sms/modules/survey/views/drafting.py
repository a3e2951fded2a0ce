"""From the set-up form to a draft and back: what was typed is kept as it stands, whatever is still missing.

A form names its questions in order by the repeated field `q`; the fields of a question begin with its key.
"""

import re
from collections.abc import Callable
from typing import Any

from werkzeug.datastructures import MultiDict

from sms.modules.survey import checking, flow
from sms.modules.survey.flow import Flow

Draft = dict[str, Any]

_key = re.compile(r"[A-Za-z0-9_-]{1,40}")
_PLAIN = ("name", "text", "unit", "low", "high", "unclear", "retries", "when_unclear", "next")
_BOUNDS = ("least", "most")
MOST_RULES = 30


def read(form: MultiDict[str, str], before: Flow) -> Draft:
    """Return the draft that a form holds; rules of a question whose kind has changed since `before` are dropped."""
    keys = [key for key in dict.fromkeys(form.getlist("q")) if _key.fullmatch(key) and key != flow.END]
    plain = ("closing", "reminders", "reminder_hours", "reminder_text", "expires_hours")
    return {
        "questions": [_question(form, key, before) for key in keys[: checking.MOST_QUESTIONS + 1]],
        **{name: _lines(form[name]) for name in plain if name in form},
    }


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _question(form: MultiDict[str, str], key: str, before: Flow) -> Draft:
    kind, _, scale = form.get(f"{key}-kind", "text").partition(":")
    kind = kind if kind in flow.TYPES else "text"
    found: Draft = {"key": key, "type": kind, **({"scale": scale} if scale else {})}
    found |= {name: _lines(form.get(f"{key}-{name}", "")) for name in (*_PLAIN, *_BOUNDS)}
    found["options"] = [line.strip() for line in form.get(f"{key}-options", "").splitlines() if line.strip()]
    found["notify"] = f"{key}-notify" in form
    was = before.question(key)
    same = was is not None and (was.type, was.scale) == (kind, scale or was.scale)
    found["branches"] = _rules(form, key) if same else []
    return found


def _rules(form: MultiDict[str, str], key: str) -> list[Draft]:
    count = form.get(f"{key}-rules", "0")
    many = min(int(count), MOST_RULES) if count.isascii() and count.isdigit() else 0
    return [
        {
            "answers": form.getlist(f"{key}-{n}-answers"),
            "least": form.get(f"{key}-{n}-least", ""),
            "most": form.get(f"{key}-{n}-most", ""),
            "to": form.get(f"{key}-{n}-to", ""),
        }
        for n in range(many)
    ]


def change(draft: Draft, do: str) -> str:
    """Do what a button of the form asks (add, up:KEY, down:KEY, remove:KEY, rule:KEY, unrule:KEY:N) to a draft.

    Returns the key of the question that is worked on, nothing where there is none.
    """
    what, _, rest = do.partition(":")
    key, _, place = rest.partition(":")
    if what == "add":
        return _add(draft)
    questions = draft["questions"]
    at = next((n for n, q in enumerate(questions) if q["key"] == key), None)
    act = _ACTS.get(what)
    if at is None or act is None:
        return ""
    act(questions, at, int(place) if place.isascii() and place.isdigit() else -1)
    return key if what != "remove" else ""


def _add(draft: Draft) -> str:
    taken = {q["key"] for q in draft["questions"]}
    key = next(f"q{n}" for n in range(1, len(taken) + 2) if f"q{n}" not in taken)
    draft["questions"].append({"key": key, "type": "yesno"})
    return key


def _move(by: int) -> Callable[[list[Draft], int, int], None]:
    def move(questions: list[Draft], at: int, _: int) -> None:
        to = at + by
        if 0 <= to < len(questions):
            questions[at], questions[to] = questions[to], questions[at]

    return move


def _remove(questions: list[Draft], at: int, _: int) -> None:
    gone = questions.pop(at)["key"]
    for question in questions:
        question["branches"] = [b for b in question.get("branches", []) if b["to"] != gone]
        if question.get("next") == gone:
            question["next"] = flow.FOLLOWING


def _rule(questions: list[Draft], at: int, _: int) -> None:
    questions[at].setdefault("branches", []).append({"answers": [], "to": flow.END})


def _unrule(questions: list[Draft], at: int, place: int) -> None:
    rules = questions[at].get("branches", [])
    if 0 <= place < len(rules):
        del rules[place]


_ACTS: dict[str, Callable[[list[Draft], int, int], None]] = {
    "up": _move(-1), "down": _move(1), "remove": _remove, "rule": _rule, "unrule": _unrule,
}  # fmt: skip
