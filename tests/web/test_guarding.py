"""Who may ask: host names, passwords, tokens, sizes; what every answer carries; and marks that are posted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from standfast.runtime.tailing import Follower
from web.scene import Scene, Served, served

PASSWORD, TOKEN = "correct horse battery", "0123456789abcdef"


@pytest.fixture
def page(unserved: Scene) -> Iterator[Served]:
    with served(unserved.stage, token=TOKEN) as one:
        yield one


def test_every_answer_carries_the_headers(page: Served) -> None:
    for path in ("", "static/page.css", "nothing", "events"):
        answer = page.get(path)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "Traceback" not in answer.text
    assert "immutable" in page.get("static/page.css?v=1").headers["cache-control"]
    assert "<style" not in page.get().text
    assert " style=" not in page.get().text


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8053", "192.0.2.1", "[2001:db8::1]:80", "", "localhost.evil"]
)
def test_on_loopback_it_answers_to_no_other_name(page: Served, host: str) -> None:
    assert page.get(Host=host).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:80", "127.0.0.2"])
def test_it_answers_to_its_own_names(page: Served, host: str) -> None:
    assert page.get("static/icon.svg", Host=host).status_code == 200


def test_a_password_is_asked_for(unserved: Scene) -> None:
    with served(unserved.stage, password=PASSWORD, hosts=("ops.example.com",)) as page:
        refused = page.get()
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert "lb.example.com" not in refused.text
        for path in ("live", "incident.json", "state.nsupdate", "static/page.js"):
            assert page.get(path).status_code == 401
        for wrong in (("any", "wrong"), ("any", ""), ("any", PASSWORD + "x")):
            assert httpx.get(page.url, auth=wrong, timeout=60).status_code == 401
        assert page.get(Authorization="Basic !!!").status_code == 401
        assert page.get(Authorization="Bearer").status_code == 401
        with httpx.Client(auth=("any", PASSWORD), timeout=60) as right:
            assert right.get(page.url, headers={"Host": "ops.example.com"}).status_code == 200
            assert right.post(page.url + "events", json={"what": "x"}).status_code == 403


def test_a_deploy_is_marked(page: Served, unserved: Scene) -> None:
    told = {"what": "web 7f3a", "by": "ci", "ref": "https://ci.example/7"}
    assert httpx.post(page.url + "events", json=told, timeout=60).status_code == 401
    wrong = {"Authorization": "Bearer wrong"}
    assert httpx.post(page.url + "events", json=told, headers=wrong, timeout=60).status_code == 401
    assert post(page, told).status_code == 201
    (event,) = Follower(unserved.folder).look()
    assert (event.lane, event.text, event.facts["by"]) == ("deploys", "web 7f3a", "ci")
    page.renewed(2)  # the first of them may have begun before
    assert "web 7f3a" in page.get().text


def post(page: Served, told: object) -> httpx.Response:
    content = told if isinstance(told, bytes) else json.dumps(told).encode()
    return httpx.post(page.url + "events", content=content, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"x" * 5000, 413),
        (b"{", 400),
        (b"\xff", 400),
        ([], 400),
        ({}, 400),
        ({"what": ""}, 400),
        ({"what": "a\nb"}, 400),
        ({"what": "x" * 201}, 400),
        ({"what": 7}, 400),
        ({"what": "x", "at": 1}, 400),
    ],
)
def test_what_is_wrong_with_a_mark_is_said(page: Served, unserved: Scene, told: object, status: int) -> None:
    answer = post(page, told)
    assert answer.status_code == status
    assert answer.text.count("\n") == 1
    assert Follower(unserved.folder).look() == ()


def test_marks_are_bounded(page: Served) -> None:
    assert [post(page, {"what": str(n)}).status_code for n in range(62)] == [201] * 60 + [429] * 2


def test_nothing_else_can_be_done(page: Served) -> None:
    assert httpx.delete(page.url, timeout=60).status_code == 405
    assert httpx.put(page.url, content=b"x", timeout=60).status_code == 405
    assert post(page, {}).status_code == 400
    told = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.post(page.url, headers=told, timeout=60).status_code in (404, 405)
    assert page.get("?q=" + "x" * 3000).status_code == 414
    for path in ("static/../app.py", "static/%2e%2e%2fapp.py", "static/page.html", "nothing"):
        assert page.get(path).status_code == 404
