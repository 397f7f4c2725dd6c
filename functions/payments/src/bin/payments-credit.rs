//! Bootstrap of `payments-credit`.

fn main() -> std::process::ExitCode {
    runtime::run("payments-credit", payments::credit::build)
}
