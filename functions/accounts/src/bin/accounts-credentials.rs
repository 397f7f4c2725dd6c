//! Bootstrap of `accounts-credentials`.

fn main() -> std::process::ExitCode {
    runtime::run("accounts-credentials", accounts::credentials::build)
}
