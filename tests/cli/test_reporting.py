"""`--json` of what changes something: one object on standard output, and the lines for people on standard error."""

from cli.stage import DOWN, ENDPOINTS, ZONE, Stage

WWW = f"www.{ZONE}"
WHY = ("--yes", "--reason", "kernel")


def test_orders_say_what_is_in_force_and_what_was(stage: Stage) -> None:
    stage.publish()
    stage.everybody()
    said = stage.run("override", "lb-c1", "down", "--for", "30m", *WHY, "--json")
    assert (said.code, said.json["ok"], said.json["kept"]) == (0, True, []), said
    order = said.json["override"]
    assert (order["target"], order["state"], order["reason"]) == ("lb-c1", "down", "kernel")
    assert said.json["replaced"] is None
    assert "Next:  standfast status" in said.err
    drained = stage.run("drain", "lb-c1", *WHY, "--json").json
    assert (drained["action"], drained["override"]["state"]) == ("drain", "drain")
    assert drained["replaced"]["state"] == "down"
    ended = stage.run("drain", "lb-c1", "--end", "--json").json
    assert (ended["action"], ended["target"], ended["override"], ended["ok"]) == ("drain", "lb-c1", None, True)
    assert ended["replaced"]["state"] == "drain"
    moved = stage.run("evacuate", "az", "c", *WHY, "--json").json
    assert (moved["action"], moved["override"]["scope"], moved["override"]["target"]) == ("evacuate", "az", "c")
    cleared = stage.run("override", "all", "--clear", *WHY, "--json").json
    assert (cleared["target"], cleared["ok"]) == ("all", True)
    assert stage.run("override", "--json").json["overrides"] == []


def test_waiting_says_how_it_ended(stage: Stage) -> None:
    stage.publish()
    said = stage.run("drain", "lb-a1", "--wait", "--timeout", "1s", *WHY, "--json")
    assert (said.code, said.json["ok"], said.json["waited"]) == (1, False, "late")
    assert said.json["ttl"] == 60
    assert "nobody acts on it yet" in said.err


def test_generations_and_decisions(stage: Stage) -> None:
    stage.publish()
    stage.publish(lb_b1=DOWN)
    assert stage.run("pin", "1", "--reason", "r", "--json").json == {
        "ok": True, "action": "pin", "generation": 1, "pinned": True, "reason": "r"
    }  # fmt: skip
    assert stage.run("unpin", "1", "--json").json["pinned"] is False
    held = stage.run("hold", "www", "--reason", "load test", "--json").json
    assert (held["action"], held["endpoint"], held["generation"], held["ok"]) == ("hold", WWW, 3, True)
    assert "load test" in held["held"]
    back = stage.run("resume", "www", "--json").json
    assert (back["action"], back["generation"], back["held"]) == ("resume", 4, None)


def test_a_refusal_gives_no_object(stage: Stage) -> None:
    stage.publish()
    said = stage.run("retire", "www", "--json")
    assert (said.code, said.out) == (3, "")
    assert "Add --yes --reason" in said.err


def test_emergency_adoption_and_the_end_of_a_name(served: Stage) -> None:
    served.publish()
    with served.enactor():
        served.everybody()
        served.settled()
    served.configure(endpoints=f"{ENDPOINTS}  pay: {{}}\n")
    assert served.run("adopt", "pay", "--json").json == {
        "ok": True, "action": "adopt", "zone": ZONE, "endpoint": f"pay.{ZONE}", "result": "not needed"
    }  # fmt: skip
    given = [part for text in ("192.0.2.11", "192.0.2.21", "2001:db8:a::11", "2001:db8:b::21")
             for part in ("--address", text)]  # fmt: skip
    done = served.run("emergency", "publish", "www", *given, *WHY, "--json")
    assert (done.code, done.json["ok"], done.json["read_back"], done.json["held"]) == (0, True, True, True), done
    assert (done.json["endpoint"], done.json["addresses"]) == (WWW, given[1::2])
    ours = served.run("adopt", "www", "--json").json
    assert (ours["result"], ours["generation"]) == ("ours already", done.json["generation"])
    for path in served.place.presence.iterdir():
        path.unlink()
    retired = served.run("retire", "api", *WHY, "--json")
    assert (retired.code, retired.json["in_dns"], retired.json["ok"]) == (2, False, False), "no enactor is running"
