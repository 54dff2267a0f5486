-- What components say about themselves, beside them: what a plugin should be asked about is known where its component is lost.
CREATE TABLE component_manifest (
    digest   TEXT PRIMARY KEY,
    size     INTEGER NOT NULL,
    manifest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
