//! Bootstrap of `accounts-request`.

fn main() -> std::process::ExitCode {
    runtime::run("accounts-request", accounts::request::build)
}
