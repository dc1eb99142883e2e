//! A running program, which ends when its value is dropped, or with this process, even when that is killed.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;

use crate::program::Program;

/// How many of the last lines of a program's output an error shows.
const TAIL: usize = 15;

/// A running program. Dropping the value kills it. `P` is its name.
#[derive(Debug)]
pub struct Running<P = Program> {
    program: P,
    child: Child,
    log: PathBuf,
}

/// The command of a program.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment variables in addition to those of this process.
    pub environment: Vec<(&'static str, String)>,
    /// The file to which its output is appended.
    pub log: PathBuf,
}

// === impl Running ===

impl<P: Copy> Running<P> {
    /// Starts a program.
    ///
    /// # Errors
    /// When its log can't be opened, or it can't be run.
    pub fn start(program: P, launch: Launch) -> io::Result<Self> {
        let Launch { path, arguments, environment, log } = launch;
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = dies_with_this_process(&path);
        command.args(arguments).envs(environment);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        // Ctrl-C must not reach it: its user ends first.
        command.process_group(0);
        Ok(Self { program, child: start_from_lasting_thread(command)?, log })
    }

    /// Its name.
    pub fn program(&self) -> P {
        self.program
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the program ended, if it did.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The last lines of its output.
    pub fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl<P> Drop for Running<P> {
    fn drop(&mut self) {
        // Both fail only when the program has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a command whose program the kernel kills when the thread that started it ends, if the system has
/// `setpriv`.
fn dies_with_this_process(path: &Path) -> Command {
    static SETPRIV: LazyLock<bool> = LazyLock::new(|| {
        let mut probe = Command::new("setpriv");
        probe.args(["--pdeathsig", "KILL", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    });
    if !*SETPRIV {
        return Command::new(path);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(path);
    command
}

/// Starts a command from a thread that lives as long as this process: the kernel watches the thread, and the
/// thread of a test ends with it.
fn start_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static STARTER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
        let (orders, received) = mpsc::channel::<Order>();
        let start = move || {
            for (mut command, started) in received {
                // This fails only if the ordering thread has ended.
                let _ = started.send(command.spawn());
            }
        };
        // Without the thread there is no receiver, so every order fails.
        let _ = thread::Builder::new().name("control-plane".to_owned()).spawn(start);
        orders
    });
    let gone = || io::Error::other("the thread that starts programs can't be started");
    let (started, child) = mpsc::channel();
    STARTER.send((command, started)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}
