"""Templates: texts with placeholders that an agent reaches with a slash."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField

from sms import template_texts as verbs
from sms.gsm import placeholders, segments
from sms.models import Template
from sms.refusal import Refused
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page, place


class TemplateForm(FlaskForm):
    name = StringField()
    text = TextAreaField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.name.label.text = _("Name")
        self.text.label.text = _("Text")


def _show(form: TemplateForm, status: int = 200, template: Template | None = None) -> ResponseReturnValue:
    rows = [(t, segments.count(t.text).parts) for t in verbs.listing(current_user.account)]
    return page(
        "templates", status, form=form, rows=rows, template=template, cost=_cost(form.text.data or "")
    )


def _cost(text: str) -> dict[str, object]:
    """Return what the meter under the text shows; placeholders count as they are written."""
    counted = segments.count(text)
    return {
        "characters": segments.characters(text),
        "most": segments.MAX_CHARACTERS,
        "parts": counted.parts,
        "because": counted.unicode_because[:5],
        "placeholders": placeholders.names(text),
    }


@blueprint.get("/templates")
@requires("owner")
def templates() -> ResponseReturnValue:
    """Show all templates and the form for a new one."""
    return _show(TemplateForm(formdata=None))


@blueprint.post("/templates")
@requires("owner")
def add_template() -> ResponseReturnValue:
    """Add a template."""
    return _save(TemplateForm(), None)


@blueprint.get("/templates/<int:template_id>")
@requires("owner")
def template(template_id: int) -> ResponseReturnValue:
    """Show one template in the form."""
    row = verbs.find(current_user.account, template_id)
    return _show(TemplateForm(formdata=None, obj=row), template=row)


@blueprint.post("/templates/<int:template_id>")
@requires("owner")
def save_template(template_id: int) -> ResponseReturnValue:
    """Change a template."""
    return _save(TemplateForm(), verbs.find(current_user.account, template_id))


def _save(form: TemplateForm, row: Template | None) -> ResponseReturnValue:
    try:
        verbs.save(current_user.account, form.name.data or "", form.text.data or "", row)
    except Refused as refused:
        place(form, refused)
        return _show(form, 422, row)
    return done(_("The template is saved."), "settings.templates")


@blueprint.post("/templates/<int:template_id>/remove")
@requires("owner")
def remove_template(template_id: int) -> ResponseReturnValue:
    """Remove a template."""
    verbs.remove(verbs.find(current_user.account, template_id))
    return done(_("The template is removed."), "settings.templates")


@blueprint.post("/templates/meter")
@requires("owner")
def template_meter() -> ResponseReturnValue:
    """Tell what the text typed so far costs."""
    return render_template("settings/_cost.html", cost=_cost(request.form.get("text", "")))
