"""A survey as its owner handles it: made, saved as one types, frozen, paused, resumed, ended."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from peewee import IntegrityError

from sms import exchange, routing
from sms.clock import now
from sms.db import database
from sms.models import Account, log_change
from sms.modules.survey import checking, flow
from sms.modules.survey.flow import Flow
from sms.modules.survey.models import Survey, Version
from sms.refusal import Conflict, NotFound, Refused
from sms.understanding import optout

LONGEST_NAME, LONGEST_KEYWORD, LARGEST_DRAFT = 100, 30, 400_000
LARGEST_QUOTA = 1_000_000
MOST_DAYS = 365


class Unfinished(Refused):
    """A survey that cannot start yet: `problems` says what is wrong with each question."""

    def __init__(self, problems: list[checking.Problem]) -> None:
        first = problems[0]
        field = f"questions.{first.question}.{first.field}" if first.question else first.field
        super().__init__(field, first.code, **first.params)
        self.problems = problems


def of(account: Account | int, survey_id: int) -> Survey:
    """Return a survey of this account; raises NotFound, also for another account's."""
    survey = Survey.get_or_none(Survey.id == survey_id, Survey.account == account)
    if survey is None:
        raise NotFound
    return survey  # type: ignore[no-any-return]


def listing(account: Account) -> list[Survey]:
    """Return the account's surveys, newest first."""
    return list(Survey.select().where(Survey.account == account).order_by(Survey.id.desc()))


def create(account: Account, name: str, draft: Mapping[str, Any] | None = None) -> Survey:
    """Make a survey; raises Refused for a name that cannot be kept."""
    moment = now()
    with database.atomic():
        survey = Survey.create(
            account=account, name=_name(name), draft=_kept(draft or {}), created_at=moment, updated_at=moment
        )
        changed(survey)
    return survey


def copy(survey: Survey, name: str) -> Survey:
    """Make a new survey with the same questions and settings; a keyword belongs to one survey only."""
    made = create(survey.account, name, survey.draft)
    return save(made, sender=survey.sender, quota=survey.quota, trigger=survey.trigger)


def save(survey: Survey, **changes: Any) -> Survey:
    """Keep what an owner has typed: name, sender, draft, keyword, trigger, quota, ends_at; raises Refused at the field.

    A draft may be unfinished; a running survey goes on with the version that was frozen.
    """
    values = {name: _CHECKS[name](survey, value) for name, value in changes.items()}
    values["updated_at"] = now()
    try:
        with database.atomic():
            Survey.update(**values).where(Survey.id == survey.id).execute()
            changed(survey)
    except IntegrityError:
        raise Refused("keyword", "keyword_taken") from None
    for name, value in values.items():
        setattr(survey, name, value)
    return survey


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused("name", "empty")
    if len(name) > LONGEST_NAME:
        raise Refused("name", "too_long", limit=LONGEST_NAME)
    if any(ord(c) < 32 or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        raise Refused("name", "control_character")
    return name


def _kept(draft: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft as it is stored: what `flow.read` makes of it, so that nothing foreign is kept."""
    made = flow.dump(flow.read(draft))
    if len(json.dumps(made)) > LARGEST_DRAFT:
        raise Refused("questions", "too_long", limit=LARGEST_DRAFT)
    return made


def check_sender(account: Account, sender: str) -> str:
    """Return a sender (E.164, nothing for the pool) to which people can reply; raises Refused at `sender`."""
    if not sender.strip():
        return ""
    found = routing.classify(account, sender)
    if found.error:
        raise Refused("sender", f"sender_{found.error}", suggestion=found.suggestion)
    if found.kind != "pool" and found.kind != "virtual":
        raise Refused("sender", "sender_without_replies")
    return found.value or ""


def _keyword(word: str) -> str:
    folded = optout.normalised(word)
    if not word.strip():
        return ""
    if len(folded) < 2 or len(folded) > LONGEST_KEYWORD or optout.wish(word) != "none":
        raise Refused("keyword", "bad_keyword", limit=LONGEST_KEYWORD)
    return folded


def _trigger(trigger: Any) -> dict[str, Any] | None:
    """Check {event, days, time}: the event's name, whole days after it, and a time of day or nothing for at once."""
    if not trigger:
        return None
    event, days, time = (trigger.get(name) for name in ("event", "days", "time"))
    if not isinstance(event, str) or not 0 < len(event) <= 40:
        raise Refused("trigger", "unknown_event")
    if not isinstance(days, int) or not 0 <= days <= MOST_DAYS:
        raise Refused("trigger_days", "bad_number", least=0, most=MOST_DAYS)
    try:
        clock = datetime.strptime(time, "%H:%M").strftime("%H:%M") if time else ""
    except (ValueError, TypeError):
        raise Refused("trigger_time", "bad_clock") from None
    return {"event": event, "days": days, "time": clock}


def _quota(quota: Any) -> int:
    if not isinstance(quota, int) or not 0 <= quota <= LARGEST_QUOTA:
        raise Refused("quota", "bad_number", least=0, most=LARGEST_QUOTA)
    return quota


def _ends_at(moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= now():
        raise Refused("ends_at", "in_the_past")
    return moment


_CHECKS = {
    "name": lambda survey, value: _name(value),
    "sender": lambda survey, value: check_sender(survey.account, value),
    "draft": lambda survey, value: _kept(value),
    "keyword": lambda survey, value: _keyword(value),
    "trigger": lambda survey, value: _trigger(value),
    "quota": lambda survey, value: _quota(value),
    "ends_at": lambda survey, value: _ends_at(value),
}


def demand_startable(survey: Survey) -> Flow:
    """Return the draft's flow; raises Unfinished with everything that is wrong, Refused where nobody could reply."""
    draft = flow.read(survey.draft)
    if found := checking.problems(draft):
        raise Unfinished(found)
    check_sender(survey.account, survey.sender)
    if not survey.sender and not any(n.pool and n.sms for n in exchange.numbers()):
        raise Refused("sender", "no_number")
    return draft


def freeze(survey: Survey) -> Version:
    """Return the version of the present draft, made where it differs from all before; inside the caller's transaction."""
    made = flow.dump(flow.read(survey.draft))
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    same = Version.get_or_none(Version.survey == survey, Version.digest == digest)
    if same is not None:
        return same  # type: ignore[no-any-return]
    number = Version.select().where(Version.survey == survey).count() + 1
    return Version.create(  # type: ignore[no-any-return]
        survey=survey, number=number, flow=made, digest=digest, created_at=now()
    )


def set_state(survey: Survey, state: str, before: tuple[str, ...], **values: Any) -> None:
    """Move a survey from one of `before` to a state, inside the caller's transaction; else Conflict."""
    where = (Survey.id == survey.id) & Survey.state.in_(before)
    if not Survey.update(state=state, **values).where(where).execute():
        raise Conflict("survey_state", state=Survey.get_by_id(survey.id).state)
    survey.state = state
    for name, value in values.items():
        setattr(survey, name, value)
    changed(survey)


def changed(survey: Survey | int, account: int | None = None) -> None:
    """Tell open pages that something about a survey is new, inside the caller's transaction; `message` is its id."""
    if isinstance(survey, Survey):
        log_change(survey.account_id, "survey", message=survey.id)
    else:
        assert account is not None
        log_change(account, "survey", message=survey)
