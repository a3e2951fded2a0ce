"""The pretend phone network: its own WSGI app that speaks Twilio's wire protocol."""
