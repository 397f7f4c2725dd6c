//! Bootstrap of `payments-initiate`.

fn main() -> std::process::ExitCode {
    runtime::run("payments-initiate", payments::initiate::build)
}
