"""Every key the configuration knows, section by section. `standfast.schema.json` lists the same (a test compares)."""

from typing import Final

ROOT: Final = (
    "zone",
    "zones",
    "stream",
    "state",
    "store",
    "health",
    "vantage",
    "load_balancers",
    "endpoints",
    "policy",
    "retention",
    "journal",
    "metrics",
    "monitor",
    "notify",
    "web",
    "registry",
    "prefixes",
)
HOSTED: Final = (
    *("hosted_zone", "region", "assume_role", "endpoint", "requests_per_second", "burst"),
    *("patrol", "found_within", "health_checks"),
)
PLUGGED: Final = ("options", "accept")
HEALTH_CHECKS: Final = ("for", "interval", "fall", "switch")
ZONE: Final = ("name", "provider", "server", "tsig", "look", "secondaries", "prefixes", *HOSTED, *PLUGGED)
TSIG: Final = ("enactor", "planner", "cleaner", "prober")
HEALTH: Final = (
    "tcp",
    "http",
    "https",
    "host",
    "port",
    "status",
    "body",
    "ca",
    "interval",
    "timeout",
    "fall",
    "rise",
    "warm_up",
    "damp_max",
    "concurrent",
)
STORE_SQLITE: Final = ("in", "path")
STORE_S3: Final = ("in", "bucket", "prefix", "region", "endpoint", "look", "timeout")
STORE_POSTGRESQL: Final = (
    *("in", "host", "port", "database", "user", "password", "schema", "tls", "ca", "certificate", "key"),
    *("look", "timeout"),
)
STORE_PLUGIN: Final = ("in", "options")
VANTAGE: Final = ("az",)
LOAD_BALANCER: Final = ("az", "ip", "alias", "capacity", "pool", "admin", "port")
ALIAS: Final = ("name", "zone", "families")
SOURCE_DECLARED: Final = ("from", "name", "load_balancers")
SOURCE_FILE: Final = ("from", "name", "path")
SOURCE_HTTP: Final = ("from", "name", "url", "headers", "ca", "every", "timeout")
SOURCE_AWS: Final = ("from", "name", "region", "scheme", "tags", "target_health", "endpoint", "every", "timeout")
SOURCE_KUBERNETES: Final = (
    *("from", "name", "what", "server", "token", "ca", "namespace", "selector", "az", "every", "timeout"),
)
SOURCE_LEASES: Final = ("from", "name", "local_health", "pools", "every")
SOURCE_PLUGIN: Final = ("from", "name", "options", "every")
POLICY: Final = (
    "ttl",
    "min_answers",
    "max_answers",
    "hold_below",
    "removal",
    "adding",
    "on_panic",
    "az_loss",
    "reserve",
    "rotation",
    "coalesce",
    "slow_start",
)
ENDPOINT: Final = (
    "ttl",
    "min_answers",
    "max_answers",
    "azs",
    "pools",
    "families",
    "zone",
    "hold_below",
    "removal",
    "adding",
    "on_panic",
    "az_loss",
    "kind",
    "follows",
    "need",
    "rotation",
    "layout",
)
RETENTION: Final = ("plans", "days", "trees", "tree_grace")
JOURNAL: Final = ("days", "total", "file")
METRICS: Final = ("listen",)
MONITOR: Final = ("interval", "rate")
NOTIFY: Final = ("webhook", "template", "key", "level")
WEB: Final = ("listen", "password", "token", "certificate", "key", "hosts")
REGISTRY: Final = (
    *("listen", "keys", "operator", "term", "answer_within", "limit", "connections", "certificate", "key"),
    "clear_text",
)
REGISTRY_KEY: Final = ("secret", "load_balancers", "derived")
AGENT: Final = (
    *("id", "registries", "key", "ca", "az", "pool", "ip", "capacity", "admin", "port", "drain_file", "check"),
    "timeout",
    "clear_text",
)
AGENT_CHECK: Final = ("tcp", "http", "https", "host", "port", "interval", "timeout", "fall", "rise")
FLEET_FILE: Final = ("load_balancers", "count")
