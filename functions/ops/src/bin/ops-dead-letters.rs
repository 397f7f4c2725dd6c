//! Bootstrap of `ops-dead-letters`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-dead-letters", ops::dead_letters::build)
}
