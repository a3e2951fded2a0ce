"""The mail with a one-time link: for who was invited and for who forgot a password."""

import logging

from flask import current_app, url_for

from sms import accounts, mail
from sms.config import Settings
from sms.i18n import gettext
from sms.models import User

log = logging.getLogger("sms.mail")


def password_link(user: User) -> str:
    """Return the public address under which this person may set a password, once, for 48 hours."""
    settings = current_app.extensions["faden"]
    path = url_for("signin.choose_password", token=accounts.password_token(user))
    return f"{settings.public_url}{path}"


def post(settings: Settings, to: str, subject: str, text: str) -> bool:
    """Send a mail; False, and a line in the log, where the mail server did not take it."""
    try:
        mail.send(settings, to, subject, text)
    except mail.MailFailed as failed:
        log.error("a mail could not be sent: %s", failed)
        return False
    return True


def invite(user: User, by: User) -> bool:
    """Mail the link to somebody new, in the account's language; False where the mail server did not take it."""
    return post(current_app.extensions["faden"], user.email, *invitation_letter(user, by.name))


def reset_letter(user: User) -> tuple[str, str]:
    """Return subject and text for who has forgotten a password, in the reader's language."""
    locale = user.locale or user.account.locale
    text = gettext(
        "Hello %(name)s,\n\n"
        "somebody has asked for a new password for this address. With this link you set one:\n\n"
        "%(link)s\n\n"
        "The link works once, for 48 hours. If it was not you, there is nothing to do: your password stays.\n",
        locale,
        name=user.name,
        link=password_link(user),
    )
    return gettext("Set your password for Faden", locale), text


def invitation_letter(user: User, by: str) -> tuple[str, str]:
    """Return subject and text for who is invited, in the reader's language."""
    locale = user.locale or user.account.locale
    text = gettext(
        "Hello %(name)s,\n\n"
        "%(by)s invites you to answer text messages together at %(account)s. "
        "With this link you choose your password:\n\n"
        "%(link)s\n\n"
        "The link works once, for 48 hours. After that, ask for a new one.\n",
        locale,
        name=user.name,
        by=by,
        account=user.account.name,
        link=password_link(user),
    )
    return gettext("%(account)s: your access to Faden", locale, account=user.account.name), text
