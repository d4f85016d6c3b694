"""What every provider must do, whoever it is: one kit over the specification, our nameserver, BIND, Knot, PowerDNS,
Route 53.

What a server promises less is declared in `adapters/providers/promises.py`, and here it must behave just like that.
Each test starts from a zone with nothing but SOA, NS and the address of `ns`. `provider_faults_kit` adds what only a
provider behind a network can get wrong.
"""

import random

import pytest

from conformance.provider_subject import (
    AAAA,
    CNAME,
    OWNERS,
    TXT,
    TYPES,
    ZONE,
    A,
    Client,
    Subject,
    a,
    below,
    cname,
    exactly,
    random_contents,
    random_prerequisites,
    rrset,
    txt,
)
from standfast.adapters.providers.promises import Promises
from standfast.model.name import marker_owner, subtree
from standfast.model.rrset import RRset, address_rdata
from standfast.ports.provider import (
    Changes,
    Confirm,
    Conflict,
    Content,
    Fails,
    Holds,
    Key,
    Prerequisite,
    Read,
    Readings,
    Refused,
    Replace,
    Unknown,
    Write,
    Written,
)
from standfast.ports.provider_spec import ZoneState, apply

WILDCARDS = (a(below("*"), 9), txt(below("*"), "foreign"), cname(below("*"), "x.example.net"))


