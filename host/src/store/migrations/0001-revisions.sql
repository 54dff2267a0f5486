-- Every write makes one revision. Rows are never overwritten: a row holds from `since` until just before `until`.
CREATE TABLE revision (
    id  INTEGER PRIMARY KEY,
    at  TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;

CREATE TABLE item (
    kind  TEXT NOT NULL,
    name  TEXT NOT NULL,
    since INTEGER NOT NULL REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    until INTEGER REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    layer TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (kind, name, since)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX item_now ON item (kind, name) WHERE until IS NULL;
CREATE INDEX item_since ON item (since);
CREATE INDEX item_until ON item (until) WHERE until IS NOT NULL;

-- Direct assignments. The key begins with the login, because an experience is looked up by login.
CREATE TABLE assignment (
    login   TEXT NOT NULL,
    profile TEXT NOT NULL,
    since   INTEGER NOT NULL REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    until   INTEGER REFERENCES revision (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (login, profile, since)
) STRICT, WITHOUT ROWID;

CREATE INDEX assignment_of_profile ON assignment (profile, login) WHERE until IS NULL;
CREATE INDEX assignment_since ON assignment (since);
CREATE INDEX assignment_until ON assignment (until) WHERE until IS NOT NULL;
