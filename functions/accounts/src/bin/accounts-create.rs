//! Bootstrap of `accounts-create`.

fn main() -> std::process::ExitCode {
    runtime::run("accounts-create", accounts::create::build)
}
