-- The log of plugin calls, in a file of its own. Nothing is lost with it but itself.
CREATE TABLE call (
    id       TEXT PRIMARY KEY,
    plugin   TEXT NOT NULL,
    version  TEXT NOT NULL,
    message  TEXT NOT NULL,
    resource TEXT NOT NULL,
    step     TEXT,
    outcome  TEXT NOT NULL,
    request  TEXT,
    decision TEXT,
    micros   INTEGER NOT NULL,
    body     TEXT NOT NULL,
    -- What the plugin wrote and where it trapped: long, and read only of one record at a time.
    detail   TEXT
) STRICT;

CREATE INDEX call_plugin ON call (plugin, id);
CREATE INDEX call_request ON call (request) WHERE request IS NOT NULL;
CREATE INDEX call_decision ON call (decision) WHERE decision IS NOT NULL;

-- Exact counts by the hour, which is counted from 1970. A step without a name is empty.
CREATE TABLE tally (
    plugin  TEXT NOT NULL,
    version TEXT NOT NULL,
    step    TEXT NOT NULL,
    hour    INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (plugin, version, step, hour)
) STRICT, WITHOUT ROWID;
