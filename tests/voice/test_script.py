"""A call from the first pause to the goodbye, without a phone."""

from collections.abc import Iterator

import pytest

from voice import script
from voice.announcement import announced
from voice.script import Gather, Hangup, Outcome, Pause, Play, Record, Redirect, Say, Speech, Step

WORDS = announced("de", "Müller", "Bis 14 Uhr")
MESSAGE = Play("https://faden.example/audio/message.wav")
SPEECH = Speech(WORDS, {WORDS: MESSAGE.url})
LANGUAGES = ["de", "en"]
FORBIDDEN_IN_SPEECH = set("<>[]{}0123456789")


def steps_of(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, Gather):
            yield from steps_of(step.steps)


def said(turn: script.Turn) -> str:
    return " ".join(step.text for step in steps_of(turn.steps) if isinstance(step, Say))


def test_a_call_begins_with_silence_then_message_and_prompt_inside_the_key_wait():
    turn = script.outgoing(SPEECH, "de", "human")
    pause, gather, redirect = turn.steps
    assert isinstance(pause, Pause)
    assert 0.6 <= pause.seconds <= 1
    assert isinstance(gather, Gather)
    assert gather.steps[0] == MESSAGE
    assert "drücken Sie die eins" in said(turn)
    assert (gather.action, gather.digits, redirect) == ("keys", 1, Redirect("heard"))
    assert turn.outcome == Outcome.LISTENING


def test_the_prompt_is_as_agreed():
    assert script.phrase("prompt", "de") == (
        "Zum Wiederholen drücken Sie die 1, für einen Rückruf die 2, um keine Anrufe mehr zu erhalten die 9."
    )


def test_keys_work_while_the_audio_plays_because_nothing_is_played_outside_the_wait():
    turn = script.outgoing(SPEECH, "de")
    assert not any(isinstance(step, Play | Say) for step in turn.steps)


def test_one_repeats_the_message():
    turn = script.on_key("1", SPEECH, "de")
    assert MESSAGE in steps_of(turn.steps)
    assert turn.outcome == Outcome.REPEAT
    assert turn.steps[-1] == Redirect("heard")


def test_repeats_end_with_a_goodbye():
    turns = [script.on_key("1", SPEECH, "de", n) for n in range(20)]
    assert [t.outcome for t in turns].count(Outcome.REPEAT) == script.MAX_TURNS
    assert turns[-1].outcome == Outcome.HEARD
    assert turns[-1].steps[-1] == Hangup()


@pytest.mark.parametrize("turns", [0, 50])
def test_two_asks_for_a_call_back_and_nine_ends_all_calls_however_late(turns):
    back, out = (script.on_key(key, SPEECH, "de", turns) for key in "29")
    assert back.outcome == Outcome.CALL_BACK
    assert "Rückruf" in said(back)
    assert out.outcome == Outcome.OPTED_OUT
    assert "keine weiteren Anrufe" in said(out)
    assert back.steps[-1] == out.steps[-1] == Hangup()


@pytest.mark.parametrize("key", ["0", "3", "8", "*", "#", "", "12", "١"])
def test_another_key_explains_the_keys_again(key):
    turn = script.on_key(key, SPEECH, "de")
    assert turn.outcome == Outcome.WRONG_KEY
    assert MESSAGE not in steps_of(turn.steps)
    assert "nicht belegt" in said(turn)
    assert "für einen Rückruf" in said(turn)


def test_wrong_keys_do_not_go_on_for_ever():
    assert script.on_key("7", SPEECH, "de", script.MAX_TURNS).steps[-1] == Hangup()


def test_who_presses_nothing_hears_goodbye():
    turn = script.on_heard(SPEECH, "de")
    assert turn.outcome == Outcome.HEARD
    assert "Auf Wiederhören" in said(turn)


@pytest.mark.parametrize("machine", ["machine_end_beep", "machine_end_silence", "machine_end_other"])
def test_an_answering_machine_hears_the_message_once_and_no_keys(machine):
    turn = script.outgoing(SPEECH, "de", machine)
    assert turn.outcome == Outcome.ON_MACHINE
    assert list(steps_of(turn.steps)).count(MESSAGE) == 1
    assert not any(isinstance(step, Gather) for step in turn.steps)
    assert turn.steps[-1] == Hangup()


@pytest.mark.parametrize("machine", ["machine_start", "fax"])
def test_a_fax_hears_nothing_and_the_attempt_does_not_count_as_heard(machine):
    assert script.outgoing(SPEECH, "de", machine) == script.Turn((Hangup(),), Outcome.NOT_HEARD)


@pytest.mark.parametrize("who", [None, "human", "unknown", "something_new"])
def test_who_is_not_surely_a_machine_is_treated_as_a_person(who):
    assert script.outgoing(SPEECH, "de", who).outcome == Outcome.LISTENING


def test_without_audio_the_carrier_says_the_prepared_words():
    words = announced("de", None, "Bis 14 Uhr <genfile>")
    say = next(s for s in steps_of(script.outgoing(Speech(words), "de_DE").steps) if isinstance(s, Say))
    assert say.locale == "de"
    assert "Sprach-S M S" in say.text
    assert "vierzehn Uhr" in say.text
    assert not FORBIDDEN_IN_SPEECH & set(say.text)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_word_of_an_outgoing_call_can_be_played(locale):
    words = announced(locale, None, "Text")
    speech = Speech(
        words, {w: f"https://x/{n}" for n, w in enumerate([words, *script.outgoing_phrases(locale)])}
    )
    turns = [script.outgoing(speech, locale), script.on_heard(speech, locale)]
    turns += [script.on_key(key, speech, locale) for key in "1239"]
    assert [said(turn) for turn in turns] == [""] * len(turns)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", [None, "Praxis Dr. Lindner"])
