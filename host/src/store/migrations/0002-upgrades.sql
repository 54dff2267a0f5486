-- Upgrades of old environments: the runs, and the process that works on one. The proposals of a run are in a journal of
-- its own until its end, which is one revision.
CREATE TABLE upgrade_run (
    id       INTEGER PRIMARY KEY,
    plan     TEXT NOT NULL UNIQUE,
    state    TEXT NOT NULL,
    base     INTEGER NOT NULL,
    source   TEXT NOT NULL,
    digest   TEXT NOT NULL,
    who      TEXT NOT NULL,
    started  TEXT NOT NULL,
    ended    TEXT,
    revision INTEGER REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    undone   INTEGER REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    report   TEXT,
    failure  TEXT
) STRICT;

-- The steps of a run, with the components that were called.
CREATE TABLE upgrade_step (
    run     INTEGER NOT NULL REFERENCES upgrade_run (id),
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    digest  TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

-- The lease of a run. Each taking gets a larger token, and a process with a smaller one cannot write any more.
CREATE TABLE upgrade_lease (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    run   INTEGER REFERENCES upgrade_run (id),
    owner TEXT NOT NULL,
    token INTEGER NOT NULL,
    beat  INTEGER NOT NULL
) STRICT;

INSERT INTO upgrade_lease (one, run, owner, token, beat) VALUES (1, NULL, '', 0, 0);
