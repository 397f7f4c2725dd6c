//! Bootstrap of the function that reads documents.

fn main() -> std::process::ExitCode {
    runtime::run(kyc::READER)
}
