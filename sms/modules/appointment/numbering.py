"""Where in a calendar's events the phone number stands: a rule that an account chooses, sees and tries."""

from sms.models import Account
from sms.modules.appointment.found import NumberRule, number_in
from sms.modules.appointment.ics import PARTS
from sms.modules.appointment.models import NumberPlace
from sms.refusal import Refused

LONGEST_WORD = 30


def of(account: Account) -> NumberRule:
    """Return the account's rule, or the usual one: any text of the event, the first number that can be reached."""
    row = NumberPlace.get_or_none(NumberPlace.account == account)
    return NumberRule() if row is None else NumberRule(row.part, row.word)


def checked(part: str, word: str) -> NumberRule:
    """Return a rule as it is chosen; raises Refused at `part` or `word`."""
    if part not in PARTS:
        raise Refused("part", "unknown_choice")
    word = " ".join(word.split())
    if len(word) > LONGEST_WORD:
        raise Refused("word", "too_long", limit=LONGEST_WORD)
    return NumberRule(part, word)


def save(account: Account, rule: NumberRule) -> None:
    """Keep an account's rule; what is read from now on follows it."""
    NumberPlace.insert(account=account, part=rule.part, word=rule.word).on_conflict(
        conflict_target=[NumberPlace.account],
        update={NumberPlace.part: rule.part, NumberPlace.word: rule.word},
    ).execute()


def tried(account: Account, rule: NumberRule, sample: str) -> str | None:
    """Return the number (E.164) that a rule finds in a sample text, whatever part of an event it is."""
    return number_in([sample], account.region, rule.word)[0]
