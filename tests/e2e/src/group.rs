//! Which tests may run at the same time.

use std::sync::{Condvar, Mutex};

/// The tests that run now: the name of their group, and their number.
static RUNNING: Mutex<(&str, usize)> = Mutex::new(("", 0));
static CHANGED: Condvar = Condvar::new();

/// A test's place among those of its group. Dropping it ends the test's part.
///
/// The tests of a group run beside each other; groups run one after the other. A test starts a control
/// plane and an operator, and some load the machine fully or measure how long something takes, so tests
/// of different groups would disturb each other.
#[derive(Debug)]
pub struct TestGroup(());

// === impl TestGroup ===

impl TestGroup {
    /// Waits until no test of another group runs, and enters. `module` is the test's `module_path!()`: a
    /// module directly below the crate is a group, together with the modules in it.
    #[must_use]
    pub fn enter(module: &'static str) -> Self {
        let group = module.split("::").nth(1).unwrap_or(module);
        let may_not_run = |(running, tests): &mut (&str, usize)| *tests > 0 && *running != group;
        let mut running = CHANGED.wait_while(RUNNING.lock().unwrap(), may_not_run).unwrap();
        *running = (group, running.1 + 1);
        Self(())
    }
}

impl Drop for TestGroup {
    fn drop(&mut self) {
        RUNNING.lock().unwrap().1 -= 1;
        CHANGED.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::TestGroup;

    #[test]
    fn tests_of_one_group_run_beside_each_other_and_those_of_another_wait() {
        let first = TestGroup::enter("all::istio::installed");
        let beside = TestGroup::enter("all::istio");
        let (entered, entries) = mpsc::channel();
        let other = thread::spawn(move || {
            let _group = TestGroup::enter("all::mesh");
            entered.send(()).unwrap();
        });
        drop(first);
        assert!(entries.try_recv().is_err(), "a test of the first group still runs");
        drop(beside);
        entries.recv().unwrap();
        other.join().unwrap();
    }
}
