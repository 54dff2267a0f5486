-- The audit, in a side database: denied calls never wait for a change of the configuration, nor does a change wait for
-- them.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    token   TEXT NOT NULL,
    outcome TEXT NOT NULL,
    event   TEXT NOT NULL
) STRICT;

CREATE INDEX audit_of_token ON audit (token, id);
CREATE INDEX audit_by_outcome ON audit (outcome, id);
