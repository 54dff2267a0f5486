//! Tests of the promises of the store about tokens.

use jiff::ToSpan;
use tempfile::TempDir;

use crate::domain::access::{AccessRole, AuditOutcome};
use crate::store::AuditFilter;

use super::*;

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

fn new(name: &str) -> NewToken {
    NewToken { name: name.parse().unwrap(), roles: AccessRole::Workspace.into(), expires: None }
}

/// Returns the outcomes in the audit, the oldest first.
fn told(store: &Store) -> Vec<String> {
    let records = store.audit().unwrap().read(&AuditFilter::default(), 100).unwrap();
    let told = records.iter().rev().map(|it| format!("{} {}", it.entry.token, it.entry.event.outcome().as_str()));
    told.collect()
}

#[test]
fn a_token_is_found_by_its_secret_alone() {
    let (_folder, store) = store();
    let (token, secret) = store.create_token(&new("desk"), "admin").unwrap();
    let (_, other) = store.create_token(&new("shop"), "desk").unwrap();
    assert_eq!(store.holder(&secret).unwrap().unwrap().token, token);
    assert_eq!(store.holder(&other).unwrap().unwrap().token.created_by, "desk");
    assert!(store.holder(&Secret::of([0; 32])).unwrap().is_none());
    assert_eq!(store.tokens().unwrap().len(), 2);
    assert_eq!(told(&store), ["desk token-created", "shop token-created"]);
}

#[test]
fn a_secret_that_was_replaced_is_known_as_such() {
    let (_folder, store) = store();
    let (_, first) = store.create_token(&new("desk"), "admin").unwrap();
    let (token, second) = store.rotate_token("desk", "admin").unwrap();
    assert!(token.rotated.is_some());
    let replaced = |secret| store.holder(secret).unwrap().map(|holder| holder.replaced);
    assert_eq!((replaced(&first), replaced(&second)), (Some(true), Some(false)));
    assert_eq!(told(&store), ["desk token-created", "desk token-rotated"]);
}

#[test]
fn what_was_revoked_stays_revoked_and_its_name_taken() {
    let (folder, store) = store();
    let (_, secret) = store.create_token(&new("desk"), "admin").unwrap();
    // Another process sees it at once.
    let other = Store::open(folder.path()).unwrap();
    let revoked = other.revoke_token("desk", "admin").unwrap();
    assert_eq!(store.holder(&secret).unwrap().unwrap().token, revoked);
    assert_eq!(store.revoke_token("desk", "somebody").unwrap(), revoked, "a second time changes nothing");
    assert_eq!(told(&store), ["desk token-created", "desk token-revoked"]);
    for (refused, expected) in [
        (
            store.rotate_token("desk", "admin"),
            "the token `desk` is revoked and stays so: make another one under another name",
        ),
        (
            store.create_token(&new("desk"), "admin"),
            "there is, or was, a token `desk` already: choose another name, so that history can tell them apart",
        ),
        (
            store.rotate_token("none", "admin"),
            "there is no token `none`: type `loadout token list`, or ask `/api/v1/tokens`",
        ),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }
    assert_eq!(told(&store).len(), 2, "what was refused did not happen");
    let outcome = AuditFilter { outcome: Some(AuditOutcome::TokenRevoked), ..AuditFilter::default() };
    assert_eq!(store.audit().unwrap().read(&outcome, 9).unwrap().len(), 1);
}

#[test]
fn a_token_cannot_be_born_expired() {
    let (_folder, store) = store();
    let past = Timestamp::now().checked_sub(1.second()).unwrap();
    let refused = store.create_token(&NewToken { expires: Some(past), ..new("desk") }, "admin");
    assert!(matches!(refused, Err(Error::PastExpiry { .. })));
    let soon = past.checked_add(1.hour()).unwrap();
    let (token, _) = store.create_token(&NewToken { expires: Some(soon), ..new("desk") }, "admin").unwrap();
    assert_eq!(token.expires, Some(soon));
}

#[test]
fn the_last_use_is_known_to_the_hour() {
    let (_folder, store) = store();
    let (token, _) = store.create_token(&new("desk"), "admin").unwrap();
    let used = |text: &str| {
        let at = text.parse().unwrap();
        let news = is_news(&store.token("desk").unwrap(), at);
        store.note_use(&token.name, at).unwrap();
        (news, store.token("desk").unwrap().last_used.unwrap().to_string())
    };
    assert_eq!(used("2026-05-01T10:20:30Z"), (true, "2026-05-01T10:00:00Z".to_owned()));
    assert_eq!(used("2026-05-01T10:59:59Z"), (false, "2026-05-01T10:00:00Z".to_owned()));
    assert_eq!(used("2026-05-01T11:00:00Z"), (true, "2026-05-01T11:00:00Z".to_owned()));
    assert_eq!(used("2026-05-01T09:00:00Z").1, "2026-05-01T11:00:00Z", "a note that comes late changes nothing");
}

#[test]
fn no_secret_is_in_any_file() {
    let (folder, store) = store();
    let (_, first) = store.create_token(&new("desk"), "admin").unwrap();
    let (_, second) = store.rotate_token("desk", "admin").unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [&first, &second] {
            let hex = secret.reveal().trim_start_matches("loadout_").as_bytes();
            assert!(!bytes.windows(hex.len()).any(|window| window == hex));
        }
    }
}
