"""Surveys by text message: set up in minutes, asked one question at a time, answers understood as people write them."""

from sms.modules import Module, NavEntry
from sms.modules.survey import answering, asking, demo, standing, wording

module = Module(
    name="survey",
    on_reply=answering.on_reply,
    on_incoming=answering.on_incoming,
    on_opt_out=answering.on_opt_out,
    on_report=answering.on_report,
    on_sent_by_person=answering.on_sent_by_person,
    on_occasion=answering.on_occasion,
    on_erase=answering.on_erase,
    banners=standing.banners,
    tick=asking.tick,
    demo=demo.prepare,
    sentences=wording.SENTENCES,
    events=wording.EVENTS,
    nav=NavEntry("survey.index", "list-checks", "Surveys"),
    order=40,
)
