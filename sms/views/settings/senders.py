"""Senders: the list with what each lets a recipient do, a new one, and how its name is spoken."""

from typing import Any

from flask import abort, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField

from sms import senders as verbs
from sms import speaking
from sms.gsm import sender_id
from sms.models import Sender
from sms.refusal import Refused
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page, place, saved
from sms.wording import sentence
from voice.announcement import announcement

PLACE = "\ue000"
"""Stands for the sender while the announcement is taken apart around it; no sender can hold it."""


class SenderForm(FlaskForm):
    kind = RadioField(validate_choice=False, default="name")
    value = StringField()
    spoken = StringField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.kind.choices = [("name", _("Name")), ("number", _("Number"))]
        self.kind.data = self.kind.data if self.kind.data in ("name", "number") else "name"
        self.value.label.text = _("Name") if self.kind.data == "name" else _("Number")
        self.spoken.label.text = _("Spoken as")


class SpokenForm(FlaskForm):
    spoken = StringField()


def _show(form: SenderForm | None = None, status: int = 200, **more: Any) -> ResponseReturnValue:
    rows = [(s, verbs.reach(s)) for s in verbs.listing(current_user.account)]
    if form is None:
        kind = request.args.get("kind", "name")
        form = SenderForm(formdata=None, data={"kind": kind, "value": request.args.get("value", "")[:40]})
    spoken = " ".join((form.spoken.data or more.get("suggestion") or form.value.data or "").split())
    return page(
        "senders",
        status,
        form=form,
        rows=rows,
        pool=verbs.pool_reach(),
        pool_is_default=not any(s.is_default for s, _reach in rows),
        said=said(spoken[:60]),
        spoken=spoken[:60],
        **more,
    )


def said(name: str) -> tuple[str, str]:
    """Return the announcement in two halves, around the name; without a name the first half is all of it."""
    locale = current_user.account.locale
    if not name:
        return announcement(locale), ""
    before, _place, after = announcement(locale, PLACE).partition(PLACE)
    return before, after


@blueprint.get("/senders")
@requires("owner")
def senders() -> ResponseReturnValue:
    """Show all senders and the form for a new one."""
    return _show()


@blueprint.post("/senders")
@requires("owner")
def add_sender() -> ResponseReturnValue:
    """Add a sender; a refused name comes back with the nearest one that would do, one press away."""
    form = SenderForm()
    if taken := request.form.get("take"):
        form.value.data = taken
    try:
        if form.kind.data == "number":
            verbs.add_number(
                current_user.account, form.value.data or "", vouched=current_user.role == "operator"
            )
        else:
            verbs.add_name(current_user.account, form.value.data or "", form.spoken.data or "")
    except Refused as refused:
        return _refused(form, refused)
    return done(_("The sender is there."), "settings.senders")


def _refused(form: SenderForm, refused: Refused) -> ResponseReturnValue:
    suggestion = refused.params.get("suggestion")
    if refused.field == "value" and form.kind.data == "name" and refused.code in _SPELLING:
        form.value.errors = [spelling(form.value.data or "")]
    else:
        place(form, refused)
    return _show(form, 422, suggestion=suggestion)


_SPELLING = ("sender_too_long", "sender_bad_character")


def spelling(value: str) -> str:
    """Say everything that is wrong with a name: its length, and the characters that cannot be in it."""
    value = value.strip()
    wrong = []
    if len(value) > sender_id.LONGEST_ALPHANUMERIC:
        wrong.append(
            _(
                "%(n)s characters, %(limit)s are allowed.",
                n=len(value),
                limit=sender_id.LONGEST_ALPHANUMERIC,
            )
        )
    foreign = list(dict.fromkeys(c for c in value if not (c.isascii() and c.isalnum())))
    names = [_("the space") if c.isspace() else _("“%(character)s”", character=c) for c in foreign[:4]]
    if len(names) == 1:
        wrong.append(_("%(character)s is not allowed.", character=_capital(names[0])))
    elif names:
        listed = ", ".join(names[:-1])
        wrong.append(_("%(some)s and %(last)s are not allowed.", some=_capital(listed), last=names[-1]))
    return " ".join(wrong) or sentence("sender_bad_character")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@blueprint.get("/senders/<int:sender_id>")
@requires("owner")
def sender(sender_id: int) -> ResponseReturnValue:
    """Show one sender: how it is spoken, whether it is the default."""
    return _show_one(verbs.find(current_user.account, sender_id))


def _show_one(row: Sender, form: SpokenForm | None = None) -> ResponseReturnValue:
    status = 422 if form else 200
    form = form or SpokenForm(formdata=None, obj=row)
    form.spoken.label.text = _("Spoken as")
    spoken = " ".join((form.spoken.data or row.value).split())[:60]
    return page(
        "sender", status, sender=row, reach=verbs.reach(row), form=form, said=said(spoken), spoken=spoken
    )


@blueprint.post("/senders/<int:sender_id>")
@requires("owner")
def save_sender(sender_id: int) -> ResponseReturnValue:
    """Save how a sender is spoken."""
    row = verbs.find(current_user.account, sender_id)
    form = SpokenForm()
    try:
        verbs.set_spoken(row, form.spoken.data or "")
    except Refused as refused:
        place(form, refused)
        return _show_one(row, form)
    return saved("settings.senders")


@blueprint.post("/senders/<int:sender_id>/default")
@requires("owner")
def make_default(sender_id: int) -> ResponseReturnValue:
    """Make a sender the one that is used where nobody chooses."""
    verbs.set_default(current_user.account, verbs.find(current_user.account, sender_id))
    return saved("settings.senders")


@blueprint.post("/senders/pool/default")
@requires("owner")
def make_pool_default() -> ResponseReturnValue:
    """Use the pool where nobody chooses."""
    verbs.set_default(current_user.account, None)
    return saved("settings.senders")


@blueprint.post("/senders/<int:sender_id>/remove")
@requires("owner")
def remove_sender(sender_id: int) -> ResponseReturnValue:
    """Remove a sender."""
    verbs.remove(verbs.find(current_user.account, sender_id))
    return done(_("The sender is removed."), "settings.senders")


@blueprint.get("/senders/preview.wav")
@requires("owner")
def preview_announcement() -> ResponseReturnValue:
    """Speak the announcement with a name, as a recipient will hear it."""
    name = " ".join(request.args.get("spoken", "").split())
    if len(name) > verbs.LONGEST_SPOKEN:
        abort(422)
    audio = speaking.audio_of(current_user.account, announcement(current_user.account.locale, name or None))
    if audio is None:
        abort(503)
    answer = send_file(audio.path, mimetype="audio/wav", conditional=True)
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
