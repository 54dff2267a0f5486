-- The journal of one run of an upgrade, in a file of its own.
CREATE TABLE state (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    token  INTEGER NOT NULL,
    phase  TEXT NOT NULL,
    step   INTEGER NOT NULL,
    cursor INTEGER NOT NULL
) STRICT;

INSERT INTO state VALUES (1, 0, 'reading', 0, 0);

-- Every row that was read, with its outcome. `rank` decides which outcome counts if there are several.
CREATE TABLE source_row (
    ordinal INTEGER PRIMARY KEY,
    tab     TEXT NOT NULL,
    id      TEXT NOT NULL,
    content TEXT NOT NULL,
    rank    INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    step    TEXT,
    kind    TEXT,
    name    TEXT,
    reason  TEXT
) STRICT;

CREATE UNIQUE INDEX source_row_key ON source_row (tab, id);
CREATE INDEX source_row_id ON source_row (id);
CREATE INDEX source_row_open ON source_row (tab, ordinal) WHERE rank = 0;

-- The links between rows: look-ups, and many-to-many links.
CREATE TABLE edge (
    ordinal   INTEGER PRIMARY KEY,
    relation  TEXT NOT NULL,
    tab       TEXT NOT NULL,
    id        TEXT NOT NULL,
    other_tab TEXT NOT NULL,
    other     TEXT NOT NULL,
    is_link   INTEGER NOT NULL
) STRICT;

CREATE INDEX edge_from ON edge (id);
CREATE INDEX edge_to ON edge (other);

-- The proposals of steps, unchecked.
CREATE TABLE proposal (
    ordinal    INTEGER PRIMARY KEY,
    step       INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    proposed   TEXT NOT NULL,
    aliases    TEXT NOT NULL,
    merges     INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    sources    TEXT NOT NULL,
    name       TEXT
) STRICT;

CREATE INDEX proposal_name ON proposal (kind, name);

-- The names by which references may call an item.
CREATE TABLE alias (
    kind  TEXT NOT NULL,
    alias TEXT NOT NULL,
    name  TEXT NOT NULL,
    PRIMARY KEY (kind, alias, name)
) STRICT, WITHOUT ROWID;

-- Items as they will be written.
CREATE TABLE item (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    step TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    ordinal INTEGER PRIMARY KEY,
    step    TEXT NOT NULL,
    code    TEXT NOT NULL,
    place   TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
