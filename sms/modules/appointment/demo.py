"""The appointments of the demo: a rule that reminds the day before, and two days of a practice's diary."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sms import wallclock
from sms.models import Account
from sms.modules.appointment import answers, diary, schemes
from sms.modules.appointment.found import Found
from sms.modules.appointment.models import Reminder, Scheme

RULES = [
    {"key": "r1", "before": "P3D", "at": "10:00", "channel": "sms", "when": "open"},
    {"key": "r2", "before": "P1D", "at": "16:00", "channel": "sms", "when": "open"},
    {"key": "r3", "before": "PT2H", "at": "", "channel": "sms", "when": "always"},
]
DIARY = (
    # days from today, hour, minutes, number, name, what, with whom, state
    (0, "08:00", 30, "+491713920025", "", "Kontrolle", "Dr. Lindner", "confirmed"),
    (0, "09:45", 60, "+491713920071", "", "Kinder, 2 Kontrollen", "Miriam Aydın", "confirmed"),
    (0, "13:00", 30, "+491713920095", "Bogdan Popescu", "Beratung Implantat", "Dr. Lindner", "declined"),
    (0, "16:30", 30, "+491713920081", "", "Nachsorge", "Dr. Hahn", "open"),
    (1, "08:00", 30, "+491713920029", "", "Prophylaxe", "Miriam Aydın", "confirmed"),
    (1, "08:30", 45, "+493023125640", "", "Prothese anpassen", "Dr. Lindner", "open"),
    (1, "09:15", 30, "+491713920033", "", "Füllung 36", "Dr. Hahn", "open"),
    (1, "14:15", 30, "+491713920042", "", "Kontrolle", "Miriam Aydın", "wants_to_move"),
    (1, "15:30", 30, "+491713920096", "Jannik Ostermann", "Kontrolle", "Dr. Hahn", "open"),
    (4, "10:00", 30, "+491713920051", "", "Krone einsetzen", "Dr. Lindner", "open"),
    (7, "11:00", 45, "+491713920037", "", "Prophylaxe", "Miriam Aydın", "open"),
)
"""Numbers without a name belong to people of the demo's story."""


def prepare(account: Account) -> None:
    """Put a reminder rule and a practice's diary into the demo account, once."""
    if Scheme.select().where(Scheme.account == account).exists():
        return
    schemes.create(account, RULES)
    # The story is played on a clock that goes through last week; the diary is that of the days to come.
    moment = datetime.now(UTC)
    today = moment.astimezone(ZoneInfo(account.zone)).date()
    for n, line in enumerate(DIARY, 1):
        _put(account, f"demo-{n}", today, *line)
    Reminder.update(state="skipped", reason="too_late", done_at=moment).where(
        Reminder.state == "planned", Reminder.at < moment
    ).execute()


def _put(
    account: Account, reference: str, today: date, days: int, hour: str, minutes: int, number: str, name: str,
    title: str, doctor: str, state: str,
) -> None:  # fmt: skip
    zone = ZoneInfo(account.zone)
    start = wallclock.existing(datetime.combine(today + timedelta(days=days), time.fromisoformat(hour)), zone)
    fields = {"Behandler": doctor} | ({"name": name} if name else {})
    end = start + timedelta(minutes=minutes)
    appointment = diary.put(
        account, Found(reference, start, zone, number, title, end, fields=fields), "form"
    )[0]
    if state != "open":
        answers.set_state(appointment, state, "agent", None)
