-- The columns by which current people are found and sorted in lists. A copy of data in `item`, written together with
-- it. `first_role` is empty for a person without roles: that sorts first everywhere.
CREATE TABLE person (
    login        TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    first_role   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE person_role (
    login TEXT NOT NULL,
    role  TEXT NOT NULL,
    PRIMARY KEY (login, role)
) STRICT, WITHOUT ROWID;

INSERT INTO person (login, display_name, first_role)
SELECT name, json_extract(body, '$.displayName'), coalesce((SELECT min(value) FROM json_each(body, '$.roles')), '')
  FROM item WHERE kind = 'users' AND until IS NULL;

INSERT INTO person_role (login, role)
SELECT DISTINCT name, value FROM item, json_each(body, '$.roles') WHERE kind = 'users' AND until IS NULL;

-- Made when the rows exist, so that they are sorted on disk and not one by one.
CREATE INDEX person_by_display_name ON person (display_name, login);
CREATE INDEX person_by_first_role ON person (first_role, login);
CREATE INDEX person_by_role ON person_role (role, login);
