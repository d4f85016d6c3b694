"""TSIG by hand, held to dnspython in both directions, single messages and streams."""

from typing import Any

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standfast.adapters.providers import tsig, wire
from standfast.adapters.providers.tsig import TsigError, TsigKey, Verifier
from standfast.ports.provider import Content

ZONE = "lb.example.com"
NOW = 1_800_000_000
KEYS = st.builds(
    TsigKey, st.just("standfast-key"), st.sampled_from(tsig.ALGORITHMS), st.binary(min_size=1, max_size=80)
)
KEY = TsigKey("standfast-key", "hmac-sha256", b"a secret of no importance")


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: float(NOW))


def theirs(key: TsigKey) -> dns.tsig.Key:
    return dns.tsig.Key(dns.name.from_text(key.name), key.secret, dns.name.from_text(key.algorithm))


def update(number: int = 7) -> bytes:
    return wire.encode_update(number, ZONE, [], [Content(f"a.{ZONE}", 1, 60, (b"\1\2\3\4",))])


def parsed(message: bytes, key: TsigKey, request_mac: bytes = b"") -> dns.message.Message:
    known = theirs(key)
    return dns.message.from_wire(message, keyring={known.name: known}, request_mac=request_mac)


@given(KEYS, st.integers(0, 65535))
def test_dnspython_verifies_what_we_sign(key: TsigKey, number: int) -> None:
    bare = update(number)
    signed, mac = tsig.sign(bare, key, NOW)
    message = parsed(signed, key)
    assert message.had_tsig
    assert message.mac == mac
    assert len(signed) == len(bare) + key.octets
    assert tsig.verify(signed, key, b"", lambda: NOW).mac == mac


@given(KEYS)
def test_we_verify_what_dnspython_signs(key: TsigKey) -> None:
    request, mac = tsig.sign(update(), key, NOW)
    reply = dns.message.make_response(parsed(request, key))
    octets = reply.to_wire()
    assert tsig.verify(octets, key, mac, lambda: NOW + 299).error == 0
    with pytest.raises(TsigError, match="clock"):
        tsig.verify(octets, key, mac, lambda: NOW + 301)
    with pytest.raises(TsigError, match="signature"):
        tsig.verify(octets, key, mac[:-1] + bytes((mac[-1] ^ 1,)), lambda: NOW)


def test_every_damaged_octet_is_noticed() -> None:
    """All but the id, which forwarders may change and the TSIG repeats (RFC 8945 §4.2)."""
    signed, _ = tsig.sign(update(), KEY, NOW)
    for place in range(2, len(signed)):
        damaged = bytearray(signed)
        damaged[place] ^= 0x01
        with pytest.raises((TsigError, wire.WireError)):
            tsig.verify(bytes(damaged), KEY, b"", lambda: NOW)


def test_other_keys_and_no_signature() -> None:
    signed, _ = tsig.sign(update(), KEY, NOW)
    for other in (
        TsigKey("another-key", KEY.algorithm, KEY.secret),
        TsigKey(KEY.name, "hmac-sha512", KEY.secret),
        TsigKey(KEY.name, KEY.algorithm, b"another secret"),
    ):
        with pytest.raises(TsigError):
            tsig.verify(signed, other, b"", lambda: NOW)
    with pytest.raises(TsigError, match="not signed"):
        tsig.verify(update(), KEY, b"", lambda: NOW)


def test_a_badtime_answer_is_verified_though_its_time_is_not_ours() -> None:
    request = dns.message.make_query(ZONE, "SOA")
    request.use_tsig(theirs(KEY))
    request.to_wire()
    assert request.mac is not None
    reply = dns.message.make_response(request, tsig_error=dns.rcode.BADTIME)
    octets = reply.to_wire()
    found = tsig.verify(octets, KEY, request.mac, lambda: NOW + 1000)
    assert found.error == tsig.BADTIME


_sign: Any = dns.tsig.sign


def tsig_of(message: dns.message.Message) -> Any:
    assert message.tsig is not None
    return message.tsig[0]


def stream(count: int, every: int) -> tuple[list[bytes], bytes]:
    """An answer of many messages as dnspython signs it: the first, each `every`th and the last."""
    request = dns.message.make_query(ZONE, "AXFR", id=9)
    request.use_tsig(theirs(KEY))
    request.to_wire()
    messages, context = [], None
    pending: list[bytes] = []
    key = theirs(KEY)
    rdata = None
    for number in range(count):
        reply = dns.message.make_response(request)
        reply.tsig = None
        reply.answer.append(dns.rrset.from_text(f"e{number}.{ZONE}.", 60, "IN", "A", "192.0.2.1"))
        bare = reply.to_wire()
        if number % every and number != count - 1:
            pending.append(bare)
            messages.append(bare)
            continue
        if rdata is None:
            rdata = tsig_of(request).replace(error=0, mac=b"")
        if context is not None:
            for one in pending:
                context.update(one)
            pending.clear()
        signed, context = _sign(bare, key, rdata, NOW, request.mac, context, True)
        messages.append(with_tsig(bare, signed))
    assert request.mac is not None
    return messages, request.mac


def with_tsig(bare: bytes, rdata: dns.rdata.Rdata) -> bytes:
    octets = rdata.to_wire()
    assert octets is not None
    record = wire.encode_name(KEY.name) + b"\0\xfa\0\xff\0\0\0\0" + len(octets).to_bytes(2, "big") + octets
    return bare[:11] + b"\1" + bare[12:] + record


def take_all(verifier: Verifier, messages: list[bytes]) -> None:
    for message in messages:
        verifier.take(message)


@pytest.mark.parametrize("every", [1, 3, 99])
def test_streams_of_dnspython(every: int) -> None:
    messages, mac = stream(200, every)
    verifier = Verifier(KEY, mac, lambda: NOW)
    take_all(verifier, messages)
    assert verifier.unsigned == 0


def test_a_stream_notices_what_was_taken_away_or_put_in() -> None:
    messages, mac = stream(20, 5)
    for changed in (messages[:7] + messages[8:], [*messages[:7], messages[6], *messages[7:]], messages[1:]):
        verifier = Verifier(KEY, mac, lambda: NOW)
        with pytest.raises(TsigError):
            take_all(verifier, changed)


def test_a_hundred_unsigned_messages_are_too_many() -> None:
    messages, mac = stream(150, 140)
    verifier = Verifier(KEY, mac, lambda: NOW)
    with pytest.raises(TsigError, match="not signed"):
        take_all(verifier, messages)


def test_a_key_hides_its_secret_and_is_checked() -> None:
    assert "importance" not in repr(KEY)
    with pytest.raises(ValueError, match="algorithm"):
        TsigKey("k", "hmac-md5", b"x")
    with pytest.raises(ValueError, match="empty"):
        TsigKey("k", "hmac-sha256", b"")
