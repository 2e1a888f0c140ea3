//! `exam-hq sample`: a folder of invented input, so that anybody can try the whole way from spreadsheets to results.
//! Never holds anybody's data: every name, number and face is made up, and the same seed makes the same files.

mod dice;
mod facts;
mod people;
mod picture;
mod questions;
mod sheets;

use crate::{
    disk,
    exit::{Exit, Say},
};
use anyhow::Context;
use clap::Args;
use dice::Dice;
use exam_protocol::{ids::SEAT_NO_MAX, paper::ITEMS_MAX};
use serde_json::json;
use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

/// Spare desks of the sample room.
const SPARES: u16 = 2;
/// Desks of a sample room at most.
const DESKS_MAX: u16 = SEAT_NO_MAX - SPARES;
/// Names of the sample rooms, in the roster and in the room sheet, and titles of their sittings. One room as long as it holds all.
const ROOMS: [(&str, &str); 3] = [("一号机房", "理论第一场"), ("二号机房", "理论第二场"), ("三号机房", "理论第三场")];
/// Candidates of a sample at most.
const SEATS_MAX: u16 = 2_000;
const _: () = assert!(SEATS_MAX.div_ceil(DESKS_MAX) as usize <= ROOMS.len()); // else somebody would have no room

/// Arguments of `sample`.
#[derive(Args)]
pub(crate) struct SampleArgs {
    /// Where to write; must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Candidates and desks; beyond one room's desks there are more rooms, each with its own sitting.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=i64::from(SEATS_MAX)))]
    pub(crate) seats: u16,
    /// Questions in the bank.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=ITEMS_MAX as i64))]
    pub(crate) questions: u16,
    /// Same seed, same files.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Public file of the site the plan is for; `site-public.json` beside the plan if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) site: Option<PathBuf>,
    /// Folder with HQ's keys; `keys` beside the plan if not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
}

/// Writes sample input.
pub(crate) fn run(args: &SampleArgs, say: &Say) -> anyhow::Result<()> {
    let mut dice = Dice::new(args.seed);
    let people = people::invent(args.seats, &mut dice);
    let questions = questions::invent(args.questions, &mut dice);
    let plan = plan(args)?;
    let files = [
        ("roster.xlsx", sheets::roster(&people, desks_a_room(args.seats))?),
        ("rooms.xlsx", sheets::rooms(args.seats)?),
        ("bank-wide.xlsx", sheets::bank_wide(&questions, &mut dice)?),
        ("bank-long.xlsx", sheets::bank_long(&questions)?),
        ("photos.zip", photos(&people)?),
        ("PLAN.toml", plan.into_bytes()),
    ];
    disk::new_folder(&args.out, |folder| {
        files.iter().try_for_each(|(name, bytes)| disk::write_below(folder, name, bytes))
    })?;
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    say.result(&words(args, &names), &json!({ "out": args.out, "files": names, "seats": args.seats, "questions": args.questions, "seed": args.seed }));
    Ok(())
}

/// Desks of each room: evenly, in as few rooms as hold everybody.
fn desks_a_room(seats: u16) -> u16 {
    seats.div_ceil(seats.div_ceil(DESKS_MAX))
}

/// Photos by ID number, as schools hand them in.
fn photos(people: &[people::Person]) -> anyhow::Result<Vec<u8>> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Without a date of its own, so that the same seed gives the same zip.
    let options = zip::write::SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for person in people {
        zip.start_file(format!("{}.png", person.id_number), options).context("the photo zip cannot be made")?;
        zip.write_all(&picture::portrait(person.look)).context("the photo zip cannot be made")?;
    }
    Ok(zip.finish().context("the photo zip cannot be made")?.into_inner())
}

fn plan(args: &SampleArgs) -> anyhow::Result<String> {
    let site = place(args.site.as_deref(), "site-public.json")?;
    let keys = place(args.keys.as_deref(), "keys")?;
    let rooms = args.seats.div_ceil(desks_a_room(args.seats));
    let sittings: String = (1..=rooms).zip(ROOMS).map(|(number, names)| sitting(number, names)).collect();
    Ok(format!(
        r#"# 考试计划样例 (sample plan). Paths are relative to this file. First make the paper:
#   exam-hq paper import --in bank-wide.xlsx --title "数字营销 理论 样卷" --out paper.paper
# then the package:
#   exam-hq package build --plan PLAN.toml --out sample.exam
site = {site}
keys = {keys}
rooms = "rooms.xlsx"
roster = "roster.xlsx"
photos = "photos.zip"

[exam]
id = "sample-1"
title = "数字营销技术应用 样例考试"

{sittings}[[paper]]
id = "paper"
file = "paper.paper"

[rules]
early_hand_in_theory_min = 30
hand_in_needs_consent = false
# 演示不封场 (a demo has nobody to seal the room); leave this line out for a real exam
seal_required = false
"#
    ))
}

fn sitting(number: u16, (room, title): (&str, &str)) -> String {
    format!(
        r#"[[sitting]]
id = "theory-{number}"
title = "{title}"
room = "{room}"
subject = "theory"
level = "中级"
paper = "paper"
start = "2026-12-05T09:00:00+08:00"
minutes = 30
admission = "automatic"

"#
    )
}

/// A path for the plan: whole, so that it holds wherever the plan lies; the usual name beside the plan if none is given.
fn place(given: Option<&Path>, usual: &str) -> anyhow::Result<String> {
    let path = match given {
        None => usual.to_owned(),
        Some(path) => {
            let whole = fs::canonicalize(path)
                .map_err(|_| Exit::NotFound.error(format!("{}: there is no such file or folder", path.display())))?;
            let text = whole.to_str().map(str::to_owned);
            text.with_context(|| format!("{} is not a name that can be written into a plan", path.display()))?
        }
    };
    Ok(toml::Value::String(path).to_string())
}

fn words(args: &SampleArgs, names: &[&str]) -> String {
    let out = args.out.display();
    format!(
        "{} candidates, {} questions, seed {}, all of it invented\nwritten to {out}: {}\n\
         next: exam-hq paper import --in {out}/bank-wide.xlsx --title 样卷 --out {out}/paper.paper\n      \
         exam-hq package build --plan {out}/PLAN.toml --out {out}/sample.exam\n",
        args.seats,
        args.questions,
        args.seed,
        names.join(" ")
    )
}
