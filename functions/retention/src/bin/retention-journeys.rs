//! Bootstrap of `retention-journeys`.

fn main() -> std::process::ExitCode {
    runtime::run("retention-journeys", retention::journeys::build)
}
