//! Bootstrap of `ops-relay`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-relay", ops::relay::build)
}
