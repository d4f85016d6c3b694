"""Ten thousand names: folded, quick enough, small, and each can be found."""

from __future__ import annotations

import time

from e2e.roles import until
from web.scene import REFUSED, Scene, served

COUNT = 10_000


def test_ten_thousand_names(unserved: Scene) -> None:
    stage = unserved.stage
    unserved.setting("".join(f"  n{number:05}: {{}}\n" for number in range(COUNT)))
    stage.publish(lb_b1=REFUSED)
    with unserved.living(), served(stage) as page:
        until(lambda: page.get().status_code == 200, "a first look is over", 120)
        answer = page.get()
        assert answer.status_code == 200
        assert len(answer.content) < 60_000
        assert f"{COUNT:,} names" in answer.text
        assert "… 9,992 more" in answer.text
        assert page.get("?q=n04711").text.count('class="row') == 1 + 1  # and the table's own class
        last = page.get("?names=all&page=167").text
        assert "page 167 of 167" in last
        assert "n09999" in last
        opened = page.get("?open=n09999.lb.example.com")
        assert "lb-b1 failed 3 checks in a row" in opened.text
        page.renewed()
        began = time.monotonic()
        page.get("?q=n0")
        assert time.monotonic() - began < 30
