"""The sign-in form, and what it carries through: the page that was asked for, the text that was being sent."""

import re

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField

from sms import contacts, inbox
from sms.gsm import msisdn
from sms.models import Conversation, User
from sms.refusal import NotFound

_writing = re.compile(r"/conversations/(\d{1,15})/(?:messages|notes|draft)", re.ASCII)


class SignInForm(FlaskForm):
    email = StringField()
    password = PasswordField()
    stay = BooleanField()
    next = HiddenField()
    held_in = HiddenField()
    held_to = HiddenField()
    held_reply = HiddenField()
    held_note = HiddenField()


def holds_text() -> bool:
    """Tell whether this request was sending an answer, a note or a new message; another site's form does not count."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    texts = (request.form.get("text", ""), request.form.get("note", ""))
    writes = request.path == "/new" or _writing.fullmatch(request.path)
    return bool(writes) and any(text.strip() for text in texts)


def form_with_text(stay: bool = True) -> SignInForm:
    """Return an empty sign-in form that carries what this request was sending, and leads to where it belongs."""
    thread = _writing.fullmatch(request.path)
    return SignInForm(
        formdata=None,
        stay=stay,
        next=f"/conversations/{thread[1]}" if thread else "/new",
        held_in=thread[1] if thread else "",
        held_to=request.form.get("to", ""),
        held_reply=request.form.get("text", ""),
        held_note=request.form.get("note", ""),
    )


def carries_text(form: SignInForm) -> bool:
    """Tell whether a sign-in form came with a text of an ended session."""
    return bool((form.held_reply.data or "").strip() or (form.held_note.data or "").strip())


def keep_text(form: SignInForm, user: User) -> Conversation | None:
    """Keep the carried text as drafts of who has signed in, and return their thread; None where it has none of hers."""
    conversation = _thread(form, user) if carries_text(form) else None
    if conversation is None:
        return None
    for kind, text in (("reply", form.held_reply.data), ("note", form.held_note.data)):
        if text and text.strip():
            inbox.save_draft(user, conversation, kind, text)
    return conversation


def _thread(form: SignInForm, user: User) -> Conversation | None:
    number = form.held_in.data or ""
    if number.isascii() and number.isdigit() and len(number) < 16:
        try:
            return inbox.open_conversation(user.account, int(number))
        except NotFound:
            return None
    to = msisdn.parse(form.held_to.data or "", user.account.region)
    return contacts.find_or_add(user.account, to.e164)[1] if to.e164 and to.channel else None
