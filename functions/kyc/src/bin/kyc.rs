//! Bootstrap of the functions of this package that open no upload: `_HANDLER` says which one this process is.

fn main() -> std::process::ExitCode {
    runtime::run(kyc::FUNCTIONS)
}
