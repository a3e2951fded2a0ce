"""The people of an account: invite, give a role, let in and out."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from sms import accounts
from sms.models import User
from sms.refusal import Refused
from sms.views import invitation
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page, place
from sms.wording import sentence


class InviteForm(FlaskForm):
    email = StringField()
    name = StringField()
    role = SelectField(validate_choice=False)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.email.label.text = _("E-mail address")
        self.name.label.text = _("Name")
        self.role.label.text = _("Role")
        self.role.choices = list(roles().items())


def roles() -> dict[str, str]:
    """Return the roles that the signed-in person may give, with their words."""
    words = {"agent": _("Team member"), "owner": _("Owner"), "operator": _("Operator")}
    if current_user.role != "operator":
        del words["operator"]
    return words


def _show(form: InviteForm | None = None, status: int = 200, **more: object) -> ResponseReturnValue:
    people = accounts.colleagues(current_user.account)
    words = {"agent": _("Team member"), "owner": _("Owner"), "operator": _("Operator")}
    form = form or InviteForm(formdata=None)
    return page("team", status, form=form, people=people, roles=roles(), words=words, **more)


@blueprint.get("/team")
@requires("owner")
def team() -> ResponseReturnValue:
    """Show everybody of the account."""
    return _show()


@blueprint.post("/team")
@requires("owner")
def invite() -> ResponseReturnValue:
    """Add a person, mail the one-time link, and show it once for handing over in person."""
    form = InviteForm()
    try:
        role = _allowed(form.role.data or "agent")
        user = accounts.add_user(current_user.account, form.email.data or "", form.name.data or "", role)
    except Refused as refused:
        place(form, refused)
        return _show(form, 422)
    return _with_link(user, 201)


def _allowed(role: str) -> str:
    if role not in roles():
        raise Refused("role", "unknown_role")
    return role


def _with_link(user: User, status: int) -> ResponseReturnValue:
    """Mail the link. Who is new gets it also by hand, so it is shown in this one answer; who has a password
    alone may change it, so theirs is shown to nobody.
    """
    mailed = invitation.invite(user, current_user)
    link = None if user.password_hash else invitation.password_link(user)
    return _show(status=status, invited=user, link=link, mailed=mailed)


@blueprint.post("/team/<int:user_id>/link")
@requires("owner")
def new_link(user_id: int) -> ResponseReturnValue:
    """Mail and show a new one-time link."""
    return _with_link(_colleague(user_id), 200)


@blueprint.post("/team/<int:user_id>/role")
@requires("owner")
def give_role(user_id: int) -> ResponseReturnValue:
    """Give a colleague another role; nobody changes her own."""
    user = _colleague(user_id)
    try:
        accounts.set_role(user, _allowed(request.form.get("role", "")))
    except Refused as refused:
        return _show(status=422, refused=sentence(refused.code, **refused.params), refused_user=user)
    return done(_("%(name)s has another role now.", name=user.name), "settings.team")


@blueprint.post("/team/<int:user_id>/out")
@requires("owner")
def let_out(user_id: int) -> ResponseReturnValue:
    """Take a colleague's access; open sessions end at once."""
    user = _colleague(user_id)
    try:
        accounts.deactivate(user)
    except Refused as refused:
        return _show(status=422, refused=sentence(refused.code, **refused.params), refused_user=user)
    return done(_("%(name)s can no longer sign in.", name=user.name), "settings.team")


@blueprint.post("/team/<int:user_id>/in")
@requires("owner")
def let_in(user_id: int) -> ResponseReturnValue:
    """Let a colleague sign in again."""
    user = _colleague(user_id)
    accounts.activate(user)
    return done(_("%(name)s can sign in again.", name=user.name), "settings.team")


def _colleague(user_id: int) -> User:
    """Return a colleague who may be changed: not oneself, and no operator by an owner."""
    user = accounts.colleague(current_user.account, user_id)
    if user.id == current_user.id or (user.role == "operator" and current_user.role != "operator"):
        raise Refused("", "yourself" if user.id == current_user.id else "operator_stays")
    return user
