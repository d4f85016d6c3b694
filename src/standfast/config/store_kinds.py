"""What a configuration says of the plan store, by kind: frozen values, every default filled in."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from standfast.config.secrets import SecretReference

Tls: TypeAlias = Literal["verify-full", "verify-ca", "require", "disable"]
TLS: Final[tuple[Tls, ...]] = ("verify-full", "verify-ca", "require", "disable")
KINDS: Final = ("sqlite", "s3", "postgresql")


@dataclass(frozen=True, slots=True)
class SqliteStoreConfig:
    """One file on a local disk, for the processes of one machine."""

    path: Path
    kind: Literal["sqlite"] = "sqlite"

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class S3StoreConfig:
    """Objects below `prefix` in one bucket. `endpoint` replaces Amazon's own; else the AWS settings of the user hold.

    `look_s` is how often each process looks whether anything is new; `timeout_s` is for one request.
    """

    bucket: str
    prefix: str
    region: str = ""
    endpoint: str = ""
    look_s: float = 1.0
    timeout_s: float = 5.0
    kind: Literal["s3"] = "s3"

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class PostgresqlStoreConfig:
    """One schema of a database. `host` is a name, several with commas, or the directory of a socket."""

    host: str
    database: str
    user: str
    schema: str
    port: int = 5432
    password: SecretReference | None = field(default=None, repr=False)
    tls: Tls = "verify-full"
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    look_s: float = 0.2
    timeout_s: float = 5.0
    kind: Literal["postgresql"] = "postgresql"

    def __str__(self) -> str:
        return f"postgresql://{self.host}/{self.database} schema {self.schema}"


@dataclass(frozen=True, slots=True)
class PluginStoreConfig:
    """Somebody else's: `kind` is the name of an entry point of `standfast.stores`, `options` are for it alone."""

    kind: str
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return self.kind


StoreConfig: TypeAlias = SqliteStoreConfig | S3StoreConfig | PostgresqlStoreConfig | PluginStoreConfig
