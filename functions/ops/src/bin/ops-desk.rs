//! Bootstrap of `ops-desk`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-desk", ops::desk::build)
}
