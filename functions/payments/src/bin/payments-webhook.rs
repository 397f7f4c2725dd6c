//! Bootstrap of `payments-webhook`.

fn main() -> std::process::ExitCode {
    runtime::run("payments-webhook", payments::webhook::build)
}
