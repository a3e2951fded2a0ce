"""Appointments and their reminders: the right time, the right words, and the answer does something."""

from sms.models import Account
from sms.modules import Module, NavEntry
from sms.modules.appointment import (
    answers,
    beside,
    claiming,
    demo,
    following,
    occasions,
    phoning,
    reminding,
    subscribing,
    waiting,
    wording,
)


def _on_hours(account: Account) -> None:
    following.look_again(account)
    waiting.look_at_put_off(account)


def _tick() -> None:
    reminding.tick()
    occasions.tick()
    waiting.tick()
    subscribing.tick()


module = Module(
    name="appointment",
    on_reply=claiming.on_reply,
    on_report=phoning.on_report,
    menu=phoning.menu,
    on_key=phoning.on_key,
    still_right=phoning.still_right,
    on_opt_out=answers.on_opt_out,
    on_hours=_on_hours,
    on_erase=answers.on_erase,
    panels=beside.panels,
    tick=_tick,
    demo=demo.prepare,
    sentences=wording.SENTENCES,
    events=wording.EVENTS,
    occasions=occasions.KINDS,
    nav=NavEntry("appointment.show", "calendar-days", "Appointments"),
    order=30,
)
