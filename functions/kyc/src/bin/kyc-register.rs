//! Bootstrap of `kyc-register`.

fn main() -> std::process::ExitCode {
    runtime::run("kyc-register", kyc::register::build)
}
