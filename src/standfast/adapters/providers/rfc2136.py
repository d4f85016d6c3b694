"""A DNS server that takes dynamic updates (RFC 2136), with TSIG, over TCP: BIND, Knot, PowerDNS and our own.

A change is one UPDATE, sent once. What its answer proves:
    NOERROR, signed                                      every prerequisite held, the change stands   Written
    NXRRSET, YXRRSET, NXDOMAIN, YXDOMAIN, signed         one did not hold, nothing changed            Conflict
    any other answered error                             nothing changed                              Refused
    no answer, or one that is not signed as it should    nobody knows: read                           Unknown
"""

from collections import deque
from typing import Final, overload

from msgspec import Struct

from standfast.model.name import is_below, subtree
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import (
    Changes,
    ChangesReply,
    Confirm,
    ConfirmReply,
    Conflict,
    Content,
    Fails,
    Holds,
    Key,
    Prerequisite,
    ProviderReply,
    ProviderRequest,
    Read,
    ReadChanges,
    Readings,
    ReadReply,
    Refused,
    Replace,
    ReplaceReply,
    Room,
    Unknown,
    Written,
)

from .answers import SERVFAIL, Reading, read_answer, serial_answered
from .keyring import KeyRing
from .refusals import remedy
from .transfer import Differences, NoDifferences, encode_ixfr
from .transport import Connection, Lost
from .tsig import BADKEY, BADSIG, TsigError, TsigKey, Verifier, find_tsig, sign, verify, wall_clock
from .wire import (
    FLAG_QR,
    MESSAGE_MAX,
    OPCODE_UPDATE,
    Rcode,
    WireError,
    encode_query,
    encode_question,
    encode_update,
    read_header,
)

PREPARED_MAX: Final = 4
"""Changes kept composed: those that wait for the one under way."""
SHORTCUT_KEYS: Final = 16
"""From so many keys in our subtree on, it pays to ask first whether the subtree exists."""
SERIAL_KEYS: Final = 48
"""A reading after a change asks for the serial as well, in the same flight, if it is of no more keys: 16 endpoints. Of
more at once nobody reads the lines one by one, and they are read as fast as can be."""
_FAILED_PREREQUISITES: Final = frozenset({Rcode.NXRRSET, Rcode.YXRRSET, Rcode.NXDOMAIN, Rcode.YXDOMAIN})
_CNAME: Final = int(RRType.CNAME)
_UNLOOPED_MAX: Final = 256
"""So many failed readings of one request are asked again."""


