"""The handset page: phones to read and write on, to be called and to listen to, and what Faden learns of it."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, send_file, url_for
from flask_babel import format_date, format_time, get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from sms import clock
from sms.gsm import msisdn
from sms.sandbox import phones, words
from sms.sandbox.control import BadInput, our_number
from sms.sandbox.handset import handsets, wall_time
from sms.sandbox.line import Line
from sms.sandbox.phones import Phone, double_zero
from sms.sandbox.rest import network

page = Blueprint(
    "page", __name__, static_folder="static", static_url_path="/own", template_folder="templates"
)

LANGUAGES = {"de": "Deutsch", "en": "English"}
ALIVE = 15.0
"""Seconds between two signs of life on the stream."""
SHOWN_EVENTS = 30
LONGEST_TEXT = 1600
LONGEST_SPEECH = 500
MOMENT = 0.15
"""Seconds a call may take to end before the page is answered."""
KEYS = "123456789*0#"
AVAILABLE = ("on", "busy", "no-network", "off")
BEHAVIOURS = ("manual", "auto", "no-answer", "reject")


class Problem(Exception):
    """A sentence for the field `field` of the form of `where` (a phone's number, or "" for the new phone)."""

    def __init__(self, where: str, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.where, self.field = where, field


@page.errorhandler(Problem)
def problem(error: Problem) -> AnyResponse:
    """Show the sentence beside its field; scripts get it as JSON."""
    if _scripted():
        return _json({"field": error.field, "error": str(error)}, 422)
    shown = {"where": error.where, "field": error.field, "sentence": str(error)}
    return Response(_render("page.html", problem=shown), 422)


@page.get("/")
def start() -> AnyResponse:
    """The page; ?lang=de or en chooses the language and is remembered."""
    chosen = request.args.get("lang")
    if chosen in LANGUAGES:
        answer = redirect(url_for("page.start"))
        answer.set_cookie("lang", chosen, max_age=31_536_000, samesite="Lax", httponly=True)
        return answer
    return Response(_render("page.html"))


@page.get("/live")
def live() -> Response:
    """The parts of the page that change, as they are now."""
    return Response(_render("_live.html"))


@page.get("/events")
def events() -> Response:
    """A stream that says when something is new; what it is, the page asks for at /live."""
    feed = network().feed

    def stream() -> Iterator[str]:
        seen, spoke = -1, time.monotonic()
        yield "retry: 1000\n\n"
        while not feed.closed:
            version = feed.wait(seen, 1.0)
            if version != seen:
                seen, spoke = version, time.monotonic()
                yield f"event: news\ndata: {version}\n\n"
            elif time.monotonic() - spoke > ALIVE:
                spoke = time.monotonic()
                yield "event: ping\ndata:\n\n"

    return Response(stream(), mimetype="text/event-stream", headers={"Cache-Control": "no-store"})


@page.get("/sounds/<digest>.wav")
def sound(digest: str) -> Response:
    """A sound that was played into a call."""
    path = network().sounds.path(digest)
    if path is None:
        abort(404)
    return send_file(path, mimetype="audio/wav", conditional=True, max_age=3600)


@page.post("/phones")
def add_phone() -> AnyResponse:
    """Lay one more phone on the page."""
    raw = request.form.get("number", "")
    found = msisdn.parse(raw)
    if found.e164 is None:
        raise Problem("", "number", _("That is no phone number, for example 0171 39200 55."))
    if found.channel is None or found.region != "DE":
        raise Problem("", "number", _("Only German mobile and landline numbers can lie here."))
    if found.e164 in network().numbers:
        raise Problem("", "number", _("That is one of Faden's own numbers."))
    known = phones.find(network().store, found.e164)
    if not known.on_page:
        name = _one_line(request.form.get("name", ""))[:80] or known.name
        phones.change(network().store, found.e164, on_page=1, answer="manual", name=name)
    return _done(found.e164)


@page.post("/phones/<number>/remove")
def remove_phone(number: str) -> AnyResponse:
    """Take a phone off the page; it goes on existing."""
    phone = _phone(number)
    phones.change(network().store, phone.number, on_page=0, answer="auto")
    return _done()


@page.post("/phones/<number>/state")
def change_state(number: str) -> AnyResponse:
    """Switch a phone: within reach, engaged, without network, off."""
    phone, state = _phone(number), request.form.get("state", "")
    if state not in AVAILABLE:
        abort(400)
    phones.change(network().store, phone.number, state=state)
    network().jobs.nudge()
    return _done(phone.number)


@page.post("/phones/<number>/behaviour")
def change_behaviour(number: str) -> AnyResponse:
    """Change how a phone takes calls and how its network reports."""
    phone, form = _phone(number), request.form
    calls, reports, digits = form.get("calls", ""), form.get("reports", ""), form.get("digits", "").strip()
    if calls not in BEHAVIOURS or reports not in phones.REPORTS:
        abort(400)
    if len(digits) > 100 or set(digits) - set(KEYS):
        raise Problem(number, "digits", _("Keys of a telephone only: 0 to 9, * and #."))
    changes: dict[str, Any] = {"reports": reports, "digits": digits, "machine": "machine" in form}
    if calls in phones.ANSWERS:
        changes["answer"] = calls
        if phone.state in phones.STATES_OF_CALLS:
            changes["state"] = "on"
    else:
        changes["state"] = calls
    phones.change(network().store, phone.number, **changes)
    return _done(phone.number)


@page.post("/phones/<number>/thread")
def open_thread(number: str) -> AnyResponse:
    """Look at another of the phone's threads."""
    phone = _phone(number)
    phones.change(network().store, phone.number, thread=request.form.get("with", "")[:40])
    return _done(phone.number)


@page.post("/phones/<number>/messages")
def write(number: str) -> AnyResponse:
    """Send a text from a phone."""
    phone, body = _phone(number), request.form.get("body", "").replace("\r\n", "\n")
    if not body.strip():
        raise Problem(number, "body", _("The text is still empty."))
    if len(body) > LONGEST_TEXT or "\x00" in body:
        raise Problem(number, "body", _("A text has at most %(n)d characters.", n=LONGEST_TEXT))
    if phone.landline or phone.state in ("off", "no-network"):
        raise Problem(number, "body", _("This phone cannot send texts now."))
    try:
        to = our_number(request.form.get("to"), "sms")
    except BadInput:
        raise Problem(number, "body", _("This sender cannot be answered.")) from None
    phones.change(network().store, phone.number, thread=to)
    network().texts.write(phone, to, body)
    return _done(phone.number)


@page.post("/phones/<number>/dial")
def dial(number: str) -> AnyResponse:
    """Call the number that voice texts come from."""
    phone = _phone(number)
    voice = next(ours.number for ours in network().numbers.values() if ours.voice)
    if network().calls.open_on(phone.number) is None and phone.state not in ("off", "no-network"):
        network().calls.dial(phone, voice, real_time=True)
    return _done(phone.number)


@page.post("/phones/<number>/call")
def act(number: str) -> AnyResponse:
    """Pick up, decline, hang up, press a key or speak; after the call's end it does nothing."""
    phone, line = _phone(number), network().calls.line(request.form.get("call", ""))
    if line is not None:
        _act(line)
        network().calls.join(request.form["call"], MOMENT)
    return _done(phone.number)


def _act(line: Line) -> None:
    action, key = request.form.get("act"), request.form.get("key", "")
    speech = _one_line(request.form.get("speech", ""))[:LONGEST_SPEECH]
    if len(key) == 1 and key in KEYS:
        line.press(key)
    elif action == "pick-up":
        line.pick_up()
    elif action == "decline":
        line.decline()
    elif action == "hang-up":
        line.hang_up()
    elif action == "speak" and speech:
        line.say(speech)


@page.post("/log/clear")
def clear_log() -> AnyResponse:
    """Forget the events."""
    network().feed.clear()
    return _done()


@page.before_app_request
def only_from_here() -> None:
    """Refuse writes that another site's page sends with somebody's browser."""
    origin = request.headers.get("Origin")
    if (
        request.method not in ("GET", "HEAD", "OPTIONS")
        and origin
        and urlsplit(origin).netloc != request.host
    ):
        abort(403)


@page.app_template_filter("moment")
def moment_words(at: datetime) -> str:
    """Return a time as a phone shows it above a text: Today, 08:52."""
    days = (wall_time(clock.now().timestamp()).date() - at.date()).days
    clock_time = format_time(at, "HH:mm", rebase=False)
    if days == 0:
        return _("Today, %(time)s", time=clock_time)
    day = format_date(at, "EEEE" if 0 < days < 7 else "d. MMMM" if _german() else "d MMMM", rebase=False)
    return f"{day}, {clock_time}"


def _german() -> bool:
    return str(get_locale()) == "de"


def _phone(number: str) -> Phone:
    found = msisdn.parse(number)
    if found.e164 is None:
        abort(404)
    return phones.find(network().store, found.e164)


def _one_line(text: str) -> str:
    """Return text without line ends and characters that cannot be seen."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _scripted() -> bool:
    return request.headers.get("X-Requested-With") == "fetch"


def _done(number: str = "") -> AnyResponse:
    """Answer a write: scripts get nothing, forms go back to the phone they came from."""
    network().feed.ring()
    if _scripted():
        return Response(status=204)
    where = f"p{double_zero(number)}" if number else None
    return redirect(url_for("page.start", _anchor=where), 303)


def _json(body: dict[str, str], status: int) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    return answer


def _render(template: str, problem: dict[str, str] | None = None) -> str:
    net = network()
    voice = next(number for number in net.numbers.values() if number.voice)
    return render_template(
        template,
        handsets=handsets(net),
        log=words.lines(net.feed.latest(SHOWN_EVENTS)),
        problem=problem or {},
        public_url=net.settings.public_url,
        voice_number=msisdn.parse(voice.number).display,
        now=wall_time(clock.now().timestamp()),
        languages=LANGUAGES,
        keys=KEYS,
    )
