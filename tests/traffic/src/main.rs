//! `mizzen-traffic`: builds or fetches what tests with real traffic need, and says where it lies.

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
