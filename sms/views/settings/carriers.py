"""The carriers of the installation, for its operator: how each stands, why and since when; pause, resume, ask now."""

from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_date
from babel.numbers import format_decimal
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from sms import availability, exchange, failover, health, judging, probing
from sms.carriers.contract import Carrier, Feature
from sms.clock import now
from sms.config import CarrierConfig
from sms.models import CarrierProbe, CarrierTurn, User
from sms.refusal import NotFound
from sms.views import carrier_words
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, done, page
from sms.wording import N_

TURNS_SHOWN = 12

STATES = {
    "up": ("ok", "check", N_("ready")),
    "degraded": ("warn", "triangle-alert", N_("impaired")),
    "recovering": ("live", "rotate-cw", N_("recovering")),
    "sick": ("fail", "circle-x", N_("out of order")),
    "stopped": ("fail", "ban", N_("refuses us")),
    "paused": ("none", "pause", N_("paused")),
}
"""A state's colour, icon and word."""

REASONS = {
    "probe": N_("It does not answer when it is asked."),
    "errors": N_("It does not take what it is given."),
    "slow": N_("It answers too slowly."),
    "auth": N_("It refuses our account."),
    "person": N_("A person has decided so."),
    "": "",
}

FEATURES = {
    Feature.sms: N_("texts"),
    Feature.voice: N_("calls"),
    Feature.alpha_sender: N_("names as sender"),
    Feature.reports: N_("delivery reports"),
    Feature.incoming: N_("replies"),
    Feature.find_sent: N_("can be asked whether it has a text"),
    Feature.find_report: N_("can be asked what became of it"),
}


@dataclass(frozen=True)
class Standing:
    """What changes by itself while one looks: a carrier's state, why, since when, and the figures of now."""

    state: str
    reason: str
    detail: str
    since: datetime
    share: int
    paused_by: User | None
    waiting: int
    errors: float | None
    seconds: float | None
    probe: CarrierProbe | None
    others: bool
    """True where another carrier takes messages."""


@dataclass(frozen=True)
class Row:
    """One carrier as the page shows it."""

    config: CarrierConfig
    carrier: Carrier
    numbers: list[exchange.OurNumber]
    standing: Standing
    days: list[availability.Day]
    turns: list[CarrierTurn]

    @property
    def availability(self) -> float | None:
        """The share of the last 30 days in which it stood, in per cent; None where nobody watched."""
        return availability.share(self.days)


def _standing(name: str) -> Standing:
    row = health.row_of(name)
    attempts = judging.newest_attempts().get(name, [])
    seen = judging.evidence(name, attempts, now() - judging.WINDOW)
    newest = probing.newest(name, 1)
    open_ = set(exchange.carriers()) - health.closed() - {name}
    return Standing(
        state=health.shown(row),
        reason="" if row.paused else row.reason,
        detail="" if row.paused else row.detail,
        since=(row.paused_at if row.paused else row.since) or now(),
        share=row.share,
        paused_by=row.paused_by if row.paused else None,
        waiting=failover.waiting_by_carrier().get(name, 0),
        errors=100 * seen.errors if seen.outcomes else None,
        seconds=seen.seconds if seen.outcomes else None,
        probe=newest[0] if newest else None,
        others=bool(open_),
    )


def _row(name: str) -> Row:
    turns = CarrierTurn.select().where(CarrierTurn.carrier == name)
    current = exchange.current()
    return Row(
        current.configs[name],
        current.carriers[name],
        [n for n in current.numbers if n.carrier == name],
        _standing(name),
        availability.days(name, current_user.account.zone),
        list(turns.order_by(CarrierTurn.at.desc(), CarrierTurn.id.desc()).limit(TURNS_SHOWN)),
    )


def _known(name: str) -> str:
    if exchange.carrier(name) is None:
        raise NotFound
    return name


def _show(asked: str = "", answer: CarrierProbe | None = None) -> ResponseReturnValue:
    rows = [_row(name) for name in exchange.carriers()]
    return page("carriers", rows=rows, asked=asked, answer=answer, **_words())


def _words() -> dict[str, object]:
    return {"states": STATES, "reasons": REASONS, "features": FEATURES}


@blueprint.get("/carriers")
@requires("operator")
def carriers() -> ResponseReturnValue:
    """Show the carriers, first priority first."""
    return _show()


@blueprint.get("/carriers/<name>/standing")
@requires("operator")
def standing(name: str) -> ResponseReturnValue:
    """Show how a carrier stands now: what the page fetches again every few seconds."""
    return page("_standing", standing=_standing(_known(name)), **_words())


@blueprint.post("/carriers/<name>/probe")
@requires("operator")
def probe(name: str) -> ResponseReturnValue:
    """Ask a carrier whether it knows us; nothing is sent, and what it says is kept like every other probe."""
    return _show(name, probing.probe(_known(name)))


@blueprint.post("/carriers/<name>/pause")
@requires("operator")
def pause(name: str) -> ResponseReturnValue:
    """Give a carrier nothing more until it is resumed."""
    health.pause(_known(name), current_user.id)
    return done(_("%(carrier)s is paused.", carrier=name), "settings.carriers", f"carrier-{name}")


@blueprint.post("/carriers/<name>/resume")
@requires("operator")
def resume(name: str) -> ResponseReturnValue:
    """Let a paused carrier have messages again."""
    health.resume(_known(name), current_user.id)
    return done(_("%(carrier)s takes messages again.", carrier=name), "settings.carriers", f"carrier-{name}")


blueprint.add_app_template_filter(carrier_words.in_words, "carrier_words")


@blueprint.app_template_filter("percent")
def percent(share: float | None) -> str:
    """Return a share in per cent with two digits at most, cut off: 99.999 is not yet 100."""
    if share is None:
        return "–"
    return format_decimal(int(share * 100) / 100, "0.##", locale=get_locale()) + "\u00a0%"


@blueprint.app_template_filter("seconds")
def seconds(value: float) -> str:
    """Return a duration as people read it: 85 ms, 2.4 s."""
    if value < 1:
        return f"{round(value * 1000)}\u00a0ms"
    return format_decimal(value, "0.0", locale=get_locale()) + "\u00a0s"


@blueprint.app_template_filter("whole_day")
def whole_day(day: datetime) -> str:
    """Return a day with its month: 4 November."""
    return format_date(day, "d. MMMM" if get_locale().language == "de" else "d MMMM", locale=get_locale())


@blueprint.app_template_global()
def carriers_take_nothing() -> str:
    """Return why nothing goes out at the moment: "paused" where people have decided so, "down" else; "" where all is well."""
    closed, there = health.closed(), set(exchange.carriers())
    if not there or not closed.issuperset(there):
        return ""
    states = {health.standings()[name].state for name in there}
    return "paused" if states == {"paused"} else "down"
