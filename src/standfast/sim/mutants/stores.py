"""Mutants of the plan stores on several machines: what is compared in S3 and in PostgreSQL, and how it is settled."""

from typing import Final

from .mutant import Judge, Mutant

_S3: Final = "adapters/stores/s3.py"
_LEDGER: Final = "adapters/stores/s3_ledger.py"
_POSTGRESQL: Final = "adapters/stores/postgresql.py"


def _mutant(judge: Judge, name: str, file: str, old: str, new: str, rule: str) -> Mutant:
    return Mutant(name=name, file=file, old=old, new=new, rule=rule, expected=("store", "test_"), judges=(judge,))


STORES: Final = (
    _mutant(
        "s3",
        "S3: of several sources those that may be put are put",
        _S3,
        "                if one.revision <= (before.revision if before else 0):\n",
        "                if one is puts[0] and one.revision <= (before.revision if before else 0):\n",
        "store: several sources are put together or not at all",
    ),
    _mutant(
        "s3",
        "S3: a publication does not heed the fence",
        _S3,
        "            usable = drafts and drafts[-1][0] == catalogue.fence and set(drafts[-1][1][:-1]) <= set(there)\n",
        "            usable = drafts and set(drafts[-1][1][:-1]) <= set(there)\n",
        "store: what a clean-up may have deleted is not referred to",
    ),
    _mutant(
        "s3",
        "S3: a clean-up deletes what is newer than its fence",
        _LEDGER,
        "if _OURS.fullmatch(key) and not key.startswith(begin)]\n",
        "if _OURS.fullmatch(key)]\n",
        "store: clean-up deletes only what nothing can refer to any more",
    ),
    _mutant(
        "s3",
        "S3: sources are not compared",
        _S3,
        "        if stored and stored.revision > revision:\n",
        "        if stored and stored.revision < 0:\n",
        "planner: publishing asserts that the store holds no newer source",
    ),
    _mutant(
        "s3",
        "S3: a lost reply is settled without the nonce",
        _LEDGER,
        "            if nonce in now.catalogue.recent:\n",
        "            if now.catalogue.version > seen.catalogue.version:\n",
        "store: a write is done only if its own nonce says so",
    ),
    _mutant(
        "s3",
        "S3: written over whatever stands there",
        _LEDGER,
        "                self.seen = Seen(self.bucket.put(CATALOGUE, body, over=seen.etag), ours)\n",
        "                self.seen = Seen(self.bucket.put(CATALOGUE, body, over=self.fetch().etag), ours)\n",
        "store: each version is written from exactly the one that was decided upon",
    ),
    _mutant(
        "postgresql",
        "PostgreSQL: sources are not compared",
        _POSTGRESQL,
        "        if stored.get(name, 0) > revision:\n",
        "        if stored.get(name, 0) < 0:\n",
        "planner: publishing asserts that the store holds no newer source",
    ),
    _mutant(
        "postgresql",
        "PostgreSQL: a lost reply is settled without the nonce",
        _POSTGRESQL,
        "        return nonce in now.recent\n",
        "        return now.version >= version\n",
        "store: a write is done only if its own nonce says so",
    ),
    _mutant(
        "postgresql",
        "PostgreSQL: writers do not wait for each other",
        _POSTGRESQL,
        "                    before = self._met(read_version(cursor, locked=True))\n",
        "                    before = self._met(read_version(cursor))\n",
        "store: writers stand in one order, each sees all that the one before it wrote",
    ),
    _mutant(
        "postgresql",
        "PostgreSQL: collect takes the head",
        _POSTGRESQL,
        "    doomed = there & set(generations) - pins - {version.generation}\n",
        "    doomed = there & set(generations) - pins\n",
        "clean-up: not head",
    ),
    _mutant(
        "s3",
        "S3: clean-up takes whatever lies below the prefix",
        _LEDGER,
        "if _OURS.fullmatch(key) and not key.startswith(begin)]\n",
        "if not key.startswith(begin)]\n",
        "store: clean-up deletes what it made, nothing of others",
    ),
    _mutant(
        "s3",
        "S3: the 404 of a proxy is believed",
        "adapters/stores/s3_bucket.py",
        '    if code == "NoSuchKey" or (bare and status == 404):\n',
        "    if status == 404:\n",
        "unknown is not empty: only the store's own word says that something is gone",
    ),
    _mutant(
        "postgresql",
        "PostgreSQL: tables that may not be seen are taken for missing",
        "adapters/stores/postgresql_connection.py",
        "self._hidden() or meaning if isinstance(meaning, NoStore) else meaning",
        "meaning",
        "unknown is not empty: a missing right is no missing store",
    ),
    _mutant(
        "postgresql",
        "PostgreSQL: a standby that is behind is believed",
        "adapters/stores/postgresql_connection.py",
        "'REPEATABLE READ'}, READ WRITE\"\n",
        "'REPEATABLE READ'}\"\n",
        "unknown is not empty: a reading that may be behind is no store that was set back",
    ),
    _mutant(
        "conformance",
        "a plan of another version is written anew under its old name",
        "model/shards.py",
        '            stored[digest] = node, b"" if own else octets or b""\n',
        '            stored[digest] = node, b""\n',
        "store: what is read is what was put there, by whichever version",
    ),
)
