//! Bootstrap of `payments-decide`.

fn main() -> std::process::ExitCode {
    runtime::run("payments-decide", payments::decide::build)
}
