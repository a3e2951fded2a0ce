"""Plays the demo's story: every text is really sent, travels, is reported and answered."""

import logging
from collections.abc import Callable
from typing import Any

from sms import accounts, clock, contacts, exchange, inbox, senders, sending, template_texts
from sms.config import Settings
from sms.demo import people, script
from sms.demo.script import Act
from sms.demo.stage import Stage
from sms.models import Account, CarrierHealth, CarrierProbe, Conversation, Message, User
from sms.modules import modules

log = logging.getLogger("demo")


def play(settings: Settings) -> None:
    """Let the story happen in the demo account; nothing where it has happened, or where no pretend network runs."""
    if not settings.sandbox or people.conversations_are_there(settings):
        return
    with Stage(settings) as stage:
        Player(stage, people.account()).play()
        # The week is pretend: nobody has asked the carrier in it, and the operator's page tells no stories.
        CarrierProbe.delete().execute()
        CarrierHealth.delete().execute()


class Player:
    """Carries out one act after the other."""

    def __init__(self, stage: Stage, account: Account):
        self.stage, self.account = stage, account
        self.acts: dict[str, Callable[[Act, Any], None]] = {
            "write": self._write, "answer": self._answer, "call": self._call, "speak": self._speak,
            "plan": self._plan, "note": self._note, "draft": self._draft, "label": self._label,
            "assign": self._assign, "read": self._read, "close": self._set("closed"), "pend": self._set("pending"),
            "snooze": self._set("snoozed"),
        }  # fmt: skip

    def play(self) -> None:
        story = script.acts(clock.now())
        self.stage.travel(story[0].at)
        self._set_up()
        for act in story:
            self.stage.travel(act.at)
            self._carry_out(act)

    def _carry_out(self, act: Act) -> None:
        contact = contacts.find(self.account, act.number)
        conversation = Conversation.get_or_none(Conversation.contact == contact) if contact else None
        self.acts[act.what](act, conversation)

    def _set_up(self) -> None:
        for patient in script.PATIENTS:
            contact, _ = contacts.find_or_add(self.account, patient.number, patient.name)
            contacts.save(contact, patient.name, patient.fields)
            for number in patient.more:
                contacts.add_number(contact, number)
            self.stage.phone(patient.number, name=patient.name)
        for name, text in script.TEMPLATES:
            template_texts.save(self.account, name, text)
        senders.add_name(self.account, script.SENDER, script.SPOKEN)
        for module in modules().values():
            if module.demo is not None:
                module.demo(self.account)

    def _by(self, act: Act) -> User:
        user = accounts.find_user_by_email(act.by)
        assert user is not None
        return user

    def _write(self, act: Act, conversation: Conversation) -> None:
        silent = act.phone == "silent"
        self.stage.phone(
            act.number, state="on" if silent else act.phone, reports="never" if silent else "normal"
        )
        message = sending.reply(conversation, act.text, by=self._by(act), sender=act.sender)
        self.stage.settle(message, report=not silent)
        self.stage.phone(act.number, state="on", reports="normal")

    def _answer(self, act: Act, conversation: Conversation | None) -> None:
        self.stage.text_from(act.number, self._our_number(conversation), act.text)
        for confirmation in Message.select().where(
            Message.source == "system", Message.status.in_(("queued", "sent"))
        ):
            self.stage.settle(confirmation)

    def _our_number(self, conversation: Conversation | None) -> str:
        sent = Message.select(Message.ours).where(
            Message.conversation == conversation,
            Message.channel == "sms",
            Message.ours.startswith("+"),
        )
        newest = sent.order_by(Message.id.desc()).scalar() if conversation else None
        return newest or next(n.number for n in exchange.numbers() if n.sms and n.pool)

    def _call(self, act: Act, conversation: Conversation) -> None:
        self.stage.phone(act.number, answer="auto")
        message = sending.reply(conversation, act.text, by=self._by(act), sender=act.sender, channel="voice")
        self.stage.settle(message)
        self.stage.phone(act.number, answer="manual")

    def _speak(self, act: Act, conversation: Conversation) -> None:
        """Read the text that has not arrived aloud instead: engaged first, then taken."""
        failed = (
            Message.select()
            .where(Message.conversation == conversation, Message.status.in_(("undelivered", "failed")))
            .order_by(Message.id.desc())
            .first()
        )
        if failed is None:
            return
        for number in (n.number for n in conversation.contact.numbers):
            self.stage.phone(number, state="busy", answer="auto")
        spoken = sending.retry(failed, by=self._by(act), channel="voice")
        self.stage.first_try(spoken)
        for number in (n.number for n in conversation.contact.numbers):
            self.stage.phone(number, state="on")
        self.stage.settle(spoken)
        self.stage.phone(act.number, answer="manual")

    def _plan(self, act: Act, conversation: Conversation) -> None:
        sending.reply(conversation, act.text, by=self._by(act), send_at=act.until, unless_answered=True)

    def _note(self, act: Act, conversation: Conversation) -> None:
        sending.add_note(conversation, act.text, self._by(act))

    def _draft(self, act: Act, conversation: Conversation) -> None:
        inbox.save_draft(self._by(act), conversation, "reply", act.text)

    def _label(self, act: Act, conversation: Conversation) -> None:
        inbox.add_label(conversation, act.text, self._by(act))

    def _assign(self, act: Act, conversation: Conversation) -> None:
        inbox.assign(conversation, self._by(act), self._by(act))

    def _read(self, act: Act, conversation: Conversation) -> None:
        inbox.mark_read(self._by(act), conversation)

    def _set(self, status: str) -> Callable[[Act, Conversation], None]:
        def change(act: Act, conversation: Conversation) -> None:
            inbox.set_status(conversation, status, self._by(act), act.until)

        return change
