"""What a message centre brings over its link: stored first, acknowledged after that, then made something of.

A deliver_sm has no id that stays the same when it comes again, so each gets one here: of its content, the link it
came by and its place there. Parts of a long text and receipts wait in the same table as every carrier's callbacks.
"""

import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sms import receiving
from sms.carriers import smpp_receipt
from sms.carriers.contract import IncomingText, TextReport
from sms.carriers.smpp import Smpp, number_of, user_reference
from sms.carriers.smpp_codes import OK, STATES, TRY_AGAIN, WORDS
from sms.carriers.smpp_pdu import Address, Delivered
from sms.carriers.smpp_receipt import Receipt
from sms.carriers.smpp_text import Fragment, decode, join, unwrap
from sms.clock import now
from sms.db import database
from sms.models import Inbound, Message

log = logging.getLogger(__name__)

REDELIVERED = timedelta(minutes=5)
"""So long after a link was lost, the same text on the next one is taken for the one whose answer got lost."""
LOOK_BACK = 200
"""Texts among which the one is looked for that comes a second time."""
PART_WAITS = timedelta(hours=1)
"""A long text that is not complete by then is shown with its gaps."""
GAP = " […] "
RECEIPT_WAITS = timedelta(minutes=10)
"""A receipt that belongs to no message by then never will: it may come before the answer to its submit."""
REPORTED_WITHIN = timedelta(days=7)
OPEN = ("sending", "sent", "unknown")


