-- Values that the host shows to others. In a database of its own, which only its owner may read, so that no copy of the configuration
-- has them.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at    TEXT NOT NULL,
    who   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
