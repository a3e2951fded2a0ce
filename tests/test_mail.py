"""Mails, by SMTP to a server on this machine and as files."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from sms import mail
from sms.config import Settings


class PostOffice(threading.Thread):
    """A mail server that takes one mail, or refuses its recipient."""

    def __init__(self, refuse: bool = False) -> None:
        super().__init__(daemon=True)
        self.refuse = refuse
        self.lines: list[bytes] = []
        self.heard: list[str] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self) -> None:
        connection, _ = self.socket.accept()
        with connection, connection.makefile("rb") as reading:
            connection.sendall(b"220 post office\r\n")
            for line in reading:
                word = line[:4].upper().decode("ascii", "replace").strip()
                self.heard.append(word)
                if word == "DATA":
                    connection.sendall(b"354 go on\r\n")
                    while (line := reading.readline()) != b".\r\n":
                        self.lines.append(line)
                    connection.sendall(b"250 taken\r\n")
                elif word == "RCPT" and self.refuse:
                    connection.sendall(b"550 nobody here\r\n")
                elif word == "QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                else:
                    connection.sendall(b"250 ok\r\n")


@pytest.fixture
def office() -> Iterator[PostOffice]:
    made = PostOffice()
    yield made
    made.socket.close()


def by_smtp(settings: Settings, port: int) -> Settings:
    return replace(settings, mail_url=f"smtp://127.0.0.1:{port}")


def test_mail_arrives_whole(settings: Settings, office: PostOffice) -> None:
    mail.send(
        by_smtp(settings, office.port),
        "anna@praxis.example",
        "Grüße aus\n der Praxis",
        "Guten Tag,\n\nschöne Grüße.\n",
    )
    office.join(5)
    arrived = message_from_bytes(b"".join(office.lines), policy=policy.default)
    assert arrived["To"] == "anna@praxis.example"
    assert arrived["Subject"] == "Grüße aus der Praxis"
    assert arrived["From"] == "Faden <no-reply@127.0.0.1>"
    assert arrived.get_content().replace("\r\n", "\n") == "Guten Tag,\n\nschöne Grüße.\n"
    assert not (settings.data / "mail").exists()


def test_refused_recipient_is_an_expected_failure(settings: Settings) -> None:
    office = PostOffice(refuse=True)
    with pytest.raises(mail.MailFailed, match="SMTPRecipientsRefused"):
        mail.send(by_smtp(settings, office.port), "anna@praxis.example", "Betreff", "Text")
    office.socket.close()


def test_mail_server_that_is_not_there_is_an_expected_failure(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(mail.MailFailed, match="ConnectionRefusedError"):
        mail.send(by_smtp(settings, port), "anna@praxis.example", "Betreff", "Text")


def test_without_a_server_mails_are_files_for_their_owner_only(settings: Settings) -> None:
    mail.send(settings, "anna@praxis.example", "Eins", "Erste Mail")
    mail.send(settings, "anna@praxis.example", "Zwei", "Zweite Mail")
    assert [message["Subject"] for _, message in mail.kept(settings)] == ["Zwei", "Eins"]
    assert (settings.data / "mail").stat().st_mode & 0o077 == 0
