//! `mizzen-traffic`: builds istiod and installs Envoy, for tests with real traffic, and prints their paths.

use std::process::ExitCode;

use mizzen_traffic::Tools;

fn main() -> ExitCode {
    match Tools::find_or_build() {
        Ok(tools) => {
            println!("istiod {}\nEnvoy  {}", tools.istiod().display(), tools.envoy().display());
            ExitCode::SUCCESS
        }
        Err(error) if error.may_be_skipped() => {
            eprintln!("SKIPPED: {error}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