class Rfc2136Provider:
    """One zone at one primary. Blocking, for one thread; network conditions are replies, never exceptions.

    `timeout_s` bounds an update's wait for its answer, and every silence while reading. Without a key, requests are
    unsigned; with several in a ring, those that the server refuses give way. ValueError for a request about another
    zone.
    """

    def __init__(
        self, zone: str, host: str, port: int, key: TsigKey | KeyRing | None, *, timeout_s: float = 5.0
    ) -> None:
        self.zone = zone
        self.ring = key if isinstance(key, KeyRing) else KeyRing.of(*((key,) if key else ()))
        self._connection = Connection(host, port, timeout_s)
        self._ready: deque[tuple[Replace, _Composed | Refused]] = deque(maxlen=PREPARED_MAX)
        self._posted: list[tuple[Replace, _Composed, Lost | None]] = []
        self._wrote = False
        """Whether a change was made here since the serial was last asked for."""
        self.serial: int | None = None
        """The zone's serial as read after the last change made here, so that it has that change; None: not known."""

    @property
    def room(self) -> Room:
        """A message over TCP has at most 65,535 octets (RFC 1035 §4.2.2)."""
        return Room()

    def close(self) -> None:
        """Close the connection; a later request makes a new one."""
        self._connection.close()
        self._posted.clear()

    @overload
    def perform(self, request: Read) -> ReadReply: ...
    @overload
    def perform(self, request: Confirm) -> ConfirmReply: ...
    @overload
    def perform(self, request: Replace) -> ReplaceReply: ...
    @overload
    def perform(self, request: ReadChanges) -> ChangesReply: ...
    def perform(self, request: ProviderRequest) -> ProviderReply:
        """Do what is asked. Raises ValueError if it concerns another zone."""
        if request.zone != self.zone:
            raise ValueError(f"this provider keeps {self.zone}, not {request.zone}")
        match request:
            case Read():
                return Readings(tuple(self._read(request.keys)))
            case Confirm():
                return self._confirm(request)
            case Replace():
                return self._replace(request)
            case ReadChanges():
                return self._changes(request.serial)
        raise AssertionError(f"unknown request {request!r}")

    # Reading

    def _read(self, keys: tuple[Key, ...]) -> list[Reading]:
        below = subtree(self.zone)
        if sum(is_below(owner, below) for owner, _ in keys) <= SHORTCUT_KEYS:
            return self._ask(keys, serial=self._wrote and self.serial is None and len(keys) <= SERIAL_KEYS)[0]
        _, absent = self._ask(((below, RRType.TXT),))
        if not absent:
            return self._ask(keys)[0]
        # RFC 8020: nothing exists below a name that does not exist, nor does a wildcard cover it
        rest = [number for number, (owner, _) in enumerate(keys) if not is_below(owner, below)]
        values: list[Reading] = [None] * len(keys)
        for number, value in zip(rest, self._ask(tuple(keys[number] for number in rest))[0], strict=True):
            values[number] = value
        return values

    def _ask(self, keys: tuple[Key, ...], *, serial: bool = False) -> tuple[list[Reading], bool]:
        """A reading for each key, and whether the last one's name does not exist at all. `serial`: behind them the zone
        is asked for its serial, which keeps nobody waiting for another round trip."""
        silence = Unknown("no answer")
        values: list[Reading] = [silence] * len(keys)
        questions, asked = [], []
        for number, (owner, rtype) in enumerate(keys):
            try:
                questions.append(encode_question(owner, rtype))
                asked.append(number)
            except WireError as problem:
                values[number] = Unknown(str(problem))
        absent = False
        if serial:
            questions.append(encode_question(self.zone, RRType.SOA))

        def take(number: int, reply: bytes) -> None:
            nonlocal absent
            if number == len(asked):
                told = serial_answered(reply, questions[number])
                self.serial = None if isinstance(told, Unknown) else told
                return
            value, absent = read_answer(reply, questions[number], keys[asked[number]][1])
            values[asked[number]] = value

        why = self._connection.ask([encode_query(question) for question in questions], take)
        values = [Unknown(why) if why and value is silence else value for value in values]
        return (values if why else self._unlooped(keys, values)), absent

    def _unlooped(self, keys: tuple[Key, ...], values: list[Reading]) -> list[Reading]:
        """With what stands where a chain of aliases without end was answered SERVFAIL, as PowerDNS does: what can't be
        read would never be repaired. A question for the CNAME itself follows nothing; if a wildcard makes the chain,
        that fails too, and prerequisites, which are literal, tell that nothing stands there."""
        failed = [number for number, value in enumerate(values) if value == SERVFAIL]
        for number in failed[:_UNLOOPED_MAX]:
            owner, rtype = keys[number]
            if rtype != _CNAME:
                alias = self._ask(((owner, _CNAME),))[0][0]
                if isinstance(alias, RRset):
                    values[number] = alias
                    continue
                if alias is not None:
                    break  # it is the server that fails, not a chain: no more questions
            absent = tuple(Prerequisite(owner, one, ()) for one in dict.fromkeys((rtype, _CNAME)))
            literally = self._confirm(Confirm(self.zone, absent))
            if literally == Holds():
                values[number] = None
            elif literally != Fails():
                break
        return values

    def _changes(self, serial: int | None) -> ChangesReply:
        found: list[int | Unknown] = []
        question = encode_question(self.zone, RRType.SOA)
        why = self._connection.ask(
            [encode_query(question)], lambda _, reply: found.append(serial_answered(reply, question))
        )
        if why or not found:
            return Unknown(why or "no answer")
        (now,) = found
        if isinstance(now, Unknown):
            return now
        wrote, self._wrote, self.serial = self._wrote, False, now
        if now == serial:
            # What we changed since has moved the serial; if it is what it was, the zone was set back to it.
            return Changes(now, None if wrote else ())
        if serial is None or not 0 <= serial < 2**32:
            return Changes(now, None)
        return self._differences(serial) or Changes(now, None)

    def _differences(self, serial: int) -> Changes | None:
        """What changed since, if the server can tell; else the connection is given up in the midst of its answer."""
        for key in self.ring.in_order():
            message, mac = _signed(encode_ixfr(self._connection.new_id(), self.zone, serial), key)
            answer = Differences(self.zone, serial, Verifier(key, mac) if key else None)
            try:
                self._connection.stream(message, answer.take)
                return Changes(answer.serial, answer.owners)
            except (Lost, NoDifferences, TsigError, WireError):
                if not answer.refused:
                    return None
        return None

    # Changing

    def _confirm(self, request: Confirm) -> ConfirmReply:
        reply = self._update(request.prerequisites, ())
        match reply:
            case Written():
                return Holds()
            case Conflict():
                return Fails()
        return reply

    def prepare(self, request: Replace) -> None:
        """Compose and sign a change that may be asked for later, while another is under way; nothing is sent."""
        self._ready.append((request, self._encoded(_asserted(request), request.contents, self.ring.in_order()[0])))

    def post(self, request: Replace) -> bool:
        """Send a change now, whose answer is had by performing it; another thread may wait for that of one before.

        False, and nothing was sent: its key is not one that the server took last time, or it can't be sent.
        """
        key = self.ring.in_order()[0]
        composed = self._prepared(request) or self._encoded(_asserted(request), request.contents, key)
        if isinstance(composed, Refused) or composed.key != key or not self.ring.proven(key):
            return False
        try:
            self._connection.post(composed.message)
        except Lost as lost:
            if lost.sent:
                self._posted.append((request, composed, lost))
            return lost.sent
        self._posted.append((request, composed, None))
        return True

    def _prepared(self, request: Replace) -> "_Composed | Refused | None":
        return next((composed for known, composed in tuple(self._ready) if known is request), None)

    def _replace(self, request: Replace) -> ReplaceReply:
        posted = next((one for one in self._posted if one[0] is request), None)
        if posted is not None:
            self._posted.remove(posted)
            reply = self._answered(posted[1], posted[2])
        else:
            reply = self._update(_asserted(request), request.contents, self._prepared(request))
        if isinstance(reply, Written):
            self._wrote, self.serial = True, None
        return reply

    def _update(
        self,
        prerequisites: tuple[Prerequisite, ...],
        contents: tuple[Content, ...],
        prepared: "_Composed | Refused | None" = None,
    ) -> ReplaceReply:
        """Once; and once more with each other key, if what was refused is the key: then nothing was changed."""
        refusals: list[ReplaceReply] = []
        for key in self.ring.in_order():
            fits = prepared is not None and (isinstance(prepared, Refused) or prepared.key == key)
            composed = prepared if prepared is not None and fits else self._encoded(prerequisites, contents, key)
            if isinstance(composed, Refused):
                return composed
            reply, of_key = self._sent(composed)
            if not of_key:
                if not isinstance(reply, Unknown):
                    self.ring.worked(key)
                return reply
            self.ring.refused(key, getattr(reply, "why", ""))
            refusals.append(reply)
        return refusals[0]

    def _encoded(
        self, prerequisites: tuple[Prerequisite, ...], contents: tuple[Content, ...], key: TsigKey | None
    ) -> "_Composed | Refused":
        """The signed message; or why there can't be one."""
        try:
            bare = encode_update(self._connection.new_id(), self.zone, prerequisites, contents)
        except WireError as problem:
            return Refused(f"{problem}; nothing was sent")
        message, mac = _signed(bare, key)
        if len(message) > MESSAGE_MAX:
            return Refused(
                f"the change takes {len(message)} octets; a message has at most {MESSAGE_MAX}: "
                "fewer endpoints a change (nothing was sent)"
            )
        return _Composed(message, mac, key)

    def _answered(self, composed: "_Composed", lost: Lost | None) -> ReplaceReply:
        """The verdict of a change that was posted. Others may be under way behind it: no other key is tried here."""
        try:
            if lost is not None:
                raise lost
            reply, of_key = self._verdict(self._connection.collect(composed.message), composed)
        except Lost as problem:
            return Unknown(problem.why)
        if of_key:
            self.ring.refused(composed.key, getattr(reply, "why", ""))
        elif not isinstance(reply, Unknown):
            self.ring.worked(composed.key)
        return reply

    def _sent(self, composed: "_Composed") -> tuple[ReplaceReply, bool]:
        """Send it once, ever; the verdict, and whether it is about the key alone."""
        try:
            reply = self._connection.exchange(composed.message)
        except Lost as lost:
            return Unknown(lost.why if lost.sent else f"{lost.why}; nothing was sent"), False
        return self._verdict(reply, composed)

    def _verdict(self, reply: bytes, composed: "_Composed") -> tuple[ReplaceReply, bool]:
        key = composed.key
        try:
            header = read_header(reply)
            if not header.flags & FLAG_QR or header.opcode != OPCODE_UPDATE:
                return Unknown("the answer to the update is not one"), False
            tsig = find_tsig(reply)
            error = tsig.error if tsig else 0
            if key and (tsig is not None or header.rcode in _SETTLED) and error not in (BADSIG, BADKEY):
                verify(reply, key, composed.mac)
        except (WireError, TsigError) as problem:
            return Unknown(f"the answer to the update cannot be believed: {problem}"), False
        if header.rcode == Rcode.NOERROR and not error:
            return Written(), False
        if header.rcode in _FAILED_PREREQUISITES and not error:
            return Conflict(), False
        # PowerDNS says no more than REFUSED, unsigned
        of_key = error in (BADSIG, BADKEY) or (tsig is None and header.rcode == Rcode.REFUSED)
        return Refused(remedy(header.rcode, error, key, self.zone)), of_key


class _Composed(Struct, frozen=True):
    """An update as it goes out, the MAC that the answer's depends on, and who signed."""

    message: bytes
    mac: bytes
    key: TsigKey | None


def _signed(message: bytes, key: TsigKey | None) -> tuple[bytes, bytes]:
    return sign(message, key, wall_clock()) if key else (message, b"")


def _asserted(request: Replace) -> tuple[Prerequisite, ...]:
    return tuple(one for part in (request.floor, *request.writes) for one in part.prerequisites)


_SETTLED: Final = _FAILED_PREREQUISITES | {Rcode.NOERROR}
"""What only a signed answer proves; servers send other errors unsigned where they don't know the key."""
