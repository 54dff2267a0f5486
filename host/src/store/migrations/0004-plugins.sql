-- Components of plugins, by digest. What serves is said by the items of the collection `plugins`; a component stays when nothing names
-- it any more, so that an old revision can still be asked.
CREATE TABLE component (
    digest  TEXT PRIMARY KEY,
    plugin  TEXT NOT NULL,
    version TEXT NOT NULL,
    at      TEXT NOT NULL,
    who     TEXT NOT NULL,
    size    INTEGER NOT NULL,
    bytes   BLOB NOT NULL
) STRICT;

CREATE INDEX component_of_plugin ON component (plugin, version);

-- Components that could not be used, the last of each version, with the reason.
CREATE TABLE component_failure (
    plugin  TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  TEXT NOT NULL,
    at      TEXT NOT NULL,
    who     TEXT NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (plugin, version)
) STRICT, WITHOUT ROWID;

-- Calls of asynchronous steps that a revision asked for. A row goes in the transaction that wrote the revision, and leaves in the
-- one that writes what the step proposed.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    event    TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    plugin   TEXT NOT NULL,
    step     TEXT NOT NULL,
    message  TEXT NOT NULL,
    body     TEXT NOT NULL,
    hops     INTEGER NOT NULL,
    state    TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    taken    INTEGER,
    code     TEXT,
    reason   TEXT
) STRICT;

CREATE INDEX outbox_due ON outbox (state, due);
