"""Mails to people: by SMTP, or as files in a folder where no mail server is set."""

import smtplib
import ssl
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sms.clock import now
from sms.config import Settings

SECONDS = 15


class MailFailed(Exception):
    """The mail server could not be reached or refused; the message is safe to log."""


def send(settings: Settings, to: str, subject: str, text: str) -> None:
    """Send one plain-text mail; raises MailFailed."""
    message = _message(settings, to, subject, text)
    if settings.mail_url is None:
        _keep(message, settings.data / "mail")
        return
    try:
        _post(message, settings.mail_url)
    except (OSError, smtplib.SMTPException) as error:
        raise MailFailed(type(error).__name__) from error


def _message(settings: Settings, to: str, subject: str, text: str) -> EmailMessage:
    host = urlsplit(settings.public_url).hostname or "localhost"
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = f"Faden <no-reply@{host}>"
    message["To"] = to
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(now())
    message["Message-ID"] = make_msgid(domain=host)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def _keep(message: EmailMessage, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = f"{now():%Y%m%d-%H%M%S-%f}.eml"
    (folder / name).write_bytes(message.as_bytes())


def _post(message: EmailMessage, url: str) -> None:
    parts = urlsplit(url)
    secure = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            parts.hostname or "", parts.port or 465, timeout=SECONDS, context=secure
        )
    else:
        server = smtplib.SMTP(parts.hostname or "", parts.port or 25, timeout=SECONDS)
    with server:
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=secure)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def kept(settings: Settings) -> list[tuple[str, EmailMessage]]:
    """Return the mails in the folder by file name, newest first; at most 50."""
    from email import message_from_bytes

    files = sorted((settings.data / "mail").glob("*.eml"), reverse=True)[:50]
    return [(f.name, message_from_bytes(f.read_bytes(), policy=policy.default)) for f in files]  # type: ignore[misc]
