//! One reconcile: call the plugin, prepare its outcome, write it, report.

mod call;
mod job;
mod report;
mod run;
mod summary;

pub(crate) use job::{Done, Job, Task, Verdict};
