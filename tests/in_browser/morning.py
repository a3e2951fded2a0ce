"""A practice's Monday as in the drawn inbox: every state a thread can show, made by the real verbs."""

from datetime import timedelta
from itertools import count

from sms import accounts, clock, contacts, inbox, routing, sending, speaking, suppression
from sms.clock import now
from sms.models import Account, Call, Conversation, Message, Template, User
from sms.models.event import add_event
from tests.views.practice import settle, write_in

_number = count(100)


def fresh_number() -> str:
    """Return a mobile number of the fiction range that no test has used in this process."""
    return f"+49171392{next(_number):05d}"


def thread_of_states(account: Account, anna: User, jonas: User, number: str = "") -> Conversation:
    """Make one thread with every bubble, at the hours of the drawing, ending now."""
    number = number or fresh_number()
    clock.shift(timedelta(days=-1, hours=-1))
    contact, talk = contacts.find_or_add(account, number, "Margarethe Schößler")
    fields = {"Patient-Nr": "4471", "Geboren": "02.04.1951", "Kasse": "AOK Nordost"}
    contacts.save(contact, "Margarethe Schößler", fields)
    contacts.add_number(contact, f"030 23125{int(number[-3:]):03d}")
    inbox.add_label(talk, "Terminwunsch", anna)
    inbox.add_label(talk, "Angstpatientin", anna)
    _sent(talk, "Erinnerung: Ihr Termin bei Dr. Lindner ist am Do. um 08:30 Uhr.", anna, "sent")
    write_in("Ja", number)
    sending.add_note(talk, "Hat Angst vor Spritzen. Wenn möglich bei Miriam einplanen.", jonas)
    clock.shift(timedelta(days=1))
    write_in("Guten Morgen, kann ich Donnerstag auf den Nachmittag schieben?", number)
    inbox.assign(talk, anna, anna)
    _sent(
        talk,
        "Guten Morgen Frau Schößler, am Donnerstag ist um 14:15 Uhr noch frei. Passt Ihnen das?",
        anna,
        "delivered",
    )
    _sent(
        talk,
        "Den Röntgenbefund brauchen wir auch, haben Sie ihn noch?",
        anna,
        "undelivered",
        reason="unreachable",
    )
    failed = _sent(talk, "Bitte bringen Sie Ihre Gesundheitskarte mit.", anna, "failed", reason="unreachable")
    _call(sending.retry(failed, anna, "voice"))
    write_in("14:15 passt wunderbar, danke!", number)
    write_in("Muss ich nüchtern kommen?", number)
    clock.shift(timedelta(hours=1))
    inbox.save_draft(
        anna, talk, "reply", "Nein, Sie dürfen ganz normal frühstücken. Kommen Sie bitte zehn Minuten früher."
    )
    sending.reply(
        talk,
        "Denken Sie bitte an die Gesundheitskarte!",
        by=anna,
        send_at=now() + timedelta(days=1),
        unless_answered=True,
    )
    return talk


def _sent(talk: Conversation, text: str, by: User, status: str, **values) -> Message:
    clock.shift(timedelta(minutes=7))
    message = sending.reply(talk, text, by=by)
    return settle(message, "sending", status, **values)


def _call(message: Message) -> None:
    """Let the telephone be busy, ring in vain, and be answered."""
    settle(message, "sending", undo_until=None)
    speaking.spoken_words(message)
    for attempt, status in enumerate(("busy", "no-answer", "completed"), 1):
        clock.shift(timedelta(seconds=20))
        Call.create(
            message=message, account=message.account_id, direction="outgoing", attempt=attempt,
            key=sending.new_key(), carrier=message.carrier, ours=message.ours, theirs=message.theirs,
            status=status, started_at=now(), ended_at=now() + timedelta(seconds=5), seconds=25, heard=attempt == 3,
        )  # fmt: skip
    settle(message, "delivered")


def rows(account: Account, anna: User, jonas: User) -> None:
    """Make the other conversations of the list."""
    for name, text, hours in (
        ("Nele Hagedorn", "Danke, das hat super geklappt!", 70),
        ("Dentallabor Fischer & Söhne", "Krone 36 ist fertig und kommt morgen mit dem Boten.", 48),
        ("Hüseyin Aydın", "JA", 26),
        ("", "Hallo, nehmen Sie noch neue Patienten auf? Bin gerade nach Pankow gezogen.", 1),
        (
            "Elektro Brandt GmbH",
            "Die Steuerung der Absauganlage ist wieder in Ordnung. Rechnung folgt per Mail.",
            0.5,
        ),
    ):
        clock.shift(timedelta(hours=-hours))
        number = fresh_number()
        talk = contacts.find_or_add(account, number, name)[1]
        write_in(text, number)
        if name.startswith("Elektro"):
            inbox.assign(talk, anna, anna)
            inbox.add_label(talk, "Technik", anna)
        clock.shift(timedelta(hours=hours))
    talk = contacts.find_or_add(account, fresh_number(), "Torsten Wieczorek")[1]
    failed = sending.reply(talk, "Die Überweisung liegt am Empfang.", by=jonas)
    settle(failed, "sending", "failed", reason="bad_number")
    Conversation.update(failed=True).where(Conversation.id == talk.id).execute()
    for name, text in (
        ("Terminangebot", "Guten Tag {name}, wir hätten {Datum} einen Termin frei."),
        ("Karte", "Bitte denken Sie an die Gesundheitskarte."),
    ):
        Template.get_or_create(account=account, name=name, defaults={"text": text, "created_at": now()})


__all__ = ["accounts", "add_event", "fresh_number", "routing", "rows", "suppression", "thread_of_states"]


def transaction():
    """One write, as the delivery engine makes it."""
    from sms.db import database

    return database.atomic()
