//! The command line: parses, runs one command, prints for people or (`--json`) for machines, and ends with a documented
//! exit code. Never prompts where nobody sits at a terminal.

mod args;
mod attendance;
mod coded;
mod duty;
mod exit;
mod incident;
mod journal;
mod mock;
mod offline;
mod online;
mod output;
mod password;
mod readiness;

use args::{Args, Command, SittingCommand};
use clap::Parser;
use output::Output;
use std::process::ExitCode;

pub(crate) fn main() -> ExitCode {
    exam_link::no_dump::leave_no_image();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(wrong) => return wrong_usage(&wrong),
    };
    let output = Output { json: args.json };
    match run(args, output) {
        Ok(()) if output.is_whole() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            output.error(&error);
            ExitCode::from(exit::code(&error))
        }
    }
}

/// Wrong usage in clap's words, and for machines as the one JSON object they wait for; help and version end with 0.
fn wrong_usage(wrong: &clap::Error) -> ExitCode {
    let _ = wrong.print(); // where even this cannot be written nobody is left to tell
    if !wrong.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let json = std::env::args_os().any(|arg| arg == "--json");
    Output { json }.machine_error(wrong.render().to_string().trim_end(), 2);
    ExitCode::from(2)
}

fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let data = args.data.unwrap_or_else(exam_server::config::default_data_dir);
    match args.command {
        Command::Init { site, hq_key } => offline::init(&data, &site, hq_key.as_deref(), output),
        Command::Run { listen, config, backup } => {
            offline::run(&data, offline::Serving { listen, config, backup }, output)
        }
        Command::Verify => offline::verify(&data, output),
        Command::Journal { command } => journal::run(&data, command, output),
        Command::Import { file, server } => online::import(&data, server, &file, output),
        Command::EnrolCode { role, count, uses } => online::enrol_code(&data, role, count, uses, output),
        Command::Status => online::status(&data, output),
        Command::Sitting { command } => match command {
            SittingCommand::List => online::sittings(&data, output),
            SittingCommand::AdmitOpen { sitting } => online::admit_open(&data, sitting, output),
            SittingCommand::Admit { sitting, seats } => online::admit(&data, sitting, seats, output),
            SittingCommand::Start { sitting, code } => online::start(&data, sitting, code, output),
            SittingCommand::End { sitting, yes } => online::end(&data, sitting, yes, output),
        },
        Command::Export { sitting, out } => online::export(&data, sitting, &out, output),
        Command::Backup { out } => online::backup(&data, &out, output),
        Command::Attendance { command } => attendance::run(&data, command, output),
        Command::Incident { command } => incident::run(&data, command, output),
        Command::Record { sitting } => incident::record(&data, &sitting, output),
        Command::Ready { command } => readiness::run(&data, command, output),
        Command::Mock { command } => mock::run(&data, command, output),
        Command::Duty(command) => duty::run(&data, command, output),
    }
}
