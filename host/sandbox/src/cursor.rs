//! A list that a guest takes page by page.

use std::sync::Arc;

use mizzen_model::Object;

use crate::limits::PAGE;

/// The objects of a list that a guest has not taken yet.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Cursor(std::vec::IntoIter<Arc<Object>>);

impl Cursor {
    pub(crate) fn new(objects: Vec<Arc<Object>>) -> Self {
        Self(objects.into_iter())
    }

    /// Takes the next objects, as JSON: at most `limit`, and at most [`PAGE`] bytes unless a single one is larger.
    pub(crate) fn next(&mut self, limit: u32) -> Vec<String> {
        let (mut page, mut bytes) = (Vec::new(), 0);
        while page.len() < limit as usize
            && let Some(object) = self.0.as_slice().first()
        {
            bytes += object.json().len();
            if bytes > PAGE && !page.is_empty() {
                break;
            }
            page.extend(self.0.next().map(|object| object.json().to_owned()));
        }
        page
    }
}
