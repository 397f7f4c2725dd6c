//! Bootstrap of the functions that look at uploads: `_HANDLER` says which one this process is.

fn main() -> std::process::ExitCode {
    runtime::run(kyc::UPLOADS)
}
