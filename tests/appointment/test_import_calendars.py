"""Calendars as Outlook, Google, Apple and others write them: every start worked out by hand, sent over HTTP.

A case is (lines before the events, the events, what comes of them); "x" marks a cancelled one. Times are UTC; Berlin is
an hour ahead of it in winter and two in summer, the clock goes forward on 29 March and back on 25 October 2026.
"""

import pytest

BERLIN = "Europe/Berlin"
OUTLOOK = """BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""
OWN_NAME = OUTLOOK.replace("W. Europe Standard Time", "(UTC+01:00) Amsterdam\\, Berlin\\, Bern")
CUSTOMIZED = OUTLOOK.replace("W. Europe Standard Time", "Customized Time Zone")
MISNAMED = OUTLOOK.replace(
    "TZID:W. Europe Standard Time", "TZID:/freeassociation.sourceforge.net/Europe/Berlin"
)
FIXED = """BEGIN:VTIMEZONE
TZID:Plus Three
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0300
END:STANDARD
END:VTIMEZONE
"""
S = "UID:s\nDTSTART;TZID=Europe/Berlin:20260326T090000\nDTEND;TZID=Europe/Berlin:20260326T093000\n"
AUTUMN = "UID:s\nDTSTART;TZID=Europe/Berlin:20261023T090000\n"

CASES: dict[str, tuple[str, list[str], list[str]]] = {
    # Zones, as each producer names them.
    "outlook with its own table of the zone": (OUTLOOK, ["UID:1\nDTSTART;TZID=W. Europe Standard Time:20260330T090000"], ["03-30 07:00"]),
    "outlook in winter": (OUTLOOK, ["UID:1\nDTSTART;TZID=W. Europe Standard Time:20260202T090000"], ["02-02 08:00"]),
    "outlook's name in quotes": (OUTLOOK, ['UID:1\nDTSTART;TZID="W. Europe Standard Time":20260330T090000'], ["03-30 07:00"]),
    "exchange's long name with commas": (OWN_NAME, ['UID:1\nDTSTART;TZID="(UTC+01:00) Amsterdam, Berlin, Bern":20260330T090000'], ["03-30 07:00"]),
    "a customised zone": (CUSTOMIZED, ["UID:1\nDTSTART;TZID=Customized Time Zone:20260330T090000"], ["03-30 07:00"]),
    "a zone with a path before its name": (MISNAMED, ["UID:1\nDTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260330T090000"], ["03-30 07:00"]),
    "a zone of a fixed offset": (FIXED, ["UID:1\nDTSTART;TZID=Plus Three:20260330T090000"], ["03-30 06:00"]),
    "a windows zone without its table": ("", ["UID:1\nDTSTART;TZID=Pacific Standard Time:20260330T090000"], ["03-30 16:00"]),
    "a name in quotes": ("", ['UID:1\nDTSTART;TZID="Europe/Berlin":20260330T090000'], ["03-30 07:00"]),
    "the kind of value named as well": ("", ["UID:1\nDTSTART;VALUE=DATE-TIME;TZID=Europe/Berlin:20260330T090000"], ["03-30 07:00"]),
    "parameters in small letters": ("", ["UID:1\ndtstart;tzid=Europe/Berlin:20260330T090000"], ["03-30 07:00"]),
    "utc": ("", ["UID:1\nDTSTART:20260330T070000Z"], ["03-30 07:00"]),
    "utc with a zone beside it is utc": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260330T070000Z"], ["03-30 07:00"]),
    "the zone called utc": ("", ["UID:1\nDTSTART;TZID=UTC:20260330T070000"], ["03-30 07:00"]),
    "floating means the zone that is asked for": ("", ["UID:1\nDTSTART:20260330T090000"], ["03-30 07:00"]),
    "floating in a series over the clock change": ("", ["UID:1\nDTSTART:20260328T090000\nRRULE:FREQ=DAILY;COUNT=3"], ["03-28 08:00", "03-29 07:00", "03-30 07:00"]),
    "all day is midnight": ("", ["UID:1\nDTSTART;VALUE=DATE:20260330\nDTEND;VALUE=DATE:20260331"], ["03-29 22:00"]),
    "all day without saying so": ("", ["UID:1\nDTSTART:20260330"], ["03-29 22:00"]),
    "all day every week over the clock change": ("", ["UID:1\nDTSTART;VALUE=DATE:20260326\nRRULE:FREQ=WEEKLY;COUNT=2"], ["03-25 23:00", "04-01 22:00"]),
    "google's zone of the calendar beside utc": ("X-WR-TIMEZONE:Europe/Berlin\n", ["UID:1\nDTSTART:20260330T070000Z"], ["03-30 07:00"]),
    "google's series in utc with a zone of the calendar": ("X-WR-TIMEZONE:Europe/Berlin\n", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260328T090000\nRRULE:FREQ=DAILY;COUNT=2"], ["03-28 08:00", "03-29 07:00"]),
    "floating in a calendar with a zone of its own": ("X-WR-TIMEZONE:America/New_York\n", ["UID:1\nDTSTART:20260330T090000"], ["03-30 13:00"]),
    "a calendar with a zone that nobody knows": ("X-WR-TIMEZONE:Mars/Base\n", ["UID:1\nDTSTART:20260330T090000"], ["03-30 07:00"]),
    "this and all later ones, over the clock change and back to the zone": (OUTLOOK, ["UID:s\nDTSTART;TZID=W. Europe Standard Time:20260320T090000\nRRULE:FREQ=WEEKLY;COUNT=3", "UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=W. Europe Standard Time:20260327T090000\nDTSTART;TZID=W. Europe Standard Time:20260327T100000"], ["03-20 08:00", "03-27 09:00", "04-03 08:00"]),
    "a quarter of an hour beside the others": ("", ["UID:1\nDTSTART;TZID=Asia/Kathmandu:20260330T090000"], ["03-30 03:15"]),
    "lord howe's half hour, before": ("", ["UID:1\nDTSTART;TZID=Australia/Lord_Howe:20260404T090000"], ["04-03 22:00"]),
    "lord howe's half hour, after": ("", ["UID:1\nDTSTART;TZID=Australia/Lord_Howe:20260406T090000"], ["04-05 22:30"]),
    "lord howe's hour that comes twice means the first": ("", ["UID:1\nDTSTART;TZID=Australia/Lord_Howe:20260405T014500"], ["04-04 14:45"]),
    "lord howe in a series": ("", ["UID:1\nDTSTART;TZID=Australia/Lord_Howe:20260404T090000\nRRULE:FREQ=DAILY;COUNT=3"], ["04-03 22:00", "04-04 22:30", "04-05 22:30"]),
    # Clock changes.
    "the hour that does not exist": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260329T023000"], ["03-29 01:30"]),
    "the hour that comes twice means the first": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20261025T023000"], ["10-25 00:30"]),
    "the hour that comes twice in outlook's table": (OUTLOOK, ["UID:1\nDTSTART;TZID=W. Europe Standard Time:20261025T023000"], ["10-25 00:30"]),
    "a series into the hour that does not exist": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260328T023000\nRRULE:FREQ=DAILY;COUNT=3"], ["03-28 01:30", "03-29 01:30", "03-30 00:30"]),
    "a series into the hour that comes twice": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20261024T023000\nRRULE:FREQ=DAILY;COUNT=3"], ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
    "weekly over the spring change": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260324T140000\nRRULE:FREQ=WEEKLY;COUNT=2"], ["03-24 13:00", "03-31 12:00"]),
    "weekly over the autumn change": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20261020T140000\nRRULE:FREQ=WEEKLY;COUNT=2"], ["10-20 12:00", "10-27 13:00"]),
    "weekly over the spring change in outlook's table": (OUTLOOK, ["UID:1\nDTSTART;TZID=W. Europe Standard Time:20260324T140000\nRRULE:FREQ=WEEKLY;COUNT=2"], ["03-24 13:00", "03-31 12:00"]),
    "weekly over the american change": ("", ["UID:1\nDTSTART;TZID=America/New_York:20260302T090000\nRRULE:FREQ=WEEKLY;COUNT=2"], ["03-02 14:00", "03-09 13:00"]),
    "a series in utc stays in utc": ("", ["UID:1\nDTSTART:20260328T080000Z\nRRULE:FREQ=DAILY;COUNT=3"], ["03-28 08:00", "03-29 08:00", "03-30 08:00"]),
    # Rules.
    "until in utc is the last itself": ("", [S + "RRULE:FREQ=DAILY;UNTIL=20260328T080000Z"], ["03-26 08:00", "03-27 08:00", "03-28 08:00"]),
    "until in utc a minute before the last": ("", [S + "RRULE:FREQ=DAILY;UNTIL=20260328T075900Z"], ["03-26 08:00", "03-27 08:00"]),
    "until in utc after the clock change": ("", [S + "RRULE:FREQ=DAILY;UNTIL=20260330T070000Z"], ["03-26 08:00", "03-27 08:00", "03-28 08:00", "03-29 07:00", "03-30 07:00"]),
    "until as a day": ("", [S + "RRULE:FREQ=DAILY;UNTIL=20260328"], ["03-26 08:00", "03-27 08:00", "03-28 08:00"]),
    "until as the wall clock": ("", [S + "RRULE:FREQ=DAILY;UNTIL=20260328T090000"], ["03-26 08:00", "03-27 08:00", "03-28 08:00"]),
    "until for all-day ones": ("", ["UID:1\nDTSTART;VALUE=DATE:20260326\nRRULE:FREQ=DAILY;UNTIL=20260328"], ["03-25 23:00", "03-26 23:00", "03-27 23:00"]),
    "count of one": ("", [S + "RRULE:FREQ=DAILY;COUNT=1"], ["03-26 08:00"]),
    "count counts what is left out": ("", [S + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=Europe/Berlin:20260326T090000"], ["03-27 08:00", "03-28 08:00"]),
    "every third day": ("", [S + "RRULE:FREQ=DAILY;INTERVAL=3;COUNT=3"], ["03-26 08:00", "03-29 07:00", "04-01 07:00"]),
    "weekdays only": ("", [S + "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;COUNT=4"], ["03-26 08:00", "03-27 08:00", "03-30 07:00", "03-31 07:00"]),
    "a fortnight whose week begins on sunday": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260303T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=4"], ["03-03 08:00", "03-15 08:00", "03-17 08:00", "03-29 07:00"]),
    "a fortnight whose week begins on monday": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260303T090000\nRRULE:FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU;COUNT=4"], ["03-03 08:00", "03-08 08:00", "03-17 08:00", "03-22 08:00"]),
    "the last weekday of the month": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260130T090000\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3"], ["01-30 08:00", "02-27 08:00", "03-31 07:00"]),
    "the second tuesday": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260210T090000\nRRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=3"], ["02-10 08:00", "03-10 08:00", "04-14 07:00"]),
    "the last friday": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260227T090000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"], ["02-27 08:00", "03-27 08:00", "04-24 07:00"]),
    "the 31st where there is one": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260131T090000\nRRULE:FREQ=MONTHLY;COUNT=3"], ["01-31 08:00", "03-31 07:00", "05-31 07:00"]),
    "once a year": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20240330T090000\nRRULE:FREQ=YEARLY;COUNT=3"], ["03-30 07:00"]),
    "twice a day": ("", [S + "RRULE:FREQ=DAILY;BYHOUR=9,15;COUNT=4"], ["03-26 08:00", "03-26 14:00", "03-27 08:00", "03-27 14:00"]),
    "months named": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260310T090000\nRRULE:FREQ=MONTHLY;BYMONTH=3,6;BYMONTHDAY=10;COUNT=2"], ["03-10 08:00", "06-10 07:00"]),
    "a rule with a full stop to it": ("", [S + "RRULE:FREQ=DAILY;COUNT=2;"], ["03-26 08:00", "03-27 08:00"]),
    # More and fewer dates.
    "a date that is left out, by day": ("", [S + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260327"], ["03-26 08:00", "03-28 08:00"]),
    "left out in utc": ("", [S + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260327T080000Z"], ["03-26 08:00", "03-28 08:00"]),
    "left out without a zone": ("", [S + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260327T090000"], ["03-26 08:00", "03-28 08:00"]),
    "left out in another zone": ("", [S + "RRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=America/New_York:20260327T040000"], ["03-26 08:00", "03-28 08:00"]),
    "several left out on one line": ("", [S + "RRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20260326T090000,20260328T090000"], ["03-27 08:00", "03-29 07:00"]),
    "several left out on lines of their own": ("", [S + "RRULE:FREQ=DAILY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20260326T090000\nEXDATE;TZID=Europe/Berlin:20260328T090000"], ["03-27 08:00", "03-29 07:00"]),
    "left out by outlook's table": (OUTLOOK, ["UID:s\nDTSTART;TZID=W. Europe Standard Time:20260326T090000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;TZID=W. Europe Standard Time:20260327T090000"], ["03-26 08:00", "03-28 08:00"]),
    "left out by outlook's table in utc": (OUTLOOK, ["UID:s\nDTSTART;TZID=W. Europe Standard Time:20260326T090000\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260327T080000Z"], ["03-26 08:00", "03-28 08:00"]),
    "one that is left out and was none": ("", [S + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE;TZID=Europe/Berlin:20260327T100000"], ["03-26 08:00", "03-27 08:00"]),
    "more dates": ("", [S + "RDATE;TZID=Europe/Berlin:20260402T100000,20260403T100000"], ["03-26 08:00", "04-02 08:00", "04-03 08:00"]),
    "more dates in utc": ("", [S + "RDATE:20260402T080000Z"], ["03-26 08:00", "04-02 08:00"]),
    "a date more that the rule has already": ("", [S + "RRULE:FREQ=DAILY;COUNT=2\nRDATE;TZID=Europe/Berlin:20260327T090000"], ["03-26 08:00", "03-27 08:00"]),
    "more dates as periods": ("", [S + "RDATE;VALUE=PERIOD:20260402T080000Z/PT1H"], ["03-26 08:00", "04-02 08:00"]),
    "more all-day dates": ("", ["UID:1\nDTSTART;VALUE=DATE:20260326\nRDATE;VALUE=DATE:20260402"], ["03-25 23:00", "04-01 22:00"]),
    "of two times a day one is left out": ("", [S + "RRULE:FREQ=DAILY;BYHOUR=9,10,11;COUNT=3\nEXDATE;TZID=Europe/Berlin:20260326T100000"], ["03-26 08:00", "03-26 10:00"]),
    "of two times a day in summer one is left out": ("", ["UID:s\nDTSTART;TZID=Europe/Berlin:20260626T090000\nRRULE:FREQ=DAILY;BYHOUR=9,11;COUNT=2\nEXDATE;TZID=Europe/Berlin:20260626T110000"], ["06-26 07:00"]),
    "of two times a day one is moved": ("", [S + "RRULE:FREQ=DAILY;BYHOUR=9,10;COUNT=2", "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260326T100000\nDTSTART;TZID=Europe/Berlin:20260326T160000"], ["03-26 08:00", "03-26 15:00"]),
    # Single ones of a series.
    "one moved": ("", [S + "RRULE:FREQ=DAILY;COUNT=3", "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000"], ["03-26 08:00", "03-27 14:00", "03-28 08:00"]),
    "one moved, named in utc": ("", [S + "RRULE:FREQ=DAILY;COUNT=3", "UID:s\nRECURRENCE-ID:20260327T080000Z\nDTSTART;TZID=Europe/Berlin:20260327T150000"], ["03-26 08:00", "03-27 14:00", "03-28 08:00"]),
    "one moved in outlook's table": (OUTLOOK, ["UID:s\nDTSTART;TZID=W. Europe Standard Time:20260326T090000\nRRULE:FREQ=DAILY;COUNT=3", "UID:s\nRECURRENCE-ID;TZID=W. Europe Standard Time:20260327T090000\nDTSTART;TZID=W. Europe Standard Time:20260327T150000"], ["03-26 08:00", "03-27 14:00", "03-28 08:00"]),
    "one moved before its series in the file": ("", ["UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000", S + "RRULE:FREQ=DAILY;COUNT=3"], ["03-26 08:00", "03-27 14:00", "03-28 08:00"]),
    "one moved to another zone": ("", [S + "RRULE:FREQ=DAILY;COUNT=2", "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=America/New_York:20260327T090000"], ["03-26 08:00", "03-27 13:00"]),
    "one moved to the day of another": ("", [S + "RRULE:FREQ=DAILY;COUNT=2", "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260326T090000\nDTSTART;TZID=Europe/Berlin:20260327T090000"], ["03-27 08:00", "03-27 08:00"]),
    "one cancelled": ("", [S + "RRULE:FREQ=DAILY;COUNT=2", "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T090000\nSTATUS:CANCELLED"], ["03-26 08:00", "03-27 08:00 x"]),
    "one changed twice": ("", [S + "RRULE:FREQ=DAILY;COUNT=2", "UID:s\nSEQUENCE:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000", "UID:s\nSEQUENCE:2\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T160000"], ["03-26 08:00", "03-27 15:00"]),
    "this and all later ones": ("", [S + "RRULE:FREQ=DAILY;COUNT=4", "UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260328T090000\nDTSTART;TZID=Europe/Berlin:20260328T110000\nDTEND;TZID=Europe/Berlin:20260328T113000"], ["03-26 08:00", "03-27 08:00", "03-28 10:00", "03-29 09:00"]),
    "a single one of a series that is not in the file": ("", ["UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T150000"], ["03-27 14:00"]),
    "the whole series cancelled": ("", [S + "RRULE:FREQ=DAILY;COUNT=2\nSTATUS:CANCELLED"], ["03-26 08:00 x", "03-27 08:00 x"]),
    # Versions, states, kinds.
    "a message that cancels": ("METHOD:CANCEL\n", ["UID:1\nDTSTART:20260330T070000Z"], ["03-30 07:00 x"]),
    "a message that invites": ("METHOD:REQUEST\n", ["UID:1\nDTSTART:20260330T070000Z"], ["03-30 07:00"]),
    "cancelled in small letters": ("", ["UID:1\nDTSTART:20260330T070000Z\nSTATUS:cancelled"], ["03-30 07:00 x"]),
    "tentative takes place": ("", ["UID:1\nDTSTART:20260330T070000Z\nSTATUS:TENTATIVE"], ["03-30 07:00"]),
    "transparent takes place": ("", ["UID:1\nDTSTART:20260330T070000Z\nTRANSP:TRANSPARENT"], ["03-30 07:00"]),
    "of two versions the later, wherever it stands": ("", ["UID:1\nSEQUENCE:2\nDTSTART:20260331T070000Z", "UID:1\nSEQUENCE:0\nDTSTART:20260330T070000Z"], ["03-31 07:00"]),
    "cancelled by a later version": ("", ["UID:1\nSEQUENCE:0\nDTSTART:20260330T070000Z", "UID:1\nSEQUENCE:1\nDTSTART:20260330T070000Z\nSTATUS:CANCELLED"], ["03-30 07:00 x"]),
    "a duration": ("", ["UID:1\nDTSTART:20260330T070000Z\nDURATION:PT30M"], ["03-30 07:00"]),
    "a duration in a series": ("", ["UID:1\nDTSTART;TZID=Europe/Berlin:20260328T090000\nDURATION:PT30M\nRRULE:FREQ=DAILY;COUNT=2"], ["03-28 08:00", "03-29 07:00"]),
    "an end before the beginning": ("", ["UID:1\nDTSTART:20260330T070000Z\nDTEND:20260330T060000Z"], ["03-30 07:00"]),
    "seconds": ("", ["UID:1\nDTSTART:20260330T070030Z"], ["03-30 07:00:30"]),
    "an alarm in it": ("", ["UID:1\nDTSTART:20260330T070000Z\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM"], ["03-30 07:00"]),
    "a property of nobody's": ("", ["UID:1\nDTSTART:20260330T070000Z\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY\nX-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC"], ["03-30 07:00"]),
    "a list of organisers that nobody can read": ("", ["UID:1\nDTSTART:20260330T070000Z\nORGANIZER;CN=Praxis: Dr. Lindner:MAILTO:x@praxis.example"], ["03-30 07:00"]),
    "a line that says nothing": ("", ["UID:1\nDTSTART:20260330T070000Z\nUnsinn ohne Doppelpunkt"], ["03-30 07:00"]),
    "an empty rule": ("", ["UID:1\nDTSTART:20260330T070000Z\nRRULE:"], ["03-30 07:00"]),
    "an empty date to leave out": ("", [S + "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:"], ["03-26 08:00", "03-27 08:00"]),
}  # fmt: skip


def _calendar(head: str, events: list[str], end: str = "\r\n") -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event}\nSUMMARY:Kontrolle 0171 3920042\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//\n{head}{body}END:VCALENDAR\n"
    return text.replace("\n", end).encode()


def _read(api, data: bytes, **query):
    query = {"dry_run": "1", "from": "2026-01-01", "to": "2026-12-31", "zone": BERLIN} | query
    answer = api.post(
        "/api/v1/appointments/import", data=data, content_type="text/calendar", query_string=query
    )
    assert answer.status_code == 200, answer.text
    return answer.json


def _starts(told) -> list[str]:
    return [
        one["start_utc"].removeprefix("2026-").removesuffix("Z").replace("T", " ")
        + (" x" if one["cancelled"] else "")
        for one in told["appointments"]
    ]


@pytest.mark.parametrize("name", CASES)
def test_what_starts_when(api, name):
    head, events, starts = CASES[name]
    told = _read(api, _calendar(head, events))
    assert _starts(told) == starts, told["errors"]
    assert told["errors"] == []
    references = [one["reference"] for one in told["appointments"]]
    assert len(set(references)) == len(references)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_folded_lines_escapes_and_marks_are_read(api, end):
    title = "Schößler, Prüfung; Krone 0171 3920042"
    folded = (
        b"SUMMARY:Sch\xc3"
        + end.encode()
        + b" \xb6\xc3\x9fler\\, Pr\xc3\xbcfung\\; Krone 0171"
        + end.encode()
        + b"  3920042"
    )
    lines = [
        b"BEGIN:VCALENDAR",
        b"VERSION:2.0",
        b"BEGIN:VEVENT",
        b"UID:1",
        b"DTSTART:20260330T070000Z",
        folded,
    ]
    data = b"\xef\xbb\xbf" + end.encode().join([*lines, b"END:VEVENT", b"END:VCALENDAR"])
    told = _read(api, data)
    (one,) = told["appointments"]
    assert (one["title"], one["number"], told["errors"]) == (title, "00491713920042", [])


def test_a_calendar_in_the_code_page_of_windows_is_read(api):
    data = (
        _calendar("", ["UID:1\nDTSTART:20260330T070000Z\nLOCATION:Köln"])
        .decode()
        .replace("Kontrolle", "Prüfung")
    )
    (one,) = _read(api, data.encode("cp1252"))["appointments"]
    assert one["title"] == "Prüfung 0171 3920042"


def test_several_calendars_in_one_file_are_all_read(api):
    two = _calendar("", ["UID:1\nDTSTART:20260330T070000Z"]) + _calendar(
        "", ["UID:2\nDTSTART:20260331T070000Z"]
    )
    assert _starts(_read(api, two)) == ["03-30 07:00", "03-31 07:00"]


def test_the_start_is_shown_in_the_zone_that_the_event_names(api):
    events = ["UID:1\nDTSTART;TZID=America/New_York:20260330T090000", "UID:2\nDTSTART:20260330T150000Z"]
    shown = [(one["start"], one["zone"]) for one in _read(api, _calendar(OUTLOOK, events))["appointments"]]
    assert shown == [("2026-03-30T09:00", "America/New_York"), ("2026-03-30T17:00", BERLIN)]


def test_a_span_takes_its_beginning_and_leaves_its_end(api):
    events = [S + "RRULE:FREQ=DAILY;COUNT=4"]
    told = _read(api, _calendar("", events), **{"from": "2026-03-27T09:00", "to": "2026-03-29T09:00"})
    assert _starts(told) == ["03-27 08:00", "03-28 08:00"]


def test_the_same_occurrence_has_the_same_reference_however_it_is_moved_or_asked_for(api):
    moved = "UID:s\nRECURRENCE-ID:20260327T080000Z\nDTSTART;TZID=Europe/Berlin:20260402T150000"
    onwards = "UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260327T090000\nDTSTART;TZID=Europe/Berlin:20260327T110000"
    rule = S + "RRULE:FREQ=DAILY;COUNT=4"

    def references(*events, **query):
        return sorted(
            one["reference"] for one in _read(api, _calendar("", [rule, *events]), **query)["appointments"]
        )

    assert references() == references(moved) == references(onwards)
    assert set(references(**{"from": "2026-03-28"})) < set(references())


BROKEN = {
    "a rule that nobody knows": ("RRULE:FREQ=SOMETIMES", "bad_event"),
    "a rule without a frequency": ("RRULE:COUNT=3", "bad_event"),
    "a rule whose end is none": ("RRULE:FREQ=DAILY;UNTIL=morgen", "bad_event"),
    "a rule of every second": ("RRULE:FREQ=SECONDLY", "too_many_occurrences"),
    "a rule of every second by its parts": ("RRULE:FREQ=DAILY;BYHOUR=8,9,10;BYMINUTE=0,1,2,3,4,5,6,7,8,9", "too_many_occurrences"),
    "a rule for longer than anybody lives": ("RRULE:FREQ=DAILY;COUNT=1000000", "too_many_occurrences"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_series_that_cannot_be_followed_is_told_and_spoils_no_other(api, name):
    rule, code = BROKEN[name]
    told = _read(api, _calendar("", [S + rule, "UID:ok\nDTSTART:20260330T070000Z"]), to="2099-01-01")
    assert [(e["uid"], e["code"]) for e in told["errors"]] == [("s", code)]
    assert [one["reference"] for one in told["appointments"]] == ["ok"]


def test_what_is_read_without_an_end_is_stored_once(api):
    data = _calendar("", [S.replace("2026", "2099") + "RRULE:FREQ=WEEKLY;COUNT=3"])
    for _ in range(2):
        answer = api.post(
            "/api/v1/appointments/import",
            data=data,
            content_type="text/calendar",
            query_string={"to": "2100-01-01"},
        )
        assert len(answer.json["appointments"]) == 3
    assert len(api.get("/api/v1/appointments").json["items"]) == 3
