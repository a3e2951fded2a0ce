"""The mails that a demo keeps as files, in the browser."""

from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from sms import accounts, mail
from sms.views.gate import public

blueprint = Blueprint("devmail", __name__)


@blueprint.get("/dev/mail")
@public
def mails() -> ResponseReturnValue:
    """Show the kept mails: links to set passwords are in them, so who may read what is decided here."""
    settings = current_app.extensions["faden"]
    if not settings.sandbox or settings.mail_url is not None:
        abort(404)
    kept = [m for _, m in mail.kept(settings) if _may_read(m)]
    return render_template("devmail.html", mails=kept)


def _may_read(message: EmailMessage) -> bool:
    """Everything on the demo's own machine and for the operator; else an owner her own people's."""
    if _on_this_machine() or (current_user.is_authenticated and current_user.role == "operator"):
        return True
    if not current_user.is_authenticated or current_user.role != "owner":
        return False
    reader = accounts.find_user_by_email(str(message["To"]))
    return reader is not None and reader.account_id == current_user.account_id


def _on_this_machine() -> bool:
    """True where browser, address bar and public address are all this machine: then no proxy stands between."""
    public_host = urlsplit(current_app.extensions["faden"].public_url).hostname
    asked_host = urlsplit(f"//{request.host}").hostname
    return all(_is_loopback(host) for host in (request.remote_addr, asked_host, public_host))


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
