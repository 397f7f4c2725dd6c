//! Bootstrap of `leads-tell`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-tell", leads::tell::build)
}
