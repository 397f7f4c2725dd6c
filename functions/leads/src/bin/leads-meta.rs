//! Bootstrap of `leads-meta`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-meta", leads::meta::build)
}
