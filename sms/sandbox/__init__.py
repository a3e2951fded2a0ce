"""The pretend phone network: its own WSGI app that speaks Twilio's wire protocol.

What a phone's `state` does (the rest is in CONTRACT.md, "The sandbox"):

| state      | calls                                             | texts                                               |
|------------|---------------------------------------------------|-----------------------------------------------------|
| on         | ring; `auto` answers at once, `manual` at the page | arrive, delivered                                   |
| busy       | busy (SIP 486)                                    | arrive, delivered                                   |
| no-answer  | ring for the request's Timeout, then no-answer    | arrive, delivered                                   |
| reject     | ring, then busy (SIP 603)                         | undelivered, 30004                                  |
| off        | failed (SIP 480)                                  | sent; undelivered, 30003, after 2 s unless on again |
| no-network | failed (SIP 480)                                  | sent; the same after 15 minutes                     |

`reports`: normal (sent, delivered), late (delivered after 5 s), twice (each twice), reversed (delivered before
sent), never (no callback at all; who asks is told). Calls on phones that answer by themselves take a fraction of a
second, while `seconds` tells the length of what was really heard; picked up at the page, a call runs in real time.
"""
