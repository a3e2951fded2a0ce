"""How people see where an appointment stands: a kind, an icon and a word for each standing, and why nobody is reminded."""

from sms import i18n, wording
from sms.modules.appointment.wording import N_

MARKS = {
    "confirmed": ("ok", "calendar-check-2", N_("Confirmed")),
    "attended": ("ok", "check", N_("Came")),
    "wants_to_move": ("warn", "triangle-alert", N_("New time open")),
    "calling": ("none", "phone-call", N_("Is being called")),
    "no_answer": ("none", "circle-dashed", N_("No answer")),
    "planned": ("none", "clock", N_("Reminder planned")),
    "call_planned": ("none", "clock", N_("Call planned")),
    "not_reminded": ("warn", "triangle-alert", N_("Will not be reminded")),
    "was_not_reminded": ("none", "circle-dashed", N_("Was not reminded")),
    "unreachable": ("fail", "circle-x", N_("Cannot be reached")),
    "no_show": ("fail", "circle-x", N_("Did not come")),
    "declined": ("none", "calendar-x-2", N_("Called off")),
    "cancelled": ("none", "calendar-x-2", N_("Cancelled by us")),
}
"""Kind, icon and word of each standing, in the order in which they are counted."""
COUNTED = {
    "confirmed": N_("confirmed"),
    "attended": N_("came"),
    "wants_to_move": N_("new time open"),
    "calling": N_("being called"),
    "no_answer": N_("without an answer"),
    "planned": N_("planned"),
    "call_planned": N_("with a call planned"),
    "not_reminded": N_("not reminded"),
    "was_not_reminded": N_("not reminded"),
    "unreachable": N_("cannot be reached"),
    "no_show": N_("did not come"),
    "declined": N_("said no"),
    "cancelled": N_("cancelled by us"),
}
"""The word of each standing behind a number."""
STATES = {name: mark[2] for name, mark in MARKS.items()} | {"open": N_("Nothing said yet")}
"""The word of each state that is stored."""
HOW = {
    "reply": N_("by text"),
    "key": N_("in the call"),
    "callback": N_("wants to be called back"),
    "agent": N_("by the team"),
    "api": N_("by another program"),
    "import": N_("by an import"),
    "calendar": N_("by the calendar"),
}
WHY_NOT = {
    "no_number": N_("no phone number"),
    "opted_out": N_("has opted out"),
    "too_late": N_("too late for every reminder"),
    "quiet": N_("falls into the quiet hours"),
    "no_rule": N_("no reminder is set up"),
    "not_wanted": N_("no reminder is planned any more"),
}


def why_not(reason: str) -> str:
    """Return why nobody is reminded, in the language of the moment."""
    return i18n.gettext(WHY_NOT[reason]) if reason in WHY_NOT else wording.sentence(reason)
