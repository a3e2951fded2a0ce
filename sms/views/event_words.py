"""The words of a thread event: who has taken over, what was closed, how somebody opted out."""

from typing import Any

from flask_babel import gettext as _

from sms.clock import now
from sms.db import from_ms
from sms.modules import modules
from sms.views import moments


def event_words(data: dict[str, Any], who: str, source: str, locale: str, zone: str) -> tuple[str, str, str]:
    """Return an event as (before, strong, after): what is set in bold stands in the middle."""
    sentence, strong = _event_sentence(data, who, source, locale, zone)
    before, mark, after = sentence.partition("\x00")
    return (before, strong, after) if mark else (sentence, "", "")


def _event_sentence(data: dict[str, Any], who: str, source: str, locale: str, zone: str) -> tuple[str, str]:
    """Return a sentence in which NUL marks the place of the bold words, and those words."""
    bold = "\x00"
    kind = data.get("kind", "")
    if kind == "assigned":
        return _assigned_sentence(data.get("to"), who)
    if kind == "status":
        return _status_sentence(data, who, locale, zone)
    if kind == "opted_out":
        return _opted_out_sentence(source, who)
    if kind == "opted_in":
        return (_("%(who)s allowed messages again", who=bold), who) if who else (_("Subscribed again"), "")
    if kind == "callback_wanted":
        return _("%(what)s: please call", what=bold), _("Call back wanted")
    if kind == "called_us":
        return _("Called our number and heard the information"), ""
    if kind == "retried":
        return (_("%(who)s sent it again", who=bold), who) if who else (_("Sent again"), "")
    if kind == "label":
        return _("Label %(label)s", label=bold), str(data.get("label", ""))
    said = next((m.events[kind] for m in modules().values() if kind in m.events), None)
    if said is not None:
        facts = {name: str(fact).replace(bold, "") for name, fact in data.items()}
        return _(said, **{"who": who or _("Somebody"), **facts, "strong": bold}), str(
            data.get("strong") or ""
        )
    words = str(data.get("text") or data.get("words") or kind.replace("_", " ")).replace("\x00", "")
    strong = str(data.get("strong") or "")
    if strong and strong in words:
        return words.replace(strong, bold, 1), strong
    return words, ""


def _assigned_sentence(to: str | None, who: str) -> tuple[str, str]:
    bold = "\x00"
    if not to:
        return (_("%(who)s has given it back", who=bold), who) if who else (_("No longer assigned"), "")
    if to == who:
        return _("%(who)s has taken over", who=bold), who
    if who:
        return _("%(who)s has assigned it to %(to)s", who=who, to=bold), to
    return _("Assigned to %(to)s", to=bold), to


def _status_sentence(data: dict[str, Any], who: str, locale: str, zone: str) -> tuple[str, str]:
    bold = "\x00"
    status = data.get("status")
    if status == "snoozed" and data.get("until"):
        until = moments.planned(from_ms(int(data["until"])), now(), zone, locale)
        if who:
            return _("%(who)s has snoozed it until %(time)s", who=bold, time=until), who
        return _("Snoozed until %(time)s", time=until), ""
    with_name = {
        "open": _("%(who)s has opened it again", who=bold),
        "pending": _("%(who)s has set it to waiting", who=bold),
        "closed": _("%(who)s has closed it", who=bold),
    }
    without = {"open": _("Opened again"), "pending": _("Set to waiting"), "closed": _("Closed")}
    if who and status in with_name:
        return with_name[status], who
    return without.get(str(status), str(status)), ""


def _opted_out_sentence(source: str, who: str) -> tuple[str, str]:
    bold = "\x00"
    if who:
        return _("%(who)s has blocked the number", who=bold), who
    how = {"sms": _("by text message"), "voice": _("by key 9 in a call"), "carrier": _("at the carrier")}
    if source in how:
        return _("%(what)s %(how)s", what=bold, how=how[source]), _("Unsubscribed")
    return bold, _("Unsubscribed")
