"""Sign-in, sign-out, and the one-time link that sets a password."""

from datetime import timedelta
from functools import partial

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField

from sms import accounts, throttle
from sms.clock import now
from sms.models import User
from sms.refusal import Refused
from sms.views.entrance import SignInForm, carries_text, keep_text
from sms.views.gate import local_path, public
from sms.views.invitation import post, reset_letter
from sms.wording import sentence

blueprint = Blueprint("signin", __name__)


class ForgottenForm(FlaskForm):
    email = StringField()


class PasswordForm(FlaskForm):
    password = PasswordField()


@blueprint.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Show the form; who is signed in already goes on."""
    target = local_path(request.args.get("next", "/"))
    if current_user.is_authenticated:
        return redirect(target)
    form = SignInForm(formdata=None, next=target, stay=True)
    return render_template("signin/sign_in.html", form=form, held=False)


@blueprint.post("/sign-in")
@public
def enter() -> ResponseReturnValue:
    """Compare the password; five wrong ones for an address from one place close it for a quarter of an hour."""
    form = SignInForm()
    email, place = form.email.data or "", request.remote_addr or ""
    who = (email.strip().lower(), place)
    if locked := _locked(who, place):
        return _again(form, locked, 429)
    # Counted before it is compared, so that many attempts at once cannot slip through together.
    tries_left = throttle.count(throttle.SIGN_INS, *who)
    user = accounts.find_user_by_email(email)
    if not accounts.verify_password(user, form.password.data or "") or user is None:
        throttle.count(throttle.SIGN_INS_FROM_ONE_PLACE, place)
        return _again(form, _wrong(tries_left, who), 422)
    throttle.forgive(throttle.SIGN_INS, *who)
    _welcome(user, bool(form.stay.data))
    return redirect(_where_to(form, user), 303)


def _where_to(form: SignInForm, user: User) -> str:
    """Return where a person wanted to go; a text that an ended session was sending is there as a draft."""
    if thread := keep_text(form, user):
        flash(_("You are signed in again. Your text was not sent; it is kept as a draft."))
        return f"/conversations/{thread.id}"
    if carries_text(form):
        flash(_("You are signed in again. Your text was not sent: %(text)s", text=form.held_reply.data))
    return local_path(form.next.data or "/")


def _locked(who: tuple[str, str], place: str) -> str | None:
    for limit, names in ((throttle.SIGN_INS, who), (throttle.SIGN_INS_FROM_ONE_PLACE, (place,))):
        if throttle.left(limit, *names) == 0:
            wait = throttle.until(limit, *names) - now()
            return _("Too many attempts.") + " " + _wait(wait)
    return None


def _wait(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return ngettext(
        "Please try again in one minute, or set a new password.",
        "Please try again in %(num)s minutes, or set a new password.",
        minutes,
    )


def _wrong(tries_left: int, who: tuple[str, str]) -> str:
    wrong = _("E-mail address or password is wrong.")
    if tries_left == 0:
        return f"{wrong} {_wait(throttle.until(throttle.SIGN_INS, *who) - now())}"
    words = {2: _("two"), 3: _("three"), 4: _("four")}
    left = ngettext(
        "One attempt left.", "%(word)s attempts left.", tries_left, word=words.get(tries_left, "")
    )
    return f"{wrong} {left[:1].upper()}{left[1:]}"


def _again(form: SignInForm, error: str, status: int) -> ResponseReturnValue:
    form.password.errors = [error]
    return render_template("signin/sign_in.html", form=form, held=carries_text(form)), status


def _welcome(user: User, stay: bool) -> None:
    login_user(user, remember=stay)
    accounts.signed_in(user)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this browser's session."""
    logout_user()
    # Flask-Login still has to remove the cookie that remembers; everything else of the session goes.
    for name in [n for n in session if n != "_remember"]:
        del session[name]
    return redirect(url_for("signin.sign_in"), 303)


@blueprint.get("/password")
@public
def forgotten() -> ResponseReturnValue:
    """Ask for the address that a link to set the password goes to."""
    return render_template("signin/forgotten.html", form=ForgottenForm(formdata=None), sent=False)


@blueprint.post("/password")
@public
def send_link() -> ResponseReturnValue:
    """Mail the link; the page says the same whether the address is known or not."""
    form = ForgottenForm()
    try:
        email = accounts.clean_email(form.email.data or "")
    except Refused as refused:
        form.email.errors = [sentence(refused.code, **refused.params)]
        return render_template("signin/forgotten.html", form=form, sent=False), 422
    settings = current_app.extensions["faden"]
    demo = settings.mail_url is None and settings.sandbox
    answer = make_response(render_template("signin/forgotten.html", form=form, sent=True, demo=demo))
    if throttle.left(throttle.FORGOTTEN, email) > 0:
        throttle.count(throttle.FORGOTTEN, email)
        user = accounts.find_user_by_email(email)
        if user and user.active:
            # After the answer: how long the mail server takes would tell whether the address is known.
            answer.call_on_close(partial(post, settings, user.email, *reset_letter(user)))
    return answer


@blueprint.get("/password/<token>")
@public
def choose_password(token: str) -> ResponseReturnValue:
    """Show the form behind a one-time link, or say that the link has ended."""
    user = accounts.user_for_token(token)
    if user is None:
        return render_template("signin/link_ended.html"), 410
    return render_template("signin/password.html", form=PasswordForm(formdata=None), user=user)


@blueprint.post("/password/<token>")
@public
def set_password(token: str) -> ResponseReturnValue:
    """Set the password and sign the person in; the link dies, and every older session with it."""
    user = accounts.user_for_token(token)
    if user is None:
        return render_template("signin/link_ended.html"), 410
    form = PasswordForm()
    try:
        accounts.check_password(form.password.data or "", user)
    except Refused as refused:
        form.password.errors = [sentence(refused.code, **refused.params)]
        return render_template("signin/password.html", form=form, user=user), 422
    accounts.set_password(user, form.password.data or "")
    logout_user()
    _welcome(user, False)
    flash(_("Your password is set. You are signed in."))
    return redirect("/", 303)
