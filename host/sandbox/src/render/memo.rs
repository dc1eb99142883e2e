//! Renderings that are kept, and rendered once: a component renders the same document alike each time.

use std::sync::Arc;

use mizzen_model::{Digest, RenderError, Rendered};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::limits::CACHED;

/// Entries that the cache expects.
const EXPECTED: usize = 32;

/// The part of the cache for results that are used repeatedly. The other part has room for new ones. No result that is
/// larger than this part is kept.
const USED: f64 = 0.5;

/// A component and the document that it renders, by their digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) component: Digest,
    pub(super) document: Digest,
}

/// The result of a rendering: objects, or why there are none.
pub(super) type Rendering = Result<Rendered, RenderError>;

/// Whether a result is the same each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finality {
    /// It is, and is kept.
    Final,
    /// It may differ, as it met a limit: the document is rendered again for the next caller.
    Passing,
}

/// Final results by component and document, as text that is shared with all callers. Clones share everything.
#[derive(Clone)]
pub(super) struct Memo(Arc<Cache<Key, Rendering, Bytes>>);

/// Weighs a result by its bytes.
#[derive(Clone)]
struct Bytes;

impl Memo {
    /// Keeps at most so many bytes of results.
    #[expect(clippy::expect_used, reason = "only a missing capacity is an error")]
    pub(super) fn new(bytes: usize) -> Self {
        let mut options = OptionsBuilder::new();
        options.shards(1).estimated_items_capacity(EXPECTED).weight_capacity(bytes as u64).hot_allocation(USED);
        let options = options.build().expect("both capacities are set");
        Self(Arc::new(Cache::with_options(options, Bytes, DefaultHashBuilder::default(), DefaultLifecycle::default())))
    }

    pub(super) fn get(&self, key: &Key) -> Option<Rendering> {
        self.0.get(key)
    }

    /// Returns the result that is kept, or else renders. Of several callers with the same key only one renders at a
    /// time, and the others wait for its result.
    pub(super) async fn get_or_render(
        &self,
        key: &Key,
        render: impl Future<Output = (Rendering, Finality)>,
    ) -> Rendering {
        match self.0.get_value_or_guard_async(key).await {
            Ok(kept) => kept,
            Err(turn) => {
                let (result, finality) = render.await;
                if finality == Finality::Final {
                    // An error says that the entry was removed meanwhile.
                    drop(turn.insert(result.clone()));
                }
                result
            }
        }
    }
}

impl Weighter<Key, Rendering> for Bytes {
    fn weight(&self, _: &Key, result: &Rendering) -> u64 {
        let bytes: usize = match result {
            Ok(objects) => objects.iter().map(|object| object.len() + size_of::<Box<str>>()).sum(),
            Err(RenderError::Rejected(why) | RenderError::Failed(why)) => why.len(),
            Err(RenderError::Access(why)) => why.to_string().len(),
        };
        (bytes + CACHED) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So much fits into the caches of these tests.
    const ROOM: usize = 10 * CACHED;

    fn key(document: &str) -> Key {
        Key { component: Digest::of("component"), document: Digest::of(document) }
    }

    /// Renders a result that counts for this many bytes.
    async fn render(memo: &Memo, document: &str, bytes: usize) {
        let rendering = async { (Err(RenderError::Rejected("x".repeat(bytes - CACHED))), Finality::Final) };
        memo.get_or_render(&key(document), rendering).await.unwrap_err();
    }

    fn kept(memo: &Memo, documents: &[&str]) -> Vec<bool> {
        documents.iter().map(|document| memo.get(&key(document)).is_some()).collect()
    }

    #[tokio::test]
    async fn the_least_recently_used_result_is_removed_first() {
        let memo = Memo::new(ROOM);
        render(&memo, "a", 4 * CACHED).await;
        render(&memo, "b", 4 * CACHED).await;
        assert!(memo.get(&key("a")).is_some());
        render(&memo, "c", 4 * CACHED).await;
        assert_eq!(kept(&memo, &["a", "b", "c"]), [true, false, true]);
    }

    #[tokio::test]
    async fn a_result_that_is_requested_again_is_counted_once() {
        let memo = Memo::new(ROOM);
        for _ in 0..10 {
            render(&memo, "a", 4 * CACHED).await;
        }
        render(&memo, "b", 4 * CACHED).await;
        assert_eq!(kept(&memo, &["a", "b"]), [true, true]);
    }

    #[tokio::test]
    async fn a_result_larger_than_the_cache_is_not_kept() {
        let memo = Memo::new(ROOM);
        render(&memo, "a", ROOM + 1).await;
        assert_eq!(kept(&memo, &["a"]), [false]);
    }
}
