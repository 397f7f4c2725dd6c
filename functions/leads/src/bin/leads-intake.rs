//! Bootstrap of `leads-intake`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-intake", leads::intake::build)
}
