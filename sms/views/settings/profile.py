"""What everybody sets for herself: name, language, appearance, password."""

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh
from flask_login import current_user, login_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField

from sms import accounts
from sms.i18n import LANGUAGES
from sms.refusal import Refused
from sms.views.gate import local_path
from sms.views.settings.frame import blueprint, done, page, place, saved


class ProfileForm(FlaskForm):
    name = StringField()
    locale = SelectField(validate_choice=False)
    theme = SelectField(validate_choice=False)

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.name.label.text = _("Name")
        self.locale.label.text = _("Language")
        self.theme.label.text = _("Appearance")
        own = LANGUAGES[current_user.account.locale]
        self.locale.choices = [("", _("As the account: %(language)s", language=own)), *LANGUAGES.items()]
        self.theme.choices = [("", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))]


class NewPasswordForm(FlaskForm):
    current = PasswordField()
    password = PasswordField()

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self.current.label.text = _("Current password")
        self.password.label.text = _("New password")


def _show(form: ProfileForm | None = None, secret: NewPasswordForm | None = None) -> ResponseReturnValue:
    status = 422 if form or secret else 200
    person = {
        "name": current_user.name,
        "locale": current_user.locale or "",
        "theme": current_user.theme or "",
    }
    form = form or ProfileForm(formdata=None, data=person)
    return page("profile", status, form=form, secret=secret or NewPasswordForm(formdata=None))


@blueprint.get("/profile")
def profile() -> ResponseReturnValue:
    """Show the person's own settings."""
    return _show()


@blueprint.post("/profile")
def save_profile() -> ResponseReturnValue:
    """Save name, language and appearance."""
    form = ProfileForm()
    try:
        accounts.change_profile(
            current_user,
            name=form.name.data or "",
            locale=form.locale.data or None,
            theme=form.theme.data or None,
        )
    except Refused as refused:
        place(form, refused)
        return _show(form)
    refresh()  # what follows is said in the language just chosen
    return saved("settings.profile")


@blueprint.post("/profile/password")
def change_password() -> ResponseReturnValue:
    """Change the password; every other session of this person ends, this one goes on."""
    form = NewPasswordForm()
    try:
        if not accounts.verify_password(current_user, form.current.data or ""):
            raise Refused("current", "wrong_password")
        accounts.check_password(form.password.data or "", current_user)
    except Refused as refused:
        place(form, refused)
        return _show(secret=form)
    user = current_user._get_current_object()
    accounts.set_password(user, form.password.data or "")
    login_user(user)
    return done(_("Your password is changed. Other devices have to sign in again."), "settings.profile")


@blueprint.post("/quick")
def quick() -> ResponseReturnValue:
    """Switch language or appearance from the menu at the avatar, and stay on the page."""
    locale, theme = request.form.get("locale"), request.form.get("theme")
    accounts.change_profile(
        current_user,
        name=current_user.name,
        locale=locale if locale in LANGUAGES else current_user.locale,
        theme=theme if theme is not None else current_user.theme,
    )
    return redirect(local_path(request.referrer or "/"), 303)
