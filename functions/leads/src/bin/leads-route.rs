//! Bootstrap of `leads-route`.

fn main() -> std::process::ExitCode {
    runtime::run("leads-route", leads::route::build)
}
