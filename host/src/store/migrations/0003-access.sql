-- Named tokens. A row stays after the token is revoked, so that no name is used twice and the history stays readable.
CREATE TABLE access_token (
    name       TEXT PRIMARY KEY,
    roles      TEXT NOT NULL,
    created    TEXT NOT NULL,
    created_by TEXT NOT NULL,
    rotated    TEXT,
    expires    TEXT,
    revoked    TEXT,
    last_used  TEXT
) STRICT, WITHOUT ROWID;

-- The SHA-256 of every secret that a token has or had. A secret is 256 random bits, so it cannot be guessed from its
-- hash, and a slow hash with salt would only make every request slower. The secret itself is not stored.
CREATE TABLE access_secret (
    hash     BLOB PRIMARY KEY,
    token    TEXT NOT NULL REFERENCES access_token (name),
    replaced TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX access_secret_of_token ON access_secret (token) WHERE replaced IS NULL;
