//! What renderers have answered: the same component makes the same of the same document, so it need not be asked twice.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use mizzen_model::{Digest, RenderError, Rendered};

/// Answers that are kept, whatever their size. Stops many tiny ones from costing more than their bytes.
const MOST: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Which component was given which document.
pub(crate) type Question = (Digest, Digest);

/// An answer that will always be the same: objects, or why there are none.
pub(crate) type Answer = Result<Rendered, RenderError>;

/// The answers, as text that is shared with whoever was given it. Those that were not asked for longest go first.
pub(crate) struct Answers {
    most_bytes: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    bytes: usize,
    answers: LruCache<Question, Answer>,
}

// === impl Answers ===

impl Answers {
    /// Keeps at most this many bytes.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, kept: Mutex::new(Kept { bytes: 0, answers: LruCache::new(MOST) }) }
    }

    pub(crate) fn get(&self, question: &Question) -> Option<Answer> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).answers.get(question).cloned()
    }

    pub(crate) fn put(&self, question: Question, answer: Answer) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += size(&answer);
        // What makes room, and what was there under the same question.
        if let Some((_, gone)) = kept.answers.push(question, answer) {
            kept.bytes -= size(&gone);
        }
        while kept.bytes > self.most_bytes {
            let Some((_, gone)) = kept.answers.pop_lru() else { break };
            kept.bytes -= size(&gone);
        }
    }
}

fn size(answer: &Answer) -> usize {
    match answer {
        Ok(objects) => objects.iter().map(|object| object.len() + size_of::<Box<str>>()).sum(),
        Err(RenderError::Rejected(why) | RenderError::Failed(why)) => why.len(),
        Err(RenderError::Access(why)) => why.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(document: &str) -> Question {
        (Digest::of("component"), Digest::of(document))
    }

    fn answer(bytes: usize) -> Answer {
        Err(RenderError::Rejected("x".repeat(bytes)))
    }

    fn there(answers: &Answers, documents: &[&str]) -> Vec<bool> {
        documents.iter().map(|document| answers.get(&question(document)).is_some()).collect()
    }

    #[test]
    fn what_was_not_asked_for_longest_makes_room() {
        let answers = Answers::new(100);
        answers.put(question("a"), answer(40));
        answers.put(question("b"), answer(40));
        assert!(answers.get(&question("a")).is_some());
        answers.put(question("c"), answer(40));
        assert_eq!(there(&answers, &["a", "b", "c"]), [true, false, true]);
    }

    #[test]
    fn an_answer_that_is_given_again_is_counted_once() {
        let answers = Answers::new(100);
        for _ in 0..10 {
            answers.put(question("a"), answer(40));
        }
        answers.put(question("b"), answer(40));
        assert_eq!(there(&answers, &["a", "b"]), [true, true]);
    }

    #[test]
    fn an_answer_that_is_larger_than_all_room_is_not_kept() {
        let answers = Answers::new(100);
        answers.put(question("a"), answer(101));
        assert_eq!(there(&answers, &["a"]), [false]);
    }
}
