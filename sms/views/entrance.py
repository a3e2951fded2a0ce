"""The sign-in form, and what it carries through: the page that was asked for, the text that was being sent."""

import re

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField

from sms import inbox
from sms.models import User
from sms.refusal import NotFound

_writing = re.compile(r"/conversations/(\d{1,15})/(?:messages|notes|draft)", re.ASCII)


class SignInForm(FlaskForm):
    email = StringField()
    password = PasswordField()
    stay = BooleanField()
    next = HiddenField()
    held_in = HiddenField()
    held_reply = HiddenField()
    held_note = HiddenField()


def holds_text() -> bool:
    """Tell whether this request was sending an answer or a note; another site's form does not count."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    texts = (request.form.get("text", ""), request.form.get("note", ""))
    return bool(_writing.fullmatch(request.path)) and any(text.strip() for text in texts)


def form_with_text(stay: bool = True) -> SignInForm:
    """Return an empty sign-in form that carries what this request was sending, and leads to its conversation."""
    number = _writing.fullmatch(request.path)
    assert number is not None
    return SignInForm(
        formdata=None,
        stay=stay,
        next=f"/conversations/{number[1]}",
        held_in=number[1],
        held_reply=request.form.get("text", ""),
        held_note=request.form.get("note", ""),
    )


def keep_text(form: SignInForm, user: User) -> bool:
    """Keep the carried text as drafts of who has signed in; False where there is none or it is not her conversation."""
    number = form.held_in.data or ""
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        return False
    try:
        conversation = inbox.open_conversation(user.account, int(number))
    except NotFound:
        return False
    for kind, text in (("reply", form.held_reply.data), ("note", form.held_note.data)):
        if text and text.strip():
            inbox.save_draft(user, conversation, kind, text)
    return True
