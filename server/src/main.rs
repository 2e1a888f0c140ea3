//! `exam-server`: the room's machine, and the commands that act on it. Exit codes are in `cli/exit.rs`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