class ProviderKit:
    """Subclasses give the fixture `subject`: a cleared zone."""

    random_changes = 150
    endpoints_a_change = 200
    promises = Promises()

    @pytest.fixture
    def client(self, subject: Subject) -> Client:
        return Client(subject.connect())

    # Preconditions

    def test_create_if_absent_succeeds_once(self, client: Client, subject: Subject) -> None:
        owner = below("m")
        assert client.replace([Prerequisite(owner, TXT, ())], [txt(owner, "g1"), a(below("e"), 1)]) == Written()
        before, serial = subject.contents(), client.serial()
        assert client.replace([Prerequisite(owner, TXT, ())], [txt(owner, "g2"), a(below("e"), 2)]) == Conflict()
        assert (subject.contents(), client.serial()) == (before, serial)
        assert before[below("e"), A] == rrset(a(below("e"), 1))

    def test_absence_is_of_one_type(self, client: Client) -> None:
        """A prerequisite of absence speaks of the rrset, not of the name."""
        client.put(a(below("m"), 1))
        assert client.replace([Prerequisite(below("m"), TXT, ())], [txt(below("m"), "g1")]) == Written()

    @pytest.mark.parametrize("asked", [("g1",), ("g1", "g2", "g3"), ("g1", "g3"), ()])
    def test_other_data_conflict(self, client: Client, subject: Subject, asked: tuple[str, ...]) -> None:
        owner = below("m")
        client.put(txt(owner, "g1", "g2"))
        before, serial = subject.contents(), client.serial()
        assert client.replace([exactly(txt(owner, *asked))], [txt(owner, "won")]) == Conflict()
        assert client.confirm(exactly(txt(owner, *asked))) == Fails()
        assert (subject.contents(), client.serial()) == (before, serial)

    def test_case_of_text_is_told_as_promised(self, client: Client) -> None:
        client.put(txt(below("m"), "g1 x=ab"))
        told = Fails() if self.promises.text_by_case else Holds()
        assert client.confirm(exactly(txt(below("m"), "g1 x=AB"))) == told
        assert client.confirm(exactly(txt(below("m"), "g1 x=ac"))) == Fails()

    @pytest.mark.parametrize("place", [0, 100, 200, -1])
    def test_one_octet_of_a_long_value_is_enough(self, client: Client, subject: Subject, place: int) -> None:
        """Two markers of one since may differ in their nonces alone, and those stand far behind."""
        owner, value = below("m"), "standfast1 k=marker ".ljust(239, "0") + "x=0123456789abcd"
        other = value[: place % len(value)] + "~" + value[place % len(value) + 1 :]
        client.put(txt(owner, value))
        before = subject.contents()
        assert client.confirm(exactly(txt(owner, value))) == Holds()
        assert client.confirm(exactly(txt(owner, other))) == Fails()
        assert client.replace([exactly(txt(owner, other))], [txt(owner, "won")]) == Conflict()
        assert subject.contents() == before

    def test_order_and_ttl_do_not_matter(self, client: Client) -> None:
        owner = below("m")
        client.put(txt(owner, "g1", "g2", ttl=77))
        assert client.confirm(exactly(txt(owner, "g2", "g1", ttl=5))) == Holds()
        assert client.replace([exactly(txt(owner, "g2", "g1"))], [txt(owner, "won")]) == Written()
        assert client.value(owner, TXT) == rrset(txt(owner, "won"))

    def test_a_missing_rrset_conflicts(self, client: Client) -> None:
        assert client.replace([exactly(txt(below("m"), "g1"))], [txt(below("m"), "g2")]) == Conflict()
        assert client.value(below("m"), TXT) is None

    def test_confirming_changes_nothing(self, client: Client, subject: Subject) -> None:
        client.put(txt(below("m"), "g1"))
        before, serial = subject.contents(), client.serial()
        assert client.confirm(exactly(txt(below("m"), "g1")), Prerequisite(below("x"), A, ())) == Holds()
        assert client.confirm(exactly(txt(below("m"), "g1")), Prerequisite(below("m"), TXT, ())) != Holds()
        assert (subject.contents(), client.serial()) == (before, serial)

    # Changes

    def test_two_hundred_endpoints_change_at_once_or_not_at_all(self, client: Client, subject: Subject) -> None:
        def write(number: int, old: int, new: int) -> Write:
            name, marker = below(f"e{number}"), marker_owner(below(f"e{number}"), ZONE)
            wanted = exactly(txt(marker, f"g{old}")) if old else Prerequisite(marker, TXT, ())
            return Write(name, (wanted,), (a(name, new, new + 1), Content(name, AAAA, 60, ()), txt(marker, f"g{new}")))

        def change(old: int, new: int, stale: int | None = None) -> object:
            writes = tuple(write(number, old - (number == stale), new) for number in range(self.endpoints_a_change))
            return client.provider.perform(Replace(ZONE, Write("", (), ()), writes))

        assert change(0, 1) == Written()
        serial = client.serial()
        assert change(1, 2) == Written()
        assert (client.serial() != serial) == self.promises.tells_serial
        before, serial = subject.contents(), client.serial()
        assert before[below(f"e{self.endpoints_a_change - 1}"), A] == rrset(a("", 2, 3))
        assert change(2, 3, stale=97) == Conflict()
        assert (subject.contents(), client.serial()) == (before, serial)

    def test_rrsets_are_replaced_whole(self, client: Client) -> None:
        owner = below("e")
        client.put(a(owner, 1, 2, 3))
        client.put(a(owner, 3, 4))
        assert client.value(owner, A) == rrset(a(owner, 3, 4))
        client.put(a(owner, 3, 4, ttl=5))
        assert client.value(owner, A) == rrset(a(owner, 3, 4, ttl=5))

    def test_a_family_can_be_deleted(self, client: Client, subject: Subject) -> None:
        owner = below("e")
        client.put(a(owner, 1), Content(owner, AAAA, 60, (address_rdata("2001:db8::1"),)))
        client.put(a(owner, 2), Content(owner, AAAA, 60, ()))
        assert client.value(owner, AAAA) is None
        client.put(a(owner))
        assert all(held != owner for held, _ in subject.contents())

    def test_a_cname_in_the_way_is_deleted_in_the_same_change(self, client: Client) -> None:
        owner = below("e")
        client.put(cname(owner, "elsewhere.example.net"))
        client.put(a(owner, 1), cname(owner, None))
        assert client.value(owner, A) == rrset(a(owner, 1))

    def beside_cname(self, client: Client, *contents: Content) -> None:
        """Skipped in silence, or refused with everything else that is in the change, as promised."""
        reply = client.replace([], [*contents, txt(below("bystander"), "here")])
        skipped = self.promises.beside_cname == "skipped"
        assert isinstance(reply, Written if skipped else Refused), reply
        assert (client.value(below("bystander"), TXT) is not None) == skipped

    def test_a_cname_that_stays_swallows_addresses_in_silence(self, client: Client) -> None:
        """RFC 2136 §3.4.2.2: why a flat write always deletes the CNAME, and reads back."""
        owner = below("e")
        client.put(cname(owner, "elsewhere.example.net"))
        self.beside_cname(client, a(owner, 1))
        assert client.value(owner, A) == rrset(cname(owner, "elsewhere.example.net"))
        client.put(cname(owner, None))
        assert client.value(owner, A) is None

    def test_a_cname_is_not_added_beside_addresses(self, client: Client) -> None:
        owner = below("e")
        client.put(a(owner, 1))
        self.beside_cname(client, cname(owner, "elsewhere.example.net"))
        assert client.value(owner, A) == rrset(a(owner, 1))

    def test_a_chain_of_aliases_without_end_is_read_as_its_first(self, client: Client) -> None:
        """What can't be read is never repaired."""
        client.put(cname(below("e"), below("f")), cname(below("f"), below("e")), cname(below("g"), below("g")))
        expected = [rrset(cname("", below(target))) for target in ("f", "g")]
        assert list(client.read((below("e"), A), (below("g"), AAAA))) == expected
        client.put(a(below("e"), 1), cname(below("e"), None))
        assert client.value(below("e"), A) == rrset(a("", 1))
        client.put(cname(below("*"), below("no.where")))  # which is covered by it again
        assert client.value(below("h"), TXT) in (
            rrset(cname("", below("no.where"))),
            self.covered(cname("", "no.where")),
        )
        assert client.value(below("e"), A) == rrset(a("", 1))

    @pytest.mark.parametrize(
        "rdata",
        [
            (b"\xff" + bytes(range(255)),),
            (b"\xff" + b"a" * 255 + b"\xff" + b"b" * 255 + b"\3end",),
            (b"\0",),
            (b"\3a\x00\xff", b"\2\xc3\xbc", b'\4"\\;.'),
        ],
    )
    def test_text_comes_back_octet_by_octet(self, client: Client, rdata: tuple[bytes, ...]) -> None:
        content = Content(below("m"), TXT, 60, rdata)
        client.put(content)
        assert client.value(below("m"), TXT) == rrset(content)
        assert client.confirm(exactly(content)) == Holds()

    def test_what_lies_outside_the_zone_is_refused(self, client: Client, subject: Subject) -> None:
        before, serial = subject.contents(), client.serial()
        reply = client.replace([], [a(below("e"), 1), a("e.example.org", 1)])
        assert isinstance(reply, Refused)
        assert "NOTZONE" in reply.why
        reply = client.replace([Prerequisite("e.example.org", TXT, ())], [a(below("e"), 1)])
        assert isinstance(reply, Refused)
        assert (subject.contents(), client.serial()) == (before, serial)
        assert isinstance(client.read(("e.example.org", A))[0], Unknown)

    # Readings: wildcards, empty non-terminals, many

    def put_and_delete(self, client: Client, owner: str) -> None:
        """So that names above it have been."""
        client.put(txt(owner, "was here"))
        client.put(txt(owner))

    def made(self, source: Content) -> RRset | None:
        """The reading of a name that a wildcard covers."""
        return rrset(source) if self.promises.synthesises else None

    def covered(self, source: Content) -> RRset | None:
        """The same where names below have been before."""
        return self.made(source) if self.promises.keeps_empty_names else None

    @pytest.mark.parametrize("source", WILDCARDS)
    def test_wildcards_answer_but_prerequisites_are_literal(self, client: Client, source: Content) -> None:
        client.put(source)
        owner, key_type = below("new"), A if source.rtype == CNAME else source.rtype
        synthesised = client.value(owner, key_type)
        assert synthesised == self.made(source)
        assert client.confirm(Prerequisite(owner, source.rtype, source.rdata)) == Fails()
        assert client.confirm(Prerequisite(owner, source.rtype, ())) == Holds()
        assert client.confirm(exactly(source)) == Holds()
        assert client.replace([Prerequisite(owner, source.rtype, ())], [a(owner, 1)]) == Written()
        assert client.value(owner, A) == rrset(a(owner, 1))

    def test_many_missing_markers_under_a_wildcard_read_as_garbage(self, client: Client) -> None:
        """No short cut may hide what a wildcard makes of the markers' subtree."""
        markers = [marker_owner(below(f"e{number}"), ZONE) for number in range(40)]
        self.put_and_delete(client, markers[0])
        client.put(txt(below("*"), "foreign"))
        assert set(client.read(*((marker, int(TXT)) for marker in markers))) == {self.covered(txt("", "foreign"))}
        client.put(txt(markers[0], "mine"))
        values = client.read(*((marker, int(TXT)) for marker in markers))
        assert values == (rrset(txt("", "mine")), *[None] * 39)

    def test_many_missing_markers_under_a_wildcard_cname(self, client: Client) -> None:
        """The alias's target does not exist: NXDOMAIN, and yet no proof that nothing is there (RFC 6604)."""
        markers = [marker_owner(below(f"e{number}"), ZONE) for number in range(40)]
        self.put_and_delete(client, markers[0])
        client.put(cname(below("*"), below("nothing.at.all")))
        expected = self.covered(cname("", below("nothing.at.all")))
        assert set(client.read(*((marker, int(TXT)) for marker in markers))) == {expected}

    def test_markers_do_not_disturb_wildcards(self, client: Client) -> None:
        client.put(a(below("*"), 9), txt(marker_owner(below("e"), ZONE), "g1"))
        client.put(txt(marker_owner(below("*"), ZONE), "g1"))
        assert client.value(below("e"), A) == self.made(a("", 9))
        assert client.value(below("other"), A) == self.made(a("", 9))

    def test_an_empty_non_terminal_hides_the_wildcard(self, client: Client) -> None:
        client.put(a(below("*"), 9), a(below("deep.inner"), 1))
        assert client.value(below("inner"), A) is None
        assert client.value(below("other.inner"), A) is None
        assert client.value(below("other.outer"), A) == self.made(a("", 9))
        client.put(a(below("deep.inner")))
        assert client.value(below("inner"), A) == self.covered(a("", 9))

    def test_many_keys_at_once(self, client: Client) -> None:
        names = [below(f"e{number}") for number in range(300)]
        keys: list[Key] = []
        for name in names:
            keys += [(marker_owner(name, ZONE), int(TXT)), (name, int(A)), (name, int(AAAA))]
        assert set(client.read(*keys)) == {None}
        client.put(a(names[7], 7), txt(marker_owner(names[9], ZONE), "g9"), txt(subtree(ZONE), "here"))
        expected: dict[Key, RRset] = {(names[7], int(A)): rrset(a("", 7))}
        expected[marker_owner(names[9], ZONE), int(TXT)] = rrset(txt("", "g9"))
        assert client.read(*keys) == tuple(expected.get(key) for key in keys)
        assert client.read() == ()

    # Under contention, and at length

    def test_interleaved_writers_lose_nothing(self, subject: Subject, seed: int) -> None:
        dice, owner, name = random.Random(seed), below("m"), below("e")
        clients = [Client(subject.connect()) for _ in range(4)]
        held: list[RRset | None] = [None] * 4
        won = 0
        for _ in range(200):
            number = dice.randrange(4)
            if dice.random() < 0.5:
                held[number] = clients[number].value(owner, TXT)
                continue
            seen = held[number]
            now = int(seen.rdata[0][1:].split()[0]) if seen else 0
            wanted = Prerequisite(owner, TXT, seen.rdata if seen else ())
            contents = [txt(owner, f"{now + 1} by {number}"), a(name, (now + 1) % 250)]
            reply = clients[number].replace([wanted], contents)
            won += reply == Written()
            assert reply in (Written(), Conflict())
            contents_now = subject.contents()
            assert contents_now[owner, TXT].rdata[0][1:].split()[0] == str(won).encode()
            assert contents_now[name, A] == rrset(a("", won % 250))
        assert won > 20

    def test_random_requests_are_answered_as_specified(self, subject: Subject, client: Client, seed: int) -> None:
        dice = random.Random(seed)
        state = ZoneState(ZONE, subject.contents())
        replies = set()
        for _ in range(self.random_changes):
            keys = tuple({(dice.choice(OWNERS), dice.choice(TYPES)) for _ in range(6)})
            specified: object
            self.read_as_specified(client, state, keys)
            wanted = random_prerequisites(dice, state)
            _, specified = apply(state, Confirm(ZONE, wanted))
            assert client.provider.perform(Confirm(ZONE, wanted)) == specified, wanted
            change = Replace(ZONE, Write("", wanted, ()), (Write("e", (), random_contents(dice)),))
            after, specified = apply(state, change)
            serial = client.serial()
            reply = client.provider.perform(change)
            if specified == Written() and self.promises.beside_cname == "refused" and state.skips(change.contents):
                assert isinstance(reply, Refused), change
                after = state
            else:
                assert reply == specified, change
            assert subject.contents() == after.rrsets, change
            if after != state and self.promises.tells_serial:
                assert client.changes(serial).serial != serial, change
            if specified == Conflict():
                assert client.changes(serial) == Changes(serial, ())
            state = after
            replies.add(type(specified))
        assert replies == {Written, Conflict}

    def read_as_specified(self, client: Client, state: ZoneState, keys: tuple[Key, ...]) -> None:
        """Every reading; where empty names are not kept as they should be, a wildcard may answer or not."""
        _, specified = apply(state, Read(ZONE, keys))
        assert isinstance(specified, Readings)
        for key, value, wanted in zip(keys, client.read(*keys), specified.values, strict=True):
            owner, rtype = key
            possible = [wanted]
            if not self.promises.synthesises:
                possible = [state.rrsets.get((owner, int(CNAME)), state.rrsets.get(key))]
            elif not self.promises.keeps_empty_names and not {key, (owner, int(CNAME))} & state.rrsets.keys():
                wild = {held: rrset for held, rrset in state.rrsets.items() if held[0].startswith("*.")}
                possible += [None, *(rrset for held, rrset in wild.items() if held[1] in (rtype, CNAME))]
            assert value in possible, key

    def test_changed_owners_are_all_of_them_or_unknown(self, subject: Subject, client: Client, seed: int) -> None:
        """Equal to what a comparison of the whole zone finds; a first look knows nothing. One that never can tell says
        everything once, and then nothing."""
        dice = random.Random(seed)
        known, told = client.changes(None), 0
        assert known.owners is None
        assert client.changes(known.serial) == Changes(known.serial, ())
        before = subject.contents()
        for _ in range(30):
            for _ in range(dice.randint(0, 3)):
                client.replace([], list(random_contents(dice)))
            known = client.changes(known.serial)
            after = subject.contents()
            changed = {key[0] for key in before | after if before.get(key) != after.get(key)}
            if known.owners is not None and self.promises.tells_serial:
                assert changed <= set(known.owners)
                told += bool(changed)
            before = after
        self.told(told)

    def told(self, count: int) -> None:
        """How often of thirty times the owners were known; a provider that promises to know overrides this."""
