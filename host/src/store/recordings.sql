-- Recorded calls of plugins, in a side database: the file is removed together with the recordings.
CREATE TABLE recording (
    id       TEXT PRIMARY KEY,
    plugin   TEXT NOT NULL,
    digest   TEXT NOT NULL,
    -- What was asked, hashed: the same question is kept once.
    question TEXT NOT NULL,
    version  TEXT NOT NULL,
    tool     TEXT NOT NULL,
    profile  TEXT NOT NULL,
    -- Some of the people it was about, with the milliseconds of Unix time when they are forgotten, as a JSON object.
    users    TEXT NOT NULL,
    status   TEXT NOT NULL,
    at       TEXT NOT NULL,
    -- Milliseconds of Unix time.
    expires  INTEGER NOT NULL,
    seen     INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (plugin, digest, question)
) STRICT, WITHOUT ROWID;

CREATE INDEX recording_by_expiry ON recording (expires);
CREATE INDEX recording_by_time ON recording (plugin, at);

-- The counts of a trial: one row for each version on trial and the component it is compared with. Holds no values and
-- no names of people.
CREATE TABLE trial (
    plugin    TEXT NOT NULL,
    serving   TEXT NOT NULL,
    tried     TEXT NOT NULL,
    since     INTEGER NOT NULL,
    asked     INTEGER NOT NULL,
    different INTEGER NOT NULL,
    broke     INTEGER NOT NULL,
    last      TEXT,
    PRIMARY KEY (plugin, serving, tried, since)
) STRICT, WITHOUT ROWID;

CREATE TABLE trial_difference (
    plugin  TEXT NOT NULL,
    serving TEXT NOT NULL,
    tried   TEXT NOT NULL,
    since   INTEGER NOT NULL,
    profile TEXT NOT NULL,
    tool    TEXT NOT NULL,
    field   TEXT NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (plugin, serving, tried, since, profile, tool, field)
) STRICT, WITHOUT ROWID;
