"""What people read about appointments: for each code that something is refused with, for each event in a thread."""


def N_(sentence: str) -> str:
    """Mark a sentence for translation; it is translated when it is said."""
    return sentence


SENTENCES = {
    "bad_period": N_("This is not a period of at most a year, like P1D or PT2H."),
    "bad_quiet": N_("This is not a span of quiet hours like 20:00-08:00."),
    "not_a_calendar": N_("This is not a complete calendar file (.ics)."),
    "not_a_table": N_("This is not a table. Please save it as CSV."),
    "empty_file": N_("The file is empty."),
    "no_start_column": N_(
        "No column says when the appointment begins. Name it “start”, or “date” and “time”."
    ),
    "too_many_lines": N_("The table has too many lines: at most %(limit)s."),
    "bad_event": N_("This event cannot be read."),
    "no_start": N_("This event does not say when it begins."),
    "too_many_occurrences": N_("This series has too many appointments: at most %(limit)s."),
    "without_number": N_("There is no phone number here, so nobody is reminded."),
    "file_is_page": N_(
        "This is a web page, not a calendar or a table. Please save the appointments as a file (.ics or .csv)."
    ),
    "no_hour": N_("The hour is missing."),
    "twice": N_("The reference %(reference)s is in a line above already."),
    "unknown_media": N_("Please send a calendar (text/calendar) or a table (text/csv)."),
    "not_to_be_reminded": N_("Nobody is reminded of this appointment: it is over, or no reminder is set up."),
    "numbers_wait": N_("Every number waits for an answer of this person. Please try again later."),
    "unknown_state": N_("This cannot become of an appointment."),
    "bad_minutes": N_("Please give whole minutes, at most a day."),
    "bad_amount": N_("Please give a whole number from 1."),
    "too_early": N_("At most a year before."),
    "bad_cutoff": N_("Please give whole hours from 0 to %(limit)s."),
    "opts_out": N_("“%(word)s” ends all messages to whoever writes it. Please choose another word."),
    "word_twice": N_("“%(word)s” stands for another answer already. Please choose another word."),
    "unknown_choice": N_("Please choose one of these."),
    "bad_call_after": N_("Please give whole minutes from 1 to %(limit)s."),
    "no_rules": N_("Please add at least one reminder."),
    "fault": N_("Something went wrong on our side."),
    "another_goes_out": N_("A later one goes out instead."),
    "offers_are_texts": N_("Free times are offered by text: please give a mobile number."),
    "waits_already": N_("This number is on the waiting list already."),
    "list_is_full": N_("The waiting list is full: at most %(limit)s."),
    "hours_reversed": N_("The hours end before they begin."),
    "time_is_not_free": N_("This time is not free: the appointment stands."),
    "nobody_to_offer_to": N_("Nobody is on the waiting list, or the time comes too soon to be offered."),
    "given_away": N_("This time belongs to somebody from the waiting list by now."),
    "too_many_calendars": N_("There are %(limit)s calendars already. Please remove one first."),
    "calendar_twice": N_("This calendar is there already."),
    "calendar_page": N_(
        "There is a web page at this address, not a calendar. Please use the address of the calendar file (.ics)."
    ),
    "calendar_leads_on": N_(
        "The address leads on to a web page of %(host)s, perhaps a sign-in. Please use the secret address of the calendar."
    ),
    "calendar_hard": N_("The calendar is too large or too complicated to be worked out."),
    "calendar_many": N_("The calendar has too many appointments: at most %(limit)s that are still to come."),
    "end_before_start": N_("The appointment would end before it begins."),
}

EVENTS = {
    "appointment_confirmed": N_("Appointment %(strong)s confirmed"),
    "appointment_declined": N_("Appointment %(strong)s declined"),
    "appointment_wants_to_move": N_("Would like another time than %(strong)s"),
    "appointment_late_cancellation": N_("Cancellation of %(strong)s came too late, please decide"),
    "appointment_given_away": N_("The time %(strong)s belongs to somebody from the waiting list"),
    "appointment_from_waiting_list": N_("From the waiting list: appointment %(strong)s"),
    "appointment_not_reached": N_("Nobody was reached by phone about %(strong)s"),
    "appointment_answer_too_late": N_("Pressed a key about %(strong)s, which has changed since"),
    "appointment_open": N_("Appointment %(strong)s is open again"),
    "appointment_confirmed_by_agent": N_("%(who)s has noted the appointment %(strong)s as confirmed"),
    "appointment_declined_by_agent": N_("%(who)s has noted the appointment %(strong)s as declined"),
    "appointment_open_by_agent": N_("%(who)s has set the appointment %(strong)s to open again"),
    "appointment_no_show_by_agent": N_("%(who)s has noted: did not come to the appointment %(strong)s"),
    "appointment_attended_by_agent": N_("%(who)s has noted: came to the appointment %(strong)s"),
    "appointment_cancelled_by_agent": N_("%(who)s has cancelled the appointment %(strong)s"),
    "appointment_cancelled_by_api": N_("Another program has cancelled the appointment %(strong)s"),
    "appointment_cancelled_by_calendar": N_("Appointment %(strong)s is cancelled in the calendar"),
    "appointment_moved_by_agent": N_("%(who)s has moved the appointment to %(strong)s"),
    "appointment_moved_by_api": N_("Another program has moved the appointment to %(strong)s"),
    "appointment_moved_by_calendar": N_("Appointment moved in the calendar to %(strong)s"),
    "appointment_no_show": N_("Did not come to the appointment %(strong)s"),
    "appointment_attended": N_("Came to the appointment %(strong)s"),
}
