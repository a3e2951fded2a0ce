"""What people read about surveys: for each code that something is refused with, for each event in a thread."""


def N_(sentence: str) -> str:
    """Mark a sentence for translation; it is translated when it is said."""
    return sentence


SENTENCES = {
    "no_questions": N_("A survey needs at least one question."),
    "key_twice": N_("Two questions have the same key."),
    "bad_key_name": N_("A key is made of letters, digits, - and _."),
    "unknown_type": N_("There is no such kind of question."),
    "unknown_choice": N_("Please choose one of what is offered."),
    "too_few_options": N_("Please give at least %(limit)s choices."),
    "too_many_options": N_("Too many choices: at most %(limit)s. Nobody reads more in a text message."),
    "empty_option": N_("One of the choices is empty."),
    "option_twice": N_("“%(option)s” is there twice."),
    "bad_bound": N_("This is not a number."),
    "bounds_swapped": N_("%(least)s is more than %(most)s."),
    "unknown_target": N_("The question this leads to is not there any more."),
    "no_rules_on_text": N_("Free text cannot be branched on: it may say anything."),
    "rule_without_answer": N_("Please choose for which answers this rule counts."),
    "rule_with_foreign_answer": N_("This rule names an answer that is not offered any more."),
    "answer_in_two_rules": N_("Two rules count for the answer %(answer)s."),
    "never_asked": N_("No answer leads to this question. Nobody would ever be asked."),
    "no_way_out": N_("From here the survey never ends: every answer leads back."),
    "sender_without_replies": N_("Nobody can reply to this sender. A survey needs one that takes replies."),
    "bad_keyword": N_("A keyword has 2 to %(limit)s letters or digits, and is no word like STOP."),
    "keyword_taken": N_("Another survey has this keyword."),
    "no_way_in": N_("Nobody can take part: give a keyword, an event, or numbers to ask."),
    "unknown_event": N_("There is no such event."),
    "survey_still_runs": N_("This survey is still running. Please end it first."),
    "survey_state": N_("The survey is in another state by now. Please look again."),
    "survey_paused": N_("The survey is paused. Please resume it first."),
    "ends_before_start": N_("The survey would end before it starts."),
    "landline_not_asked": N_("This is a landline. Surveys are asked by text message."),
    "number_twice": N_("This number is in line %(line)s already."),
    "already_asked": N_("This person is being asked by this survey already."),
    "no_value_for": N_("There is no value for %(names)s here."),
    "not_asked_without_value": N_(
        "Nobody has a value for %(names)s yet. Who has none at the start is not asked."
    ),
    "left_out_without_value": N_(
        "Nobody has a value for %(names)s yet. It is left out for those without one."
    ),
    "lone_brace": N_("A single or empty brace is sent as it stands. A placeholder is written like {name}."),
    "nobody_to_ask": N_("None of these numbers can be asked."),
    "run_not_asking": N_("This survey waits for no answer here."),
    "run_not_paused": N_("This survey is not paused here."),
    "run_is_over": N_("This survey is over for this person."),
    "not_understood": N_("This cannot be understood as an answer to the question."),
}

EVENTS = {
    "survey_started": N_("Survey %(strong)s started"),
    "survey_waits": N_("Survey %(strong)s waits until another question is answered"),
    "survey_paused": N_("Survey %(strong)s paused"),
    "survey_resumed": N_("Survey %(strong)s resumed"),
    "survey_finished": N_("Survey %(strong)s finished"),
    "survey_ended": N_("Survey %(strong)s ended early"),
    "survey_opted_out": N_("Survey %(strong)s ended: unsubscribed"),
    "survey_expired": N_("Survey %(strong)s ended: no answer in time"),
    "survey_failed": N_("Survey %(strong)s ended: the question did not get through"),
    "survey_handed_over": N_("Survey %(strong)s: an answer was unclear, please take over"),
    "survey_corrected": N_("%(who)s corrected %(strong)s from “%(before)s” to “%(after)s”"),
}
