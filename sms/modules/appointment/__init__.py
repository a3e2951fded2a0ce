"""Appointments and their reminders: the right time, the right words, and the answer does something."""

from sms.modules import Module, NavEntry
from sms.modules.appointment import answers, demo, occasions, reminding, wording


def _tick() -> None:
    reminding.tick()
    occasions.tick()


module = Module(
    name="appointment",
    on_reply=answers.on_reply,
    on_opt_out=answers.on_opt_out,
    on_erase=answers.on_erase,
    tick=_tick,
    demo=demo.prepare,
    sentences=wording.SENTENCES,
    events=wording.EVENTS,
    occasions=occasions.KINDS,
    nav=NavEntry("appointment.show", "calendar-days", "Appointments"),
    order=30,
)
