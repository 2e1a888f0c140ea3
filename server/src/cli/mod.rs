//! The command line: parses, runs one command, prints for people or (`--json`) for machines, and ends with a documented
//! exit code. Never prompts where nobody sits at a terminal.

mod args;
mod duty;
mod exit;
mod offline;
mod online;
mod output;

use args::{Args, Command, SittingCommand};
use clap::Parser;
use output::Output;
use std::process::ExitCode;

pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    let output = Output { json: args.json };
    match run(args, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(exit::code(&error))
        }
    }
}

fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let data = args.data.unwrap_or_else(exam_server::config::default_data_dir);
    match args.command {
        Command::Init { site, hq_key } => offline::init(&data, &site, hq_key.as_deref(), output),
        Command::Run { listen, config } => offline::run(&data, listen, config.as_deref(), output),
        Command::Verify => offline::verify(&data, output),
        Command::Journal { command } => offline::journal(&data, &command),
        Command::Import { file, server } => online::import(&data, server, &file, output),
        Command::EnrolCode { role, count, uses } => online::enrol_code(&data, role, count, uses, output),
        Command::Status => online::status(&data, output),
        Command::Sitting { command } => match command {
            SittingCommand::List => online::sittings(&data, output),
            SittingCommand::AdmitOpen { sitting } => online::admit_open(&data, sitting, output),
            SittingCommand::Admit { sitting, seats } => online::admit(&data, sitting, &seats, output),
            SittingCommand::Start { sitting, code } => online::start(&data, sitting, code, output),
            SittingCommand::End { sitting, yes } => online::end(&data, sitting, yes, output),
        },
        Command::Export { sitting, out } => online::export(&data, sitting, &out, output),
        Command::Backup { out } => online::backup(&data, &out, output),
        Command::Duty(command) => duty::run(&data, command, output),
    }
}
