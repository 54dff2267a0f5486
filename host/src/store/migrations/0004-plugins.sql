-- Components of plugins, by digest. The items of the collection `plugins` say which components serve; a component stays
-- when no item names it any more, so that an old revision can still be evaluated.
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

-- Components that could not be used: the last failure of each version, with the reason.
CREATE TABLE component_failure (
    plugin  TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  TEXT NOT NULL,
    at      TEXT NOT NULL,
    who     TEXT NOT NULL,
    reason  TEXT NOT NULL,
    PRIMARY KEY (plugin, version)
) STRICT, WITHOUT ROWID;

-- Events for asynchronous steps. A row is written in the transaction of the revision that leads to it, and deleted in
-- the one that writes the step's proposal.
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
