"""The set-up of reminders: when, with what words, and what follows each answer; shown before it counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_login import current_user

from sms import checking, contacts, prices, routing, suppression
from sms.clock import now
from sms.gsm import msisdn, segments
from sms.models import Account
from sms.modules.appointment import lengths, planning, reminding, saying, schemes
from sms.modules.appointment.found import own_name
from sms.modules.appointment.models import REMINDED, Appointment, Scheme
from sms.modules.appointment.plan import read_period
from sms.modules.appointment.views import blueprint
from sms.refusal import Refused
from sms.understanding.appointment import DEFAULT_WORDS
from sms.views import moments
from sms.views.composer import Composer, meter, sender_choices
from sms.views.gate import requires
from sms.wording import sentence
from voice.announcement import announcement

SHOWN = 20
"""Reminders that are foretold."""
LOOKED_AT = 300
"""Coming appointments of which they are foretold."""
OFFERED_FOR = 20
"""Coming appointments that the preview can be shown for."""
FIRST_POINT, POINTS_WIDTH = 109, 410
"""Where on the line of 640 the first reminder stands, and how far from it the last."""
ANSWERS = ("confirm", "cancel", "reschedule", "too_late")
SIMPLE = (
    "sender", "text", "spoken_text", "moved_text", "cancelled_text", "quiet_from", "quiet_to", "on_quiet", "cutoff",
    "call_after", "shown_for",
)  # fmt: skip
TEXTS = ("spoken_text", "moved_text", "cancelled_text")
OFFERED = ("Name", "Termin", "Wochentag", "Datum", "Uhrzeit", "Praxis", "Titel", "Kalenderlink")
OFFERED_EN = ("name", "appointment", "weekday", "date", "time", "account", "title", "calendar_link")


@dataclass
class SetUp:
    """What stands in the form, with what is wrong in it by field."""

    active: bool = True
    sender: str = ""
    text: str = ""
    spoken_text: str = ""
    moved_text: str = ""
    cancelled_text: str = ""
    quiet_from: str = ""
    quiet_to: str = ""
    on_quiet: str = "later"
    cutoff: str = "0"
    call_after: str = "30"
    shown_for: str = ""
    rules: list[dict[str, str]] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/setup")
@requires("owner")
def set_up() -> ResponseReturnValue:
    """The form as it is stored, or as most practices want it."""
    account = current_user.account
    return _page(_typed_of(schemes.of(account) or schemes.usual(account)))


@blueprint.post("/setup")
@requires("owner")
def save_set_up() -> ResponseReturnValue:
    """Store the set-up; other buttons than "save" change the form alone, for pages without script."""
    typed, do = _typed(), request.form.get("do", "save")
    account = current_user.account
    if do == "preview":
        _checked(account, typed)
    if do != "save":
        _change_form(typed, do)
        return _page(typed)
    scheme = _checked(account, typed)
    if typed.errors:
        return _page(typed, 422)
    schemes.save(account, scheme)
    flash(_("The reminders are set up. What is planned changes within moments."))
    return redirect(url_for("appointment.set_up"), 303)


@blueprint.post("/setup/preview")
@requires("owner")
def preview_set_up() -> ResponseReturnValue:
    """What people would read, what it costs, and which reminders come next."""
    return render_template("appointment/_previewed.html", **_foretold(_typed()))


def _page(typed: SetUp, status: int = 200) -> ResponseReturnValue:
    account = current_user.account
    able = {choice.value for choice in routing.senders(account) if choice.can_reply}
    return render_template(
        "appointment/setup.html",
        typed=typed,
        name=(schemes.of(account) or schemes.usual(account)).name,
        senders=[choice for choice in sender_choices(account, "") if choice.value in able],
        offered=OFFERED_EN if account.locale.startswith("en") else OFFERED,
        defaults=DEFAULT_WORDS,
        goodbye=suppression.worded(account, suppression.CONFIRMATION),
        announced=announcement(account.locale),
        **_foretold(typed),
    ), status


def _typed_of(scheme: Scheme) -> SetUp:
    since, _dash, until = scheme.quiet.partition("-")
    answers = scheme.answers or {}
    return SetUp(
        active=scheme.active,
        sender=scheme.sender,
        spoken_text=scheme.spoken_text,
        call_after=str(scheme.call_after_minutes),
        text=scheme.text or saying.usual("reminder", scheme.account.locale),
        moved_text=scheme.moved_text,
        cancelled_text=scheme.cancelled_text,
        quiet_from=since,
        quiet_to=until,
        on_quiet=scheme.on_quiet,
        cutoff=str(scheme.cutoff_minutes // 60),
        rules=[_typed_rule(rule) for rule in scheme.rules],
        words={
            role: ", ".join(answers.get(role, {}).get("words") or DEFAULT_WORDS[role])
            for role in DEFAULT_WORDS
        },
        said={
            name: answers.get(name, {}).get("text") or saying.usual(name, scheme.account.locale)
            for name in ANSWERS
        },
    )


def _typed_rule(rule: dict[str, Any]) -> dict[str, str]:
    before = read_period(rule["before"])
    amount = before.days or int(before.elapsed / timedelta(hours=1))
    unit = "days" if before.days else "hours"
    return {
        "key": rule["key"],
        "amount": str(amount),
        "unit": unit,
        "at": rule.get("at", ""),
        "channel": rule.get("channel", "sms"),
        "when": rule.get("when", "open"),
    }


def _typed() -> SetUp:
    form = request.form
    names = ("key", "amount", "unit", "at", "channel", "when")
    columns = [form.getlist(f"rule_{name}") for name in names]
    rows = list(zip(*columns, strict=False))[: schemes.MOST_RULES]
    return SetUp(
        active=form.get("active") == "1",
        rules=[dict(zip(names, (cell[:20] for cell in row), strict=True)) for row in rows],
        words={role: form.get(f"words_{role}", "")[:1000] for role in DEFAULT_WORDS},
        said={name: form.get(f"said_{name}", "")[:5000] for name in ANSWERS},
        **{name: form.get(name, "")[:5000] for name in SIMPLE},  # type: ignore[arg-type]
    )


def _change_form(typed: SetUp, do: str) -> None:
    kind, _colon, what = do.partition(":")
    if kind == "add" and len(typed.rules) < schemes.MOST_RULES:
        typed.rules.append(
            {"key": "", "amount": "2", "unit": "hours", "at": "", "channel": "sms", "when": "open"}
        )
    elif kind == "remove" and what.isascii() and what.isdigit() and int(what[:4]) < len(typed.rules):
        del typed.rules[int(what[:4])]
    elif kind == "insert":
        typed.text = f"{typed.text.rstrip()} {{{what[:80]}}}".lstrip()


def _checked(account: Account, typed: SetUp) -> Scheme:
    """Return the scheme that the form describes; what is wrong stands in `typed.errors` by field."""
    scheme = schemes.of(account) or schemes.usual(account)
    known = schemes.known_names(account)

    def take(name: str, check: Any) -> Any:
        try:
            return check()
        except Refused as no:
            typed.errors[name] = sentence(no.code, **no.params)
            return None

    rules = [
        take(
            f"rules.{n}",
            lambda n=n, r=r: schemes.checked_rule(
                n, r["amount"], r["unit"], r["at"], r["channel"], r["when"]
            ),
        )
        for n, r in enumerate(typed.rules)
    ]
    if not rules:
        typed.errors["rules"] = sentence("no_rules")
    good = [(rule, row["key"]) for rule, row in zip(rules, typed.rules, strict=True) if rule is not None]
    scheme.rules = schemes.with_keys([rule for rule, _key in good], [key for _rule, key in good])
    scheme.active = typed.active
    able = {choice.value for choice in routing.senders(account) if choice.can_reply}
    scheme.sender = typed.sender if typed.sender in able else ""
    scheme.text = (
        take("text", lambda: schemes.checked_text(account, "text", typed.text, known, needed=True)) or ""
    )
    for name in TEXTS:
        text = take(
            name,
            lambda name=name: schemes.checked_text(account, name, getattr(typed, name), known, needed=False),
        )
        setattr(scheme, name, text or "")
    answers: dict[str, Any] = {}
    for name in ANSWERS:
        said = take(
            f"said_{name}",
            lambda name=name: schemes.checked_text(account, name, typed.said[name], known, needed=False),
        )
        answers[name] = {"text": said or ""}
    taken: list[str] = []
    for role in DEFAULT_WORDS:
        words = take(
            f"words_{role}",
            lambda role=role, taken=tuple(taken): schemes.checked_words(role, typed.words[role], taken),
        )
        answers[role]["words"] = words or []
        taken += words or []
    scheme.answers = answers
    scheme.quiet = take("quiet", lambda: schemes.checked_quiet(typed.quiet_from, typed.quiet_to)) or ""
    scheme.on_quiet = typed.on_quiet if typed.on_quiet in ("earlier", "later", "skip") else "later"
    scheme.call_after_minutes = take("call_after", lambda: schemes.checked_call_after(typed.call_after)) or 30
    scheme.cutoff_minutes = take("cutoff", lambda: schemes.checked_cutoff(typed.cutoff)) or 0
    return scheme


def _foretold(typed: SetUp) -> dict[str, Any]:
    """Return what the preview shows of a form as it stands, right or wrong."""
    account = current_user.account
    trial = SetUp(**{**typed.__dict__, "errors": {}})
    scheme = _checked(account, trial)
    coming = list(
        Appointment.select()
        .where(Appointment.account == account, Appointment.start > now(), Appointment.state.in_(REMINDED))
        .order_by(Appointment.start, Appointment.id)
        .limit(LOOKED_AT)
    )
    sample = _chosen(coming, typed.shown_for) or _sample(account)
    values, to = saying.fields(account, sample), sample.number or None
    text = saying.addressed(typed.text, values)
    filled = checking.preview(account, text, to, None, values)
    thanks = typed.said.get("confirm") or saying.usual("confirm", account.locale)
    confirm = checking.preview(account, saying.addressed(thanks, values), to, None, values)
    planned = [] if trial.errors else _planned(coming, scheme)
    return {
        "reads": filled.text, "composer": Composer(meter=meter(account, text, to, "sms", values)),
        "yes": next(iter(w.strip() for w in typed.words.get("confirm", "").split(",") if w.strip()), DEFAULT_WORDS["confirm"][0]),
        "thanks": confirm.text, "from_number": _from(typed.sender), "next": _next(planned[:SHOWN]),
        "at": _first_at(sample, scheme), "facts": _facts(account, planned, filled.segments.parts), "mistakes": list(dict.fromkeys(trial.errors.values())),
        "shown_for": typed.shown_for, "people": _people(coming), "points": _points(typed.rules),
        "longest": _longest(account, typed.text, coming, filled.segments.parts),
    }  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """What a text becomes at its longest, in words; `more`: in more parts than the one that is shown, or too long."""

    words: str
    more: bool


def _longest(account: Account, text: str, coming: list[Appointment], usual: int) -> Notice | None:
    """Return what the coming appointments make of a text at most, beside `usual` parts; None without any."""
    found = lengths.longest(account, text, coming)
    if found is None:
        return None
    values = ", ".join(found.values)
    if found.too_long:
        words = _(
            "At its longest (%(values)s) it is too long: at most %(limit)s characters.",
            values=values, limit=segments.MAX_CHARACTERS,
        )  # fmt: skip
        return Notice(words, more=True)
    if found.parts <= usual:
        words = ngettext(
            "At its longest (%(values)s) it has %(units)s characters: still 1 text.",
            "At its longest (%(values)s) it has %(units)s characters: still %(num)d texts.",
            found.parts, values=values, units=found.units,
        )  # fmt: skip
    else:
        words = ngettext(
            "At its longest (%(values)s) it has %(units)s characters: 1 text.",
            "At its longest (%(values)s) it has %(units)s characters: %(num)d texts.",
            found.parts, values=values, units=found.units,
        )  # fmt: skip
    if found.forced_by:
        words = f"{words} {_('“%(character)s” forces Unicode', character=found.forced_by)}."
    return Notice(words, found.parts > usual)


def _chosen(coming: list[Appointment], id: str) -> Appointment | None:
    """Return the appointment that the preview is wanted for, else the next that has a number."""
    reachable = [one for one in coming if one.number]
    return next((one for one in reachable if str(one.id) == id), None) or next(iter(reachable), None)


def _people(coming: list[Appointment]) -> list[tuple[str, str]]:
    """Return the appointments that the preview can be shown for: their id, and who and when."""
    some = [one for one in coming if one.number][:OFFERED_FOR]
    known = contacts.filling(current_user.account, {one.number for one in some})
    return [
        (str(one.id), f"{_name(one, known)}, {moments.local(one.start, one.zone):%d.%m. %H:%M}")
        for one in some
    ]


def _name(one: Appointment, known: Mapping[str, Mapping[str, Any]]) -> str:
    name = (known.get(one.number) or {}).get("name") or own_name(one.fields)
    return name or msisdn.display(one.number)


def _points(rules: list[dict[str, str]]) -> list[tuple[int, str]]:
    """Return where on the line each rule stands and what it is called there, the earliest first."""
    spans = [(int(r["amount"]), r["unit"]) for r in rules if r["amount"].isascii() and r["amount"].isdigit()]
    spans.sort(key=lambda one: one[0] * (24 if one[1] == "days" else 1), reverse=True)
    step = POINTS_WIDTH // max(1, len(spans) - 1)
    first = FIRST_POINT if len(spans) > 1 else FIRST_POINT + POINTS_WIDTH // 2
    return [(first + n * step, _span_words(*span)) for n, span in enumerate(spans)]


def _span_words(amount: int, unit: str) -> str:
    if unit == "days":
        return ngettext("%(num)d day before", "%(num)d days before", amount)
    return ngettext("%(num)d hr before", "%(num)d hrs before", amount)


def _first_at(sample: Appointment, scheme: Scheme) -> str:
    """Return when the first reminder of an appointment goes out, in words; nothing where none does."""
    sample.number = sample.number or "-"  # a made-up one has nobody
    at = min((w.at for w in planning.wanted(sample, scheme) if w.state == "planned"), default=None)
    locale = get_locale().language
    return "" if at is None else moments.planned(at, now(), sample.zone, locale)


def _planned(coming: list[Appointment], scheme: Scheme) -> list[planning.Wanted]:
    """Return what a scheme would send of coming appointments, in the order of time."""
    planned = [one for appointment in coming for one in planning.wanted(appointment, scheme)]
    return sorted((one for one in planned if one.state == "planned"), key=lambda one: one.at)


def _facts(account: Account, planned: list[planning.Wanted], parts: int) -> dict[str, str]:
    """Return when reminders go out next, to how many appointments, and what that costs."""
    if not planned:
        return {}
    run = [one for one in planned if one.at == planned[0].at]
    calls = sum(reminding.channel_of(one.appointment, one.channel) == "voice" for one in run)
    texts = parts * (len(run) - calls)
    cost = prices.about(account, texts, calls)
    words = [ngettext("%(num)d text", "%(num)d texts", texts)] if texts else []
    words += [ngettext("%(num)d call", "%(num)d calls", calls)] if calls else []
    return {
        "run": moments.planned(run[0].at, now(), account.zone, get_locale().language),
        "people": ngettext("%(num)d appointment", "%(num)d appointments", len(run)),
        "cost": _("about %(sum)s", sum=cost) if cost else ", ".join(words),
    }


def _sample(account: Account) -> Appointment:
    local = (
        (now() + timedelta(days=2))
        .astimezone(ZoneInfo(account.zone))
        .replace(hour=9, minute=0, second=0, microsecond=0)
    )
    start: datetime = local.astimezone(UTC)
    return Appointment(
        account=account,
        number="",
        start=start,
        zone=account.zone,
        title=_("Check-up"),
        fields={"Name": _("Jane Sample")},
        state="open",
    )


def _from(sender: str) -> str:
    return msisdn.display(sender) if sender.startswith("+") else sender or _("pool number")


def _next(planned: list[planning.Wanted]) -> list[dict[str, str]]:
    """Return reminders as they are listed: when, to whom, how."""
    known = contacts.filling(current_user.account, {one.appointment.number for one in planned})
    zone, locale = current_user.account.zone, get_locale().language
    return [
        {
            "when": moments.planned(one.at, now(), zone, locale),
            "who": _name(one.appointment, known),
            "channel": reminding.channel_of(one.appointment, one.channel),
        }
        for one in planned
    ]
