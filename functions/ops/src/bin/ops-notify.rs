//! Bootstrap of `ops-notify`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-notify", ops::notify::build)
}
