//! A program that runs, and ends with the value that stands for it, or with this process, even when that is killed.

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

/// A program that was started. Dropping the value kills it. `P` is what its owner calls it by.
#[derive(Debug)]
pub struct Running<P = Program> {
    program: P,
    child: Child,
    log: PathBuf,
}

/// How a program is started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment variables, besides those of this process.
    pub environment: Vec<(&'static str, String)>,
    /// What it says is added to the end of this file.
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
        // Ctrl-C is for whoever uses the control plane, which ends after them.
        command.process_group(0);
        Ok(Self { program, child: start_from_lasting_thread(command)?, log })
    }

    /// What its owner calls it by.
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

    /// The last lines that the program said.
    pub fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl<P> Drop for Running<P> {
    fn drop(&mut self) {
        // Both fail only when the program is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command whose program the kernel kills when the thread that started it ends, where the system has `setpriv` to say so.
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

/// Starts a command from a thread that lasts as long as this process: the kernel looks at the thread, and that of a test ends with its test.
fn start_from_lasting_thread(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static STARTER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
        let (orders, received) = mpsc::channel::<Order>();
        let start = move || {
            for (mut command, answer) in received {
                // Nobody waits for the answer only if the thread that ordered it is gone.
                let _ = answer.send(command.spawn());
            }
        };
        // Without the thread the receiver is gone, which every order then reports.
        let _ = thread::Builder::new().name("control-plane".to_owned()).spawn(start);
        orders
    });
    let gone = || io::Error::other("the thread that starts programs can't be started");
    let (answer, answered) = mpsc::channel();
    STARTER.send((command, answer)).map_err(|_| gone())?;
    answered.recv().map_err(|_| gone())?
}
