"""The carriers of the installation, for its operator: what they are, and whether they know us."""

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from sms import exchange
from sms.carriers.contract import Outcome, OutcomeKind
from sms.refusal import NotFound
from sms.views.gate import requires
from sms.views.settings.frame import blueprint, page


def _show(asked: str = "", outcome: Outcome | None = None) -> ResponseReturnValue:
    current = exchange.current()
    rows = [
        (config, carrier, [n for n in current.numbers if n.carrier == name])
        for name, carrier in current.carriers.items()
        if (config := current.configs[name])
    ]
    well = outcome is not None and outcome.kind is OutcomeKind.accepted
    return page("carriers", rows=rows, asked=asked, outcome=outcome, well=well, words=_words(outcome))


def _words(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    if outcome.kind is OutcomeKind.accepted:
        return _("knows us and answers")
    if outcome.kind is OutcomeKind.auth:
        return _("refuses our credentials")
    return _("does not answer as it should")


@blueprint.get("/carriers")
@requires("operator")
def carriers() -> ResponseReturnValue:
    """Show the carriers, first priority first."""
    return _show()


@blueprint.post("/carriers/<name>/probe")
@requires("operator")
def probe(name: str) -> ResponseReturnValue:
    """Ask a carrier whether it knows us; nothing is sent."""
    carrier = exchange.carrier(name)
    if carrier is None:
        raise NotFound
    return _show(name, carrier.probe())
