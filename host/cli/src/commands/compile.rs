//! `mizzen plugin compile`: compiles components into the cache before `run` needs them.

use std::process::ExitCode;
use std::time::Instant;

use crate::args::{Compile, CompileHere};
use crate::style::ADDED;
use crate::{assemble, components, progress, report, terminal};

/// Compiles the files one after the other, each in a process of its own.
pub(crate) async fn compile(args: Compile) -> anyhow::Result<ExitCode> {
    let (compiler, cache) = (components::compiler(args.memory), assemble::cache(args.cache)?);
    let mut done = ExitCode::SUCCESS;
    for file in &args.files {
        let (name, started) = (file.display(), Instant::now());
        match progress::while_waiting(&format!("compiling {name}"), compiler.run(file, &cache)).await {
            Ok(result) => {
                let seconds = started.elapsed().as_secs();
                terminal::line(format_args!("{ADDED}ok{ADDED:#} {name}: {result} ({seconds} s)"))?;
            }
            Err(error) => {
                done = report::fail(&anyhow::anyhow!(error).context(name.to_string()));
            }
        }
    }
    Ok(done)
}

/// Compiles one file in this process, which gives up its own rights first. Its parent reads the
/// last line of standard error.
pub(crate) fn compile_here(args: &CompileHere) -> anyhow::Result<ExitCode> {
    let confined = mizzen_sandbox::confine(args.memory);
    match confined.and_then(|()| mizzen_sandbox::compile(&args.file, &args.cache)) {
        Ok(done) => {
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let component = mebibytes(done.bytes);
            match done.compiled {
                Some(code) => {
                    terminal::line(format_args!("{component} MiB compiled to {} MiB", mebibytes(code)))?;
                }
                None => terminal::line(format_args!("{component} MiB, compiled before"))?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            terminal::plain(report::chain(&error).replace('\n', " "));
            Ok(ExitCode::FAILURE)
        }
    }
}
