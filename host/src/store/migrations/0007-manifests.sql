-- The manifests of components, beside the components: the duties of a plugin stay known if its component is lost.
CREATE TABLE component_manifest (
    digest   TEXT PRIMARY KEY,
    size     INTEGER NOT NULL,
    manifest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
