-- Values that the host sends to other hosts. In a side database that only its owner may read, so that no copy of the
-- configuration has them.
CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at    TEXT NOT NULL,
    who   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
