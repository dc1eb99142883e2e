//! `mizzen plugin compile`: components into the cache, ahead of `run`.

use std::process::ExitCode;
use std::time::Instant;

use crate::args::{Compile, CompileHere};
use crate::style::{ADDED, WRONG};
use crate::{assemble, components, progress};

/// Compiles one file after the other, each in a process of its own.
pub(crate) async fn compile(args: Compile) -> anyhow::Result<ExitCode> {
    let (compiler, cache) = (components::compiler(args.memory), assemble::cache(args.cache)?);
    let mut done = ExitCode::SUCCESS;
    for file in &args.files {
        let (name, started) = (file.display(), Instant::now());
        match progress::while_waiting(&format!("compiling {name}"), compiler.run(file, &cache)).await {
            Ok(said) => anstream::println!("{ADDED}ok{ADDED:#} {name}: {said} ({} s)", started.elapsed().as_secs()),
            Err(why) => {
                anstream::eprintln!("{WRONG}error{WRONG:#}: {name}: {why}");
                done = ExitCode::FAILURE;
            }
        }
    }
    Ok(done)
}

/// What that process does. Before anything else, as it takes its own rights away.
pub(crate) fn compile_here(args: &CompileHere) -> ExitCode {
    match mizzen_sandbox::confine(args.memory).and_then(|()| mizzen_sandbox::compile(&args.file, &args.cache)) {
        Ok(done) => {
            let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
            let was = mebibytes(done.bytes);
            match done.compiled {
                Some(bytes) => println!("{was} MiB compiled to {} MiB", mebibytes(bytes)),
                None => println!("{was} MiB, compiled before"),
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
