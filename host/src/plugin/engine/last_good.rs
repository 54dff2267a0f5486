//! Decisions that are remembered, for tools that get the last good one when their rule breaks.
//!
//! In memory, as many as fit: each plugin has a share of its own, and takes nothing from others. A decision of the past
//! is no newer one: a question about an old revision neither replaces the answer of a newer one, nor gets it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use crate::domain::Revision;
use crate::resolve::Decision;

/// Plugins with decisions that are remembered.
const PLUGINS: NonZeroUsize = NonZeroUsize::new(32).expect("it is not zero");

/// Bytes that are remembered of one plugin: thirty-two of the largest decisions, or thousands of the usual ones.
const SHARE: usize = 8 << 20;

/// Bytes that a decision takes besides what is in it.
const OVERHEAD: usize = 256;

/// A question, by what its answer may depend on. What stands in for an answer has the same key and is no newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugin) struct QuestionKey {
    pub(in crate::plugin) plugin: String,
    pub(in crate::plugin) hash: [u8; 32],
    pub(in crate::plugin) revision: Revision,
}

/// Decisions by the question they answered.
pub(in crate::plugin) struct LastGood(Mutex<LruCache<String, Share>>);

/// What is remembered of one plugin.
struct Share {
    decisions: LruCache<[u8; 32], Kept>,
    bytes: usize,
}

struct Kept {
    revision: Revision,
    decision: Arc<Decision>,
    bytes: usize,
}

impl Default for LastGood {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(PLUGINS)))
    }
}

impl LastGood {
    /// Remembers the answer to a question, unless that to a newer one is.
    pub(in crate::plugin) fn keep(&self, key: &QuestionKey, decision: &Decision) {
        let kept = Kept { revision: key.revision, bytes: weight(decision), decision: Arc::new(decision.clone()) };
        let mut plugins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.get_or_insert_mut(key.plugin.clone(), Share::default).keep(key.hash, kept);
    }

    /// The answer to a question, as it was the last time, if that is not of a newer revision.
    pub(in crate::plugin) fn get(&self, key: &QuestionKey) -> Option<Decision> {
        let mut plugins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = plugins.get_mut(&key.plugin)?.decisions.get(&key.hash)?;
        let decision = (kept.revision <= key.revision).then(|| Arc::clone(&kept.decision))?;
        drop(plugins);
        Some((*decision).clone())
    }
}

impl Default for Share {
    fn default() -> Self {
        Self { decisions: LruCache::unbounded(), bytes: 0 }
    }
}

impl Share {
    fn keep(&mut self, hash: [u8; 32], kept: Kept) {
        if self.decisions.peek(&hash).is_some_and(|known| known.revision > kept.revision) {
            return;
        }
        self.bytes += kept.bytes;
        let mut gone = self.decisions.put(hash, kept);
        loop {
            self.bytes -= gone.map_or(0, |gone| gone.bytes);
            if self.bytes <= SHARE {
                break;
            }
            gone = self.decisions.pop_lru().map(|(_, oldest)| oldest);
        }
    }
}

/// About how many bytes a decision takes.
fn weight(decision: &Decision) -> usize {
    let inside = match decision {
        Decision::Shown { payload, items } => {
            let items: usize = items.iter().map(|item| item.kind.len() + item.name.len() + OVERHEAD).sum();
            payload.iter().map(|(name, value)| name.len() + value.to_string().len()).sum::<usize>() + items
        }
        Decision::Hidden { code, text } => code.len() + text.len(),
    };
    inside + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(plugin: &str, question: u32, revision: u64) -> QuestionKey {
        let mut hash = [0; 32];
        hash[..4].copy_from_slice(&question.to_le_bytes());
        QuestionKey { plugin: plugin.to_owned(), hash, revision: Revision(revision) }
    }

    fn hidden(text: &str) -> Decision {
        Decision::Hidden { code: "none".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_answer_of_the_past_neither_replaces_a_newer_one_nor_is_one_given_for_the_past() {
        let known = LastGood::default();
        for (kept, asked, expected) in [
            (5, 5, Some("at 5")),
            (3, 5, Some("at 5")),
            (3, 4, None),
            (5, 9, Some("at 5")),
            (7, 9, Some("at 7")),
            (7, 5, None),
        ] {
            known.keep(&key("a/b", 1, kept), &hidden(&format!("at {kept}")));
            assert_eq!(known.get(&key("a/b", 1, asked)), expected.map(hidden), "kept at {kept}, asked at {asked}");
        }
    }

    #[test]
    fn a_plugin_that_decides_much_takes_its_own_share_and_nobody_elses() {
        let known = LastGood::default();
        known.keep(&key("a/modest", 1, 1), &hidden("modest"));
        let large = hidden(&"x".repeat(256 << 10));
        for question in 0..100 {
            known.keep(&key("a/greedy", question, 1), &large);
            known.keep(&key("a/greedy", question, 1), &large);
        }
        assert!(known.get(&key("a/modest", 1, 1)).is_some());
        let left = (0..100).filter(|question| known.get(&key("a/greedy", *question, 1)).is_some()).count();
        assert_eq!(left, SHARE / (weight(&large)), "the newest that fit");
        assert!(known.get(&key("a/greedy", 99, 1)).is_some());
    }
}
