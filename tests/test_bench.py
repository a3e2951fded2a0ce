"""The benchmark's own parts: its table, its client, and that its pretend volume is what the verbs would have made."""

import json

import pytest

from bench import client, figures, floors, processes, surveys, volume
from bench.__main__ import main
from bench.figures import Figure
from sms import inbox, inbox_list, search, totals
from sms.models import Conversation, Message, User
from sms.modules.survey import asking, results
from sms.modules.survey.models import Answer


def test_a_ratio_says_how_many_times_better_it_is_than_it_must_be():
    assert Figure("quick", 25, 50, "ms").ratio == 2
    assert Figure("many", 800, 400, "/s", True).ratio == 2
    assert Figure("slow", 100, 50, "ms").ratio == 0.5
    assert Figure("untold", 100, None, "ms").ratio is None


def test_the_table_has_ratio_floor_and_how_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    found = [
        Figure("messages", 800, 400, "/s", True, 1600, "so many over HTTP"),
        Figure("memory", 150.5, 200, "MB", how="so many over HTTP"),
    ]
    path = figures.keep(found, ["throughput"])
    told = path.with_suffix(".txt").read_text()
    for words in ("2.0x", "400 /s", "1.6e+03", "messages [1]", "memory [1]", "[1] so many over HTTP"):
        assert words in told, words
    kept = json.loads(path.read_text())
    assert kept["parts"] == ["throughput"]
    assert kept["figures"][0]["ratio"] == 2


def test_an_unknown_part_is_refused_with_the_known_ones():
    with pytest.raises(SystemExit, match="no part is called spede; there are felt, throughput"):
        main(["spede"])


def test_the_volume_is_what_the_verbs_would_have_made(database_file):
    """Its counts, previews, readings and index agree with its messages."""
    Conversation.delete().execute()
    made = volume.fill(3_000, 100)
    user = User.get_by_id(made.user)
    assert Message.select().count() == 3_000
    for talk in Conversation.select().where(Conversation.id.in_([1, 50, 100])):
        messages = inbox.thread(talk, limit=200)
        assert talk.incoming == sum(m.direction == "incoming" for m in messages)
        assert talk.last_message == messages[-1].id
        assert messages[-1].text.startswith(talk.preview[:20])
        assert talk.last_outgoing == max(m.id for m in messages if m.direction == "outgoing")
    assert len(inbox.thread(Conversation.get_by_id(made.thread), limit=200)) == volume.LONG
    found = {view: len(inbox_list.rows(user, view, limit=200).items) for view in ("open", "mine", "failed")}
    assert found == {view: totals.counts(user)[view] for view in found}
    assert search.conversations_matching(made.account, "rezept empfang")
    assert search.conversations_matching(made.account, volume._number(77)) == {77}


def test_the_finished_surveys_are_what_answers_would_have_made(app):
    """The counters agree with the answers that are there."""
    survey = surveys._begin(40)
    asking.work()
    surveys._finish_all(survey)
    found = results.results(survey)
    assert (found.sent, found.answered, found.finished, sum(found.days.values())) == (40, 40, 40, 40)
    for of in found.questions:
        given = Answer.select().where(Answer.question == of.question.key).count()
        assert of.answered == given
        assert sum(of.values.values()) == (0 if of.question.type == "text" else given)
    liked = results.results(survey, like=("zufriedenheit", "2"))
    assert liked.finished == found.questions[0].values["2"]


def test_the_floor_and_the_client_measure_a_real_server():
    bare = floors.bare_flask(60)
    assert bare.rate > 10
    assert bare.p99 > 0


def test_a_family_of_processes_is_counted_with_its_children():
    import os
    import subprocess

    child = subprocess.Popen(["sleep", "30"])
    try:
        assert child.pid in processes.family(os.getpid())
        assert processes.pss_megabytes([child.pid]) > 0
        assert processes.cpu_seconds([os.getpid()]) > 0
    finally:
        child.kill()
        child.wait(5)


def test_what_is_refused_is_counted_by_its_status():
    with floors.serving_bare() as (_, port):
        answers = client.post_all(port, "/nowhere", [{"to": "", "text": ""}] * 3, key="", connections=2)
    assert answers.statuses == {404: 3}
