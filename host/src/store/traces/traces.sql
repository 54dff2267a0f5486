-- The log of plugin calls, in a side database. If the file is lost, only the log is lost.
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

-- Exact counts by the hour, which is counted from 1970. The step is empty for calls that were not of a step.
CREATE TABLE tally (
    plugin  TEXT NOT NULL,
    version TEXT NOT NULL,
    step    TEXT NOT NULL,
    hour    INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (plugin, version, step, hour)
) STRICT, WITHOUT ROWID;