def test_every_word_of_an_incoming_call_can_be_played(locale, name):
    speech = Speech("", {w: f"https://x/{n}" for n, w in enumerate(script.incoming_phrases(locale, name))})
    assert said(script.incoming(name, locale, speech)) == ""
    assert said(script.on_recorded(locale, speech)) == ""


def test_who_calls_back_hears_what_the_number_is_and_can_leave_a_message():
    turn = script.incoming("Praxis Lindner", "de")
    record = next(step for step in turn.steps if isinstance(step, Record))
    assert said(turn).startswith(
        "Guten Tag. Von dieser Nummer werden Sprach-S M S von Praxis Lindner verschickt."
    )
    assert "nach dem Ton eine Nachricht hinterlassen" in said(turn)
    assert (record.action, record.max_seconds, record.finish_on, record.beep) == ("recorded", 120, "#", True)
    assert turn.steps[-1] == Hangup()
    assert turn.outcome == Outcome.INTRODUCED


def test_silence_after_the_tone_ends_with_a_word_not_in_silence():
    turn = script.incoming(None, "de")
    after = turn.steps[[isinstance(s, Record) for s in turn.steps].index(True) + 1]
    assert isinstance(after, Say)
    assert "nichts zu hören" in after.text


def test_who_has_left_a_message_is_thanked():
    turn = script.on_recorded("de")
    assert "Vielen Dank" in said(turn)
    assert turn.outcome == Outcome.MESSAGE_LEFT


@pytest.mark.parametrize("name", script.PHRASES)
def test_every_phrase_exists_in_both_languages(name):
    german, english = (script.phrase(name, locale, "Müller") for locale in LANGUAGES)
    assert german != english
    assert german.rstrip()[-1] == english.rstrip()[-1] == "."
    assert "{" not in german + english


def test_every_state_that_a_script_names_is_known():
    turns = [script.outgoing(SPEECH, "de"), script.incoming(None, "de"), script.on_key("1", SPEECH, "de")]
    named = set()
    for step in (s for turn in turns for s in steps_of(turn.steps)):
        named |= {getattr(step, "action", None), getattr(step, "to", None)} - {None}
    assert named == {"keys", "heard", "recorded"}


MENU = script.Menu("Ja mit der 1, nein mit der 2.", {"1": "Danke.", "2": "Schade."})


def test_a_menu_brings_its_own_keys_instead_of_the_usual_prompt():
    turn = script.outgoing(SPEECH, "de", None, MENU)
    assert "Ja mit der eins" in said(turn)
    assert "Rückruf" not in said(turn)
    assert (turn.steps[1].action, turn.steps[2]) == ("keys", Redirect("heard"))


@pytest.mark.parametrize(("digit", "words"), [("1", "Danke."), ("2", "Schade.")])
def test_a_key_of_the_menu_is_answered_and_the_call_ends(digit, words):
    turn = script.on_menu_key(digit, MENU, SPEECH, "de", 0, 0)
    assert (turn.outcome, said(turn), turn.steps[-1]) == (Outcome.CHOSEN, words, Hangup())


@pytest.mark.parametrize("digit", ["0", "*"])
def test_zero_and_star_repeat_a_message_that_has_a_menu(digit):
    turn = script.on_menu_key(digit, MENU, SPEECH, "de", 0, 0)
    assert MESSAGE in steps_of(turn.steps)
    assert turn.outcome == Outcome.REPEAT
    ends = script.on_menu_key(digit, MENU, SPEECH, "de", script.MAX_TURNS, 0)
    assert (ends.outcome, ends.steps[-1]) == (Outcome.HEARD, Hangup())


def test_nine_opts_out_whatever_the_menu():
    nine = script.Menu("", {"9": "Nein"})
    assert script.on_menu_key("9", nine, SPEECH, "de", 0, 0).outcome == Outcome.OPTED_OUT


def test_a_wrong_key_reads_the_menu_once_more_and_the_second_ends_the_call():
    first = script.on_menu_key("7", MENU, SPEECH, "de", 0, 0)
    assert (first.outcome, first.steps[-1]) == (Outcome.WRONG_KEY, Redirect("heard"))
    second = script.on_menu_key("7", MENU, SPEECH, "de", 1, 1)
    assert (second.outcome, second.steps[-1]) == (Outcome.WRONG_KEY, Hangup())
    assert "Auf Wiederhören" in said(second)


def test_silence_reads_all_of_it_once_more_and_then_says_goodbye():
    first = script.on_heard(SPEECH, "de", MENU, 0, 0)
    assert (first.outcome, first.steps[-1]) == (Outcome.NO_KEY, Redirect("heard"))
    assert MESSAGE in steps_of(first.steps)
    second = script.on_heard(SPEECH, "de", MENU, 1, 1)
    assert (second.outcome, second.steps[-1]) == (Outcome.HEARD, Hangup())


def test_a_machine_hears_the_message_without_any_keys():
    turn = script.outgoing(SPEECH, "de", "machine_end_beep", MENU)
    assert [type(step) for step in turn.steps] == [Pause, Play, Hangup]


def test_the_words_of_a_menu_are_spoken_beforehand():
    assert {MENU.prompt, *MENU.replies.values()} < set(script.outgoing_phrases("de", MENU))
    assert script.phrase("prompt", "de") not in script.outgoing_phrases("de", MENU)
