//! Bootstrap of `ops-work`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-work", ops::work::build)
}