class Incoming:
    """Takes what one link brings; the carrier's `open` gets its `store`."""

    def __init__(self, carrier: Smpp, turn: threading.Lock) -> None:
        """Whoever writes in this process waits for its `turn`: threads that wait for SQLite's own lock sleep."""
        self.carrier = carrier
        self.name = carrier.name
        self.turn = turn
        self._links: dict[str, Any] = {}

    def store(self, batch: Sequence[Delivered], link: str) -> list[int]:
        """Store deliver_sm in one transaction and return what to answer; where that fails, each in one of its own."""
        with self.turn, database.connection_context():
            try:
                with database.atomic():
                    for delivered in batch:
                        self._take(delivered, link)
            except Exception:
                log.exception("a batch of %d could not be stored as one", len(batch))
                return [self._stored_alone(delivered, link) for delivered in batch]
            return [OK] * len(batch)

    def _stored_alone(self, delivered: Delivered, link: str) -> int:
        try:
            with database.atomic():
                self._take(delivered, link)
        except Exception:
            log.exception("a deliver_sm could not be stored; the centre keeps it")
            return TRY_AGAIN
        return OK

    def _take(self, delivered: Delivered, link: str) -> None:
        if smpp_receipt.is_receipt(delivered):
            self._take_receipt(delivered, link)
        else:
            self._take_text(delivered, link)

    def sweep(self) -> None:
        """Look again at receipts without a message, and show long texts whose missing parts will not come."""
        for inbound in self._waiting("report", 100):
            self._look_again(inbound)
        self._show_incomplete()
        self._forget_joined()

    # Texts

    def _take_text(self, delivered: Delivered, link: str) -> None:
        found = unwrap(delivered.content, delivered.esm_class, delivered.sar)
        if isinstance(found, Fragment):
            self._take_fragment(delivered, found)
            return
        digest = _digest(delivered)
        if self._came_before(digest, link):
            log.warning("a text that was stored before the link was lost has come again")
            return
        text = decode(found, delivered.coding, self.carrier.alphabet)
        sender, to = _party(delivered.source), _party(delivered.destination)
        self._receive(sender, to, f"{digest}@{link}.{delivered.sequence}", text)

    def _receive(self, sender: str, to: str, reference: str, text: str) -> None:
        receiving.receive_text(self.name, IncomingText(reference, sender, to, text.replace("\0", "")))

    def _came_before(self, digest: str, link: str) -> bool:
        """Tell whether a young link repeats what the one before it has brought: its answer may have got lost."""
        if link not in self._links:
            self._links = {link: now()}
        if now() - self._links[link] > REDELIVERED:
            return False
        recent = (
            Inbound.select(Inbound.reference, Inbound.received_at)
            .where(Inbound.carrier == self.name, Inbound.kind == "text")
            .order_by(Inbound.id.desc())
            .limit(LOOK_BACK)
        )
        return any(
            row.reference.startswith(f"{digest}@")
            and not row.reference.startswith(f"{digest}@{link}.")
            and now() - row.received_at <= REDELIVERED
            for row in recent
        )

    def _take_fragment(self, delivered: Delivered, fragment: Fragment) -> None:
        group = _group(delivered, fragment)
        with database.atomic():
            parts = self._parts(group, fragment.total)
            same = [p for p in parts if p.payload["number"] == fragment.number]
            if same and same[0].payload["content"] == fragment.content.hex():
                return  # it comes again: its answer got lost
            if same:
                # The sender has come round to the same reference: what is there belongs to an older text.
                self._finish(parts)
                parts = []
            parts = [*parts, self._keep(delivered, fragment, group)]
            if len(parts) == fragment.total:
                self._join(parts)

    def _parts(self, group: str, total: int) -> list[Inbound]:
        slots = [f"{group}.{number}" for number in range(1, total + 1)]
        mine = (Inbound.carrier == self.name) & (Inbound.kind == "part")
        return list(Inbound.select().where(mine, Inbound.reference.in_(slots)))

    def _keep(self, delivered: Delivered, fragment: Fragment, group: str) -> Inbound:
        payload = {
            "group": group,
            "number": fragment.number,
            "total": fragment.total,
            "content": fragment.content.hex(),
            "coding": delivered.coding,
            "sender": _party(delivered.source),
            "to": _party(delivered.destination),
        }
        return Inbound.create(
            carrier=self.name,
            kind="part",
            reference=f"{group}.{fragment.number}",
            payload=payload,
            received_at=now(),
        )

    def _join(self, parts: Sequence[Inbound], missing: str = "") -> None:
        """Make one text of the parts; they stay for a while, marked, in case one of them comes again."""
        head = parts[0].payload
        fragments = [
            Fragment(0, p.payload["total"], p.payload["number"], bytes.fromhex(p.payload["content"]))
            for p in parts
        ]
        text = join(fragments, head["coding"], self.carrier.alphabet, missing)
        self._receive(head["sender"], head["to"], f"{head['group']}#{min(p.id for p in parts)}", text)
        Inbound.update(handled_at=now()).where(Inbound.id.in_([p.id for p in parts])).execute()

    def _finish(self, parts: Sequence[Inbound]) -> None:
        """Show what came of an older text where that has not happened, and make room for the next."""
        waiting = [p for p in parts if p.handled_at is None]
        if waiting:
            self._join(waiting, GAP)
        Inbound.delete().where(Inbound.id.in_([p.id for p in parts])).execute()

    def _show_incomplete(self) -> None:
        late = [p for p in self._waiting("part", 100) if p.received_at < now() - PART_WAITS]
        for group, total in {(p.payload["group"], p.payload["total"]) for p in late}:
            with database.atomic():
                self._finish(self._parts(group, total))

    def _forget_joined(self) -> None:
        Inbound.delete().where(
            Inbound.carrier == self.name, Inbound.kind == "part", Inbound.handled_at < now() - REDELIVERED
        ).execute()

    def _waiting(self, kind: str, limit: int) -> list[Inbound]:
        mine = (Inbound.carrier == self.name) & (Inbound.kind == kind) & Inbound.handled_at.is_null()
        return list(Inbound.select().where(mine).order_by(Inbound.received_at).limit(limit))

    # Receipts

    def _take_receipt(self, delivered: Delivered, link: str) -> None:
        receipt = smpp_receipt.read(delivered)
        if receipt.state is None or receipt.state.status is None:
            return
        payload = {
            "reference": receipt.reference,
            "state": receipt.state.word,
            "error": receipt.error,
            "user_reference": receipt.user_reference,
            "theirs": _party(delivered.source),
            "ours": _party(delivered.destination),
        }
        try:
            with database.atomic():
                told = self._report(payload)
        except Exception:
            # It is kept: the centre may forget it, and the next sweep will look at it again.
            log.exception("a receipt could not be made use of yet")
            told = False
        if not told:
            self._keep_receipt(payload, f"{_digest(delivered)}@{link}.{delivered.sequence}")

    def _keep_receipt(self, payload: dict[str, Any], reference: str) -> None:
        row = {"carrier": self.name, "kind": "report", "reference": reference}
        Inbound.insert(**row, payload=payload, received_at=now()).on_conflict_ignore().execute()

    def _report(self, said: dict[str, Any]) -> bool:
        """Hand what a receipt says to its message; False where there is none (yet)."""
        receipt = Receipt(said["reference"], WORDS[said["state"]], said["error"], said["user_reference"])
        message = self._message(receipt, said["theirs"], said["ours"])
        if message is None:
            return False
        receiving.receive_report(self.name, _report_of(message, receipt))
        return True

    def _look_again(self, inbound: Inbound) -> None:
        """Try a receipt that was kept once more, and forget it when it is told or has waited long enough."""
        with database.atomic():
            told = self._report(inbound.payload)
            if not told and now() - inbound.received_at <= RECEIPT_WAITS:
                return
            if not told:
                log.warning("a receipt %s belongs to no message of ours", inbound.payload["state"])
            inbound.delete_instance()

    def _message(self, receipt: Receipt, theirs: str, ours: str) -> Message | None:
        """Find the message of a receipt: by its id, else by our own number in it, else as the only one it can mean."""
        return self._by_id(receipt.reference, theirs) or self._by_circumstance(receipt, theirs, ours)

    def _by_id(self, reference: str, theirs: str) -> Message | None:
        if not reference:
            return None
        spellings = smpp_receipt.spellings(reference)
        found = self._outgoing().where(Message.carrier_reference.in_(spellings))
        by_spelling = {m.carrier_reference: m for m in found if m.theirs == theirs or len(spellings) == 1}
        return next((by_spelling[s] for s in spellings if s in by_spelling), None)

    def _by_circumstance(self, receipt: Receipt, theirs: str, ours: str) -> Message | None:
        recent = Message.created_at > now() - REPORTED_WITHIN
        found = list(
            self._outgoing().where(
                Message.theirs == theirs, Message.ours == ours, Message.status.in_(OPEN), recent
            )
        )
        if receipt.user_reference is not None:
            found = [m for m in found if m.key and user_reference(m.key) == receipt.user_reference]
        elif receipt.reference:
            # Whoever has an id of his own is not meant by another.
            found = [m for m in found if m.carrier_reference is None]
        return found[0] if len(found) == 1 else None

    def _outgoing(self) -> Any:
        return Message.select().where(Message.carrier == self.name, Message.direction == "outgoing")


def _report_of(message: Message, receipt: Receipt) -> TextReport:
    state = receipt.state or STATES[7]
    failed = state.status in ("undelivered", "failed")
    return TextReport(
        # Never empty: a message that has no reference yet takes this one, and references are unique.
        reference=message.carrier_reference or receipt.reference or message.key or "",
        key=message.key,
        status=state.status,
        code=receipt.error if failed else None,
        reason=state.reason,
        detail=state.word if failed else None,
    )


def _party(address: Address) -> str:
    """Return a number as it is stored; one that came nationally is one of ours or of our recipients' country."""
    return receiving.number_of(number_of(address))


def _digest(delivered: Delivered) -> str:
    parts = [str(delivered.source), str(delivered.destination), str(delivered.esm_class)]
    parts += [str(delivered.coding), delivered.content.hex(), str(sorted(delivered.tlvs.items()))]
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def _group(delivered: Delivered, fragment: Fragment) -> str:
    parts = f"{delivered.source}>{delivered.destination}#{fragment.reference}/{fragment.total}"
    return sha256(parts.encode()).hexdigest()[:32]
