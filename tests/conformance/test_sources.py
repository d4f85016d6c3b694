"""The kit over every kind of source: a file, HTTP, AWS (moto), three kinds of Kubernetes objects, a plug-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lease_subject import OfLeases
from conformance.source_kit import SourceKit
from conformance.source_subject import OfAws, OfFile, OfHttp, OfKubernetes, OfPlugin, Subject, moto_server


class TestFile(SourceKit):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return OfFile(tmp_path)


class TestHttp(SourceKit):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        subject = OfHttp(tmp_path)
        yield subject
        subject.end()


class TestKubernetes(SourceKit):
    @pytest.fixture(params=["services", "gateways", "nodes"])
    def subject(self, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Subject]:
        subject = OfKubernetes(tmp_path, request.param)
        yield subject
        subject.end()


class TestLeases(SourceKit):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        return OfLeases(tmp_path)


class TestPlugin(SourceKit):
    @pytest.fixture
    def subject(self) -> Subject:
        return OfPlugin()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


class TestAws(SourceKit):
    @pytest.fixture
    def subject(self, moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
        subject = OfAws(moto)
        yield subject
        subject.end()
