"""After a change of the rules: the reminders of everything ahead are planned anew, a stretch at a time."""

from datetime import timedelta

from sms import statements
from sms.clock import now
from sms.db import database, is_sqlite, to_ms
from sms.modules.appointment import planning
from sms.modules.appointment.models import REMINDED, Appointment, Scheme

AT_ONCE = 100
SETTLES_AFTER = timedelta(minutes=2)
"""Longer than any transaction is open, so nobody stores what older rules have planned after that."""


def unsettled():  # type: ignore[no-untyped-def]
    """Rules by which not everything is known to be planned: once it is, nobody looks through the appointments."""
    return Scheme.select().where(Scheme.active, Scheme.settled != Scheme.version).order_by(Scheme.id)


class Pass:
    """One way through the appointments of every account whose rules have changed, in the order of their ids."""

    def __init__(self) -> None:
        self._began = now()
        self._left: list[Scheme] = list(unsettled())
        self._after = 0

    def some(self) -> int:
        """Plan a stretch anew in a transaction; returns how many, 0 once nothing is left."""
        while self._left:
            if few := self._stretch(self._left[0].account_id):
                return few
            self._settle(self._left.pop(0))
            self._after = 0
        return 0

    def _stretch(self, account_id: int) -> int:
        with database.atomic():
            scheme = planning.scheme_for(account_id)
            few = [] if scheme is None else _outdated(scheme, self._after)
            planning.replan(few, scheme)
        self._after = few[-1].id if few else self._after
        return len(few)

    def _settle(self, scheme: Scheme) -> None:
        """Note that everything is planned by these rules, unless somebody may still store what older ones have planned."""
        if scheme.updated_at < self._began - SETTLES_AFTER:
            Scheme.update(settled=scheme.version).where(
                Scheme.id == scheme.id, Scheme.version == scheme.version
            ).execute()


def _outdated(scheme: Scheme, after: int) -> list[Appointment]:
    """Return appointments ahead, behind an id, that an older version has planned; nobody else changes them meanwhile."""
    states = ", ".join("?" * len(REMINDED))
    # The plus keeps both databases from an index by account, whose order would be another one.
    sql = (
        f"SELECT id FROM appointment WHERE id > ? AND +account_id = ? AND planned_by <> ? AND start > ?"
        f" AND state IN ({states}) ORDER BY id LIMIT {AT_ONCE}"
    )
    rows = statements.run(sql, after, scheme.account_id, scheme.version, to_ms(now()), *REMINDED)
    ids = [row[0] for row in rows.fetchall()]
    found = Appointment.select().where(Appointment.id.in_(ids or [0])).order_by(Appointment.id)
    return list(found if is_sqlite() else found.for_update())
