//! Bootstrap of `payments-overdue`.

fn main() -> std::process::ExitCode {
    runtime::run("payments-overdue", payments::overdue::build)
}
