//! Bootstrap of `ops-timers`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-timers", ops::timers::build)
}
