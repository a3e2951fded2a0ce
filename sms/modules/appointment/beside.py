"""What stands beside a thread: the person's next appointment, where it stands, and why nobody is reminded of it."""

from collections.abc import Sequence

from sms import i18n
from sms.clock import now
from sms.models import Account, Conversation
from sms.modules import Panel
from sms.modules.appointment import agenda, marks
from sms.modules.appointment.models import Appointment
from sms.modules.appointment.wording import N_

NEXT, WITH, HOW_LONG = N_("Next appointment"), N_("%(what)s with %(who)s"), N_("%(what)s, %(n)s min.")


def panels(conversation: Conversation, numbers: Sequence[str]) -> list[Panel]:
    """Return the next appointment of these numbers (E.164) that nobody has called off; nothing where there is none."""
    account: Account = conversation.account
    found = _next(account, numbers)
    if found is None:
        return []
    row = agenda.rows_of(account, [found])[0]
    standing = row.standing
    return [
        Panel(
            title=NEXT,
            at=found.start,
            zone=found.zone,
            line=_line(row),
            mark=marks.MARKS[standing.kind],
            why=marks.why_not(standing.reason) if standing.kind == "not_reminded" else "",
            href=f"/appointments/{found.id}",
        )
    ]


def _next(account: Account, numbers: Sequence[str]) -> Appointment | None:
    coming = Appointment.select().where(
        Appointment.account == account,
        Appointment.number.in_(list(numbers) or ["-"]),
        Appointment.start > now(),
        Appointment.state.not_in(agenda.OVER),
    )
    return coming.order_by(Appointment.start, Appointment.id).first()  # type: ignore[no-any-return]


def _line(row: agenda.Row) -> str:
    what = row.appointment.title
    if row.minutes:
        what = (
            i18n.gettext(HOW_LONG, what=what, n=row.minutes)
            if what
            else i18n.gettext(N_("%(n)s min."), n=row.minutes)
        )
    who = (row.appointment.fields or {}).get("Behandler")
    return i18n.gettext(WITH, what=what, who=who) if who and what else what
