//! Bootstrap of `leads-agents`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-agents", leads::agents::build)
}
