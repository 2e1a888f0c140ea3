//! `cargo xtask`: the only task runner. `demo` shows a whole exam, `test` checks everything this machine can check.
//! Never depends on another crate, so that it starts within seconds of a fresh clone; never installs anything unasked.

mod build;
mod evidence;
mod report;
mod system;
mod test;

use evidence::Evidence;
use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask setup               install the system packages the checks use (Debian/Ubuntu as root; else says which)
cargo xtask demo [OPTIONS]      build, then run a whole exam on this machine
    --seats N                   candidates (40)
    --questions N               items of the paper (40)
    --out DIR                   where everything is left (demo-out)
    --seed S                    of the sample data and of the kill's moment (random, printed)
    --think MS                  pause of a candidate between two answers
    --json                      summary.json on stdout too
cargo xtask sim [OPTIONS]       whole exams on virtual time, network and disk, drawn from seeds
    --seeds N                   how many, one after the other (20)
    --seed S                    the first; alone, the only one (1)
    --seats N                   candidates in the room (6)
    --long                      20,000 seeds of 40 seats, within --minutes M (600)
    --twice                     each seed twice; the second run must be the first again
    --story                     what happened in each run
    --json                      a report on stdout
cargo xtask rigs [OPTIONS]      build, then kills, power cuts, full disks, wrong clocks, burnt servers, bad networks, rogue servers, floods; each with a
                                control that must fail
    --rig NAME                  only this one: kill, power-cut, disk-full, clock, backup, disk-gone, network, rogue, flood
    --long                      the long run
    --seed S                    of who dies and when (random, printed)
    --rounds N --seconds S      bounds of each rig
    --json                      the report on stdout too (it is left in target/evidence/report.json, over all promises)
cargo xtask bench [OPTIONS]     what the server needs beside what the machine could do, in one run
    --seats N,M                 sizes of the room, up to 2,000 (40,500)
    --parts A,B                 only these: lean, whole, logins, prefetch, flush, cold (40 seats), campus (500 seats)
    --rounds N --seconds S      medians over so many rounds (3) of measurements so long (5)
    --profile                   say where the server's time goes
    --out DIR --json            keep report and logs; the report on stdout
    --report FILE               the report to this file too: figures, and each target met or not
cargo xtask test                everything testable on this machine; says what was skipped and why
cargo xtask help                this text

Exit codes: 0 all well, 1 something failed, 2 wrong use.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = args.split_first().map_or(("help", &[][..]), |(first, rest)| (first.as_str(), rest));
    match (command, rest) {
        ("setup", []) => code(system::setup()),
        ("demo", options) => handed_over(build::programs(), build::program("exam-demo"), options),
        ("sim", options) => {
            let mut sim = build::program("exam-sim");
            sim.arg("--report").arg(Evidence::of_this_commit().file("sim.json"));
            handed_over(build::simulator(), sim, options)
        }
        ("rigs", options) => rigs(options),
        ("bench", options) => {
            let mut bench = build::program("exam-bench");
            bench.args(["--commit", &build::commit(), "--report"]).arg(Evidence::of_this_commit().file("bench.json"));
            handed_over(build::programs(), bench, options)
        }
        ("test", []) => code(test::everything()),
        ("help" | "--help" | "-h", _) => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("not a task: {}\n\n{HELP}", args.join(" "));
            ExitCode::from(2)
        }
    }
}

fn code(well: bool) -> ExitCode {
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Hands over to `exam-rig`: the rig that was named, or all of them.
fn rigs(options: &[String]) -> ExitCode {
    let which = options.iter().position(|option| option == "--rig");
    let named = which.and_then(|at| options.get(at + 1)).map_or("all", String::as_str);
    let rest = options.iter().enumerate().filter(|(at, _)| which.is_none_or(|which| *at != which && *at != which + 1));
    let rest: Vec<String> = rest.map(|(_, option)| option.clone()).collect();
    let evidence = Evidence::of_this_commit();
    let evidence = if named == "all" { evidence.without_rigs() } else { evidence };
    let ran = handed_over(build::programs(), test::rig(named, &evidence), &rest);
    if evidence.report() { ran } else { ExitCode::FAILURE }
}

/// Hands over to a program that was built; its exit code is ours.
fn handed_over(built: bool, mut program: Command, options: &[String]) -> ExitCode {
    if !built {
        eprintln!("the programs could not be built: see above");
        return ExitCode::FAILURE;
    }
    match program.args(options).status() {
        Ok(status) => ExitCode::from(status.code().and_then(|c| u8::try_from(c).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("{} cannot be started: {error}", program.get_program().display());
            ExitCode::FAILURE
        }
    }
}
