"""How an outgoing message, and each call of it, stands: colour, icon and words in the language of who looks."""

from typing import NamedTuple

from flask_babel import gettext as _
from flask_babel import ngettext

from sms import health
from sms.clock import now
from sms.models import Call, Message
from sms.sending import is_held
from sms.views import moments
from sms.views.carrier_words import why
from sms.wording import N_


class Status(NamedTuple):
    """Look (st-ok, st-warn ..), icon of the sprite, words; `tick` for the two small marks."""

    look: str
    icon: str
    words: str

    @property
    def tick(self) -> bool:
        return self.icon in ("sent", "delivered")


def status_of(message: Message, locale: str, zone: str) -> Status:
    """Return how an outgoing message stands, in words."""
    if message.channel == "voice" and message.status in _VOICE:
        look, icon, words = _VOICE[message.status]
        return Status(look, icon, _with_reason(_(words), message, locale))
    if message.status == "queued":
        return _waiting(message, locale, zone)
    if message.status == "sent" and message.reason:
        return Status("st-warn", "triangle-alert", _with_reason(_("Delayed"), message, locale))
    if is_held(message):
        return Status("st-warn", "pause", _("Held back: the same text had just been sent"))
    if message.status == "scheduled" and message.unless_answered:
        return Status("st-plan", "clock", _("Planned, only if no answer comes"))
    if message.status == "cancelled" and message.reason == "answered":
        return Status("st-none", "x", _("Not sent, because an answer came"))
    look, icon, words = _SMS.get(message.status, ("st-none", "circle-dashed", message.status))
    return Status(look, icon, _with_reason(_(words), message, locale))


def _waiting(message: Message, locale: str, zone: str) -> Status:
    due = message.next_at
    if due is None or (due - now()).total_seconds() < 30:
        if message.carrier in health.closed():
            return Status("st-plan", "clock", _("Waits: the carrier takes nothing at the moment"))
        return Status("st-live", "loader-circle", _("Sending"))
    at = moments.planned(due, now(), zone, locale)
    if message.attempts:
        return Status("st-warn", "triangle-alert", _("Delayed, next try %(time)s", time=at))
    return Status("st-plan", "clock", _("Moved to %(time)s", time=at))


def _with_reason(words: str, message: Message, locale: str) -> str:
    if message.status not in ("undelivered", "failed", "sent") or not message.reason:
        return words
    return f"{words}: {why(message.reason, message.error)}"


_SMS = {
    "scheduled": ("st-plan", "clock", N_("Planned")),
    "sending": ("st-live", "loader-circle", N_("Sending")),
    "sent": ("st-none", "sent", N_("Sent, no delivery report")),
    "delivered": ("st-ok", "delivered", N_("Delivered")),
    "undelivered": ("st-warn", "triangle-alert", N_("Not delivered")),
    "failed": ("st-fail", "circle-x", N_("Not delivered")),
    "unknown": ("st-warn", "triangle-alert", N_("Sent? Check or send again")),
    "cancelled": ("st-none", "x", N_("Taken back")),
}
_VOICE = {
    "sending": ("st-live", "loader-circle", N_("Calling")),
    "sent": ("st-live", "loader-circle", N_("Calling")),
    "delivered": ("st-ok", "delivered", N_("Read aloud")),
    "undelivered": ("st-warn", "triangle-alert", N_("Not reached")),
    "failed": ("st-fail", "circle-x", N_("Not reached")),
    "unknown": ("st-warn", "triangle-alert", N_("Called? The carrier does not say")),
}


def call_status(call: Call) -> Status:
    """Return how one ringing of a telephone ended, or goes, in words."""
    if call.status == "completed":
        return _answered(call)
    if call.status == "no-answer" and call.seconds:
        return Status("st-none", "phone-missed", _("no answer after %(n)d s", n=round(call.seconds)))
    look, icon, words = _CALLS.get(call.status, ("st-none", "phone", call.status))
    return Status(look, icon, _(words))


def _answered(call: Call) -> Status:
    if call.answered_by.startswith(("machine", "fax")):
        return Status("st-none", "phone-missed", _("answering machine"))
    words = [_("answered, heard to the end") if call.heard else _("answered, hung up early")]
    if call.digits and not call.heard:
        words = [_("answered")]  # a key cut the words short: nobody hung up on them
    if again := call.digits.count("1"):
        words.append(ngettext("heard again once", "heard again %(num)d times", again))
    if "2" in call.digits:
        words.append(_("wants to be called back"))
    if "9" in call.digits:
        words.append(_("has unsubscribed"))
    return Status("st-ok" if call.heard or call.digits else "st-warn", "phone", ", ".join(words))


_CALLS = {
    "planned": ("st-plan", "clock", N_("planned")),
    "placing": ("st-live", "loader-circle", N_("dialling")),
    "queued": ("st-live", "loader-circle", N_("dialling")),
    "ringing": ("st-live", "phone-call", N_("ringing")),
    "in-progress": ("st-live", "phone-call", N_("being read aloud")),
    "busy": ("st-none", "phone-missed", N_("busy")),
    "no-answer": ("st-none", "phone-missed", N_("no answer")),
    "failed": ("st-fail", "phone-off", N_("call failed")),
    "canceled": ("st-none", "phone-off", N_("called off")),
    "unknown": ("st-warn", "triangle-alert", N_("the carrier does not say")),
}
