"""What calendar programs and recipients fetch, by addresses that nobody can guess."""

from typing import NoReturn

from flask import Response, abort, make_response, request
from flask.blueprints import BlueprintSetupState
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from sms import throttle
from sms.clock import now
from sms.modules.appointment import feed
from sms.modules.appointment.views import blueprint
from sms.views.gate import public

READINGS = RateLimitItemPerHour(240, namespace="appointment-feed")
"""Readings of one feed: many programs at once, each every few minutes."""
WRONG = RateLimitItemPerMinute(60, 15, namespace="appointment-guess")
"""Addresses from one place that lead nowhere: room for an office behind one router, none for guessing."""
UNSEEN = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}


@blueprint.get("/feed/<token>.ics")
@public
def give_out(token: str) -> Response:
    """The calendar of an account with how each appointment stands; 304 where nothing is new."""
    _refuse_guessing()
    given = feed.asked(token)
    if given is None:
        _nothing_here()
    _count(READINGS, str(given.id))
    account = given.account
    appointments = feed.given_out(account)
    version = feed.mark(account, appointments)
    known = request.if_none_match.contains_weak(version)
    answer = _calendar(b"" if known else feed.written(account, appointments), "termine.ics")
    answer.set_etag(version)
    answer.headers["Cache-Control"] = "private, no-cache"
    if known:
        answer.status_code = 304
    return answer


@public
def card(token: str) -> Response:
    """The calendar file of one appointment, for its recipient."""
    _refuse_guessing()
    one = feed.card(token)
    if one is None:
        _nothing_here()
    return _calendar(feed.card_file(one), "termin.ics")


@blueprint.record
def put_at_a_short_address(state: BlueprintSetupState) -> None:
    """Give the recipient's file an address without the prefix of these pages: it is paid for by the letter."""
    state.app.add_url_rule("/k/<token>", "appointment.card", card, methods=["GET"])


@blueprint.after_app_request
def hide(response: Response) -> Response:
    """Keep search engines away from both, and from the page that says that nothing is here."""
    if request.endpoint in ("appointment.give_out", "appointment.card"):
        response.headers.update(UNSEEN)
    return response


def _calendar(body: bytes, name: str) -> Response:
    answer = make_response(body)
    answer.mimetype = "text/calendar"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _refuse_guessing() -> None:
    if throttle.left(WRONG, request.remote_addr or "") == 0:
        raise _later(WRONG, request.remote_addr or "")


def _nothing_here() -> NoReturn:
    throttle.count(WRONG, request.remote_addr or "")
    abort(404)


def _count(limit: RateLimitItem, who: str) -> None:
    if throttle.left(limit, who) == 0:
        raise _later(limit, who)
    throttle.count(limit, who)


def _later(limit: RateLimitItem, who: str) -> TooManyRequests:
    seconds = (throttle.until(limit, who) - now()).total_seconds()
    return TooManyRequests(retry_after=max(1, round(seconds)))
