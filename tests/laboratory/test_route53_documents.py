"""`docs/route53-standin.md` says all of what the stand-in has, and the parser has all that it says."""

from __future__ import annotations

import re
from pathlib import Path

from standfast.laboratory.route53.account import Account
from standfast.laboratory.route53.batch import Rules
from standfast.laboratory.route53.faults import ServiceError
from standfast.laboratory.route53.service import Service
from standfast.laboratory.route53.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "route53-standin.md").read_text(encoding="utf-8")


def test_every_switch_is_documented_and_every_documented_one_exists() -> None:
    rows = re.findall(r"^\| ((?:`--[a-z-]+`(?:, )?)+) \|", DOCUMENT, re.MULTILINE)
    documented = {one for row in rows for one in re.findall(r"`--([a-z-]+)`", row)}
    fields = {*Rules.__struct_fields__, *Settings.__struct_fields__} - {"rules"}
    assert documented == {one.replace("_", "-") for one in fields}


def test_every_operation_is_documented() -> None:
    table = DOCUMENT.partition("## What it does")[2].partition("##")[0]
    documented = set(re.findall(r"\b(?:[A-Z]\w*[a-z]\w*)(?=,| \|)", table))
    service = Service(Account(Settings(), 1))

    def does(name: str) -> bool:
        try:
            service.operation(name)
        except ServiceError:
            return False
        return True

    done = {name for name in service.wire.model.operation_names if does(name)}
    assert done | {"AssumeRole", "GetCallerIdentity"} == documented
