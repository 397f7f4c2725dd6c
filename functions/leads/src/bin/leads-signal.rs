//! Bootstrap of `leads-signal`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-signal", leads::signal::build)
}
