//! Bootstrap of every function of this package: `_HANDLER` says which one this process is.

fn main() -> std::process::ExitCode {
    runtime::run(compliance::FUNCTIONS)
}
