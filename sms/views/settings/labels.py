"""Labels: words with a dye for conversations."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField

from sms import labelling as verbs
from sms.models import Label
from sms.refusal import Refused
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page, place


class LabelForm(FlaskForm):
    name = StringField()
    dye = RadioField(validate_choice=False, default="1")

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.name.label.text = _("Name")
        self.dye.choices = [("1", _("Petrol")), ("2", _("Clay")), ("3", _("Plum")), ("4", _("Moss"))]


def _show(form: LabelForm, status: int = 200, label: Label | None = None) -> ResponseReturnValue:
    return page("labels", status, form=form, rows=verbs.counted(current_user.account), label=label)


@blueprint.get("/labels")
@requires("owner")
def labels() -> ResponseReturnValue:
    """Show all labels and the form for a new one."""
    return _show(LabelForm(formdata=None))


@blueprint.post("/labels")
@requires("owner")
def add_label() -> ResponseReturnValue:
    """Add a label."""
    return _save(LabelForm(), None)


@blueprint.get("/labels/<int:label_id>")
@requires("owner")
def label(label_id: int) -> ResponseReturnValue:
    """Show one label in the form."""
    row = verbs.find(current_user.account, label_id)
    return _show(LabelForm(formdata=None, data={"name": row.name, "dye": str(row.dye)}), label=row)


@blueprint.post("/labels/<int:label_id>")
@requires("owner")
def save_label(label_id: int) -> ResponseReturnValue:
    """Change a label's word or dye."""
    return _save(LabelForm(), verbs.find(current_user.account, label_id))


def _save(form: LabelForm, row: Label | None) -> ResponseReturnValue:
    dye = request.form.get("dye", "1")
    try:
        verbs.save(current_user.account, form.name.data or "", int(dye) if dye in "1234" and dye else 1, row)
    except Refused as refused:
        place(form, refused)
        return _show(form, 422, row)
    return done(_("The label is saved."), "settings.labels")


@blueprint.post("/labels/<int:label_id>/remove")
@requires("owner")
def remove_label(label_id: int) -> ResponseReturnValue:
    """Remove a label from the account and from every conversation."""
    verbs.remove(verbs.find(current_user.account, label_id))
    return done(_("The label is removed."), "settings.labels")
