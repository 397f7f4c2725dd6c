//! Bootstrap of `leads-task`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-task", leads::task::build)
}
