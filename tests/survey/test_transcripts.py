"""Whole surveys as transcripts: who says what when, and where it leads. Each runs over real receiving and sending.

survey NAME, keyword WORD, at WHEN (Berlin), start NUMBER, open, `< text` we say (… for the rest), `> text` they say,
`= state question`, `! question value` (- is unclear, none is no answer), later 24h30m, clock WHEN (it is now),
agent TEXT, resume, thread STATUS. Whatever we say must stand in the transcript.
"""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sms import clock, inbox, outbox, sending
from sms.models import Conversation, Message
from sms.modules.survey import answering, asking, demo, enrolling, flow
from sms.modules.survey.models import Answer
from tests.carrier_side import POOL
from tests.survey.surveys_for_tests import MARGARETHE, made, run_of, says, take_everything

HERE = Path(__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")
TRANSCRIPTS = sorted((HERE / "transcripts").glob("*.txt"))


def draft(name):
    return demo.DRAFT if name == "demo" else json.loads((HERE / "flows" / f"{name}.json").read_text())


def lines(path):
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield f"{path.name}:{number}", word, rest.strip()


class Stage:
    """Carries out one line after the other; `said` counts what of ours stood in the transcript."""

    def __init__(self, account, anna):
        self.account, self.anna, self.said, self.settings = account, anna, 0, {}

    def ours(self):
        sent = Message.select().where(Message.theirs == MARGARETHE, Message.direction == "outgoing")
        return [m.text for m in sent.where(Message.status == "sent").order_by(Message.id)]

    def silent(self):
        assert self.ours()[self.said :] == []

    def do(self, word, rest):
        if word != "<":
            self.silent()
        getattr(self, {"<": "we", ">": "they", "=": "stands", "!": "value"}.get(word, word))(rest)

    def survey(self, name):
        self.draft = draft(name)

    def keyword(self, word):
        self.settings["keyword"] = word

    def at(self, moment):
        clock.shift(datetime.fromisoformat(moment).replace(tzinfo=BERLIN) - clock.now())

    def clock(self, moment):
        assert abs(datetime.fromisoformat(moment).replace(tzinfo=BERLIN) - clock.now()) < timedelta(minutes=2)

    def start(self, number):
        enrolling.start(made(self.account, self.draft, **self.settings), [number])
        self.work()

    def open(self, _):
        enrolling.open_door(made(self.account, self.draft, **self.settings))

    def work(self):
        sending_due()
        asking.work()
        take_everything()

    def later(self, span):
        hours, minutes = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?", span).groups()
        end = clock.now() + timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        while clock.now() < end:
            clock.shift(min(timedelta(minutes=30), end - clock.now()))
            self.work()

    def we(self, text):
        news = self.ours()
        assert len(news) > self.said, "nothing was said"
        if text.endswith("…"):
            assert news[self.said].startswith(text[:-1].rstrip())
        else:
            assert news[self.said] == text
        self.said += 1

    def they(self, text):
        ours = Message.select().where(Message.theirs == MARGARETHE, Message.direction == "outgoing")
        newest = ours.order_by(Message.id.desc()).first()
        says(MARGARETHE, text, newest.ours if newest else POOL[0])

    def stands(self, rest):
        run = run_of(MARGARETHE)
        assert f"{run.state} {run.question}".strip() == rest

    def value(self, rest):
        key, _, value = rest.partition(" ")
        answer = Answer.get_or_none(Answer.run == run_of(MARGARETHE), Answer.question == key)
        assert (None if answer is None else answer.value) == (None if value in ("-", "none") else value)
        assert (answer is None) == (value == "none")

    def agent(self, text):
        sending.reply(Conversation.get(), text, by=self.anna)
        take_everything()

    def resume(self, _):
        answering.resume(run_of(MARGARETHE), self.anna)
        take_everything()

    def thread(self, status):
        assert Conversation.get().status == status
        inbox.set_status(Conversation.get(), "closed", self.anna)


def sending_due():
    """Let scheduled messages go whose time has come."""
    outbox.sweep()


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript_comes_true(account, anna, app, path):
    stage = Stage(account, anna)
    for place, word, rest in lines(path):
        try:
            stage.do(word, rest)
        except AssertionError as error:
            raise AssertionError(f"{place}: {word} {rest}: {error}") from None
    stage.silent()


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_preview_says_the_same_where_only_answers_count(path):
    script = list(lines(path))
    words = [word for _, word, _ in script]
    if {"agent", "later", "resume", "open", "clock"} & set(words):
        return
    frozen = flow.read(draft(next(rest for _, word, rest in script if word == "survey")))
    replies = [rest for _, word, rest in script if word == ">"]
    day = datetime.fromisoformat(next(rest for _, word, rest in script if word == "at")).date()
    played = flow.play(frozen, replies, "de", day)
    ours = [text for who, text in played.lines if who == "ours"]
    wanted = [rest for _, word, rest in script if word == "<" and "keine Nachrichten mehr" not in rest]
    assert len(ours) == len(wanted)
    for said, expected in zip(ours, wanted, strict=True):
        expected = expected.replace("Praxis Dr. Lindner", "{praxis}")
        assert said.startswith(expected.rstrip("…").rstrip())
    states = [rest.split()[0] for _, word, rest in script if word == "="]
    assert played.state.phase == states[-1]
