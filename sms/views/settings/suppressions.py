"""Opt-outs: the numbers that nothing is sent to, who asked for it and how."""

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField

from sms import answering, suppression
from sms.gsm import msisdn
from sms.models import Suppression
from sms.refusal import NotFound, Refused
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page, place


class NumberForm(FlaskForm):
    number = StringField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.number.label.text = _("Phone number")


def _show(form: NumberForm, status: int = 200) -> ResponseReturnValue:
    sources = {
        "sms": _("by text message"),
        "voice": _("by key in a call"),
        "agent": _("by the team"),
        "carrier": _("by the carrier"),
    }
    rows = suppression.listing(current_user.account)
    shown = [(row, msisdn.parse(row.number), sources.get(row.source, row.source)) for row in rows]
    return page("suppressions", status, form=form, rows=shown, keys=answering.keys_are_heard())


@blueprint.get("/opt-outs")
@requires("owner")
def suppressions() -> ResponseReturnValue:
    """Show all numbers that have opted out."""
    return _show(NumberForm(formdata=None))


@blueprint.post("/opt-outs")
@requires("owner")
def suppress() -> ResponseReturnValue:
    """Block a number by hand."""
    form = NumberForm()
    number = msisdn.parse(form.number.data or "", current_user.account.region)
    if number.e164 is None:
        place(form, Refused("number", number.error or "invalid"))
        return _show(form, 422)
    suppression.suppress(current_user.account, number.e164, "agent", by=current_user)
    return done(_("Nothing is sent to %(number)s any more.", number=number.number), "settings.suppressions")


@blueprint.post("/opt-outs/<int:suppression_id>/remove")
@requires("owner")
def unsuppress(suppression_id: int) -> ResponseReturnValue:
    """Allow a number again, because its owner has asked for it."""
    row = Suppression.get_or_none(
        Suppression.id == suppression_id, Suppression.account == current_user.account
    )
    if row is None:
        raise NotFound
    suppression.unsuppress(current_user.account, row.number, by=current_user)
    number = msisdn.parse(row.number).number
    return done(_("%(number)s can be written to again.", number=number), "settings.suppressions")
