//! Bootstrap of `leads-fetch`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-fetch", leads::fetch::build)
}
