//! Bootstrap of `ops-views`.

fn main() -> std::process::ExitCode {
    runtime::run("ops-views", ops::views::build)
}
