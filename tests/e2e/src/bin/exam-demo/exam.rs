//! The exam day, phase by phase, from the site's founding to HQ's marks. Never skips a check because an earlier one held.

use crate::{
    Options,
    phases::{Phase, Phases},
    room::{SWAPPED, Staff},
    summary::Summary,
};
use anyhow::{Context, Result, ensure};
use exam_e2e::{
    answers::{self, Account},
    folder::Folder,
    load::{Load, Orders},
    programs::Programs,
    site::{Sample, Site},
    stock,
};
use exam_protocol::{
    ids::{SeatNo, Sha256},
    site::SitePublic,
};
use exam_sealed::code::UnlockCode;
use serde_json::Value;
use std::{
    cell::{Cell, RefCell},
    fs,
    path::PathBuf,
    time::Duration,
};

/// What connecting, enrolling and signing in may take for everybody together.
const READY_DEADLINE: Duration = Duration::from_secs(180);
/// What a whole sitting may take.
const SITTING_DEADLINE: Duration = Duration::from_secs(600);
/// `exam-hq` and `exam-server`: a rule said no.
const EXIT_REFUSED: i32 = 5;
/// `exam-hq` and `exam-server`: a signature or hash does not hold.
const EXIT_INTEGRITY: i32 = 6;

const FOUND: Phase = Phase { key: "found", zh: "建立考点", en: "site and keys" };
const PACKAGE: Phase = Phase { key: "package", zh: "制作考试包", en: "sealed package from spreadsheets" };
const IMPORT: Phase = Phase { key: "import", zh: "导入考试包", en: "server takes the package" };
const SIGN_IN: Phase = Phase { key: "sign_in", zh: "考生登录", en: "enrol and sign in" };
const START: Phase = Phase { key: "start", zh: "启封开考", en: "unlock and start" };
const ANSWER: Phase = Phase { key: "answer", zh: "作答", en: "answers, server killed in the middle" };
const ROOM: Phase = Phase { key: "room", zh: "考场情况", en: "a room's life, with a power cut" };
const REST: Phase = Phase { key: "rest", zh: "继续作答", en: "answers to the end" };
const EXPORT: Phase = Phase { key: "export", zh: "结束并导出", en: "end, export twice" };
const VERIFY: Phase = Phase { key: "verify", zh: "核验成绩包", en: "verify, open, mark" };
const STOCK: Phase = Phase { key: "stock_tools", zh: "通用工具核验", en: "stock tools" };
const RECORD: Phase = Phase { key: "record", zh: "考场情况记录表", en: "room record" };
const COMPARE: Phase = Phase { key: "compare", zh: "逐条比对", en: "compare byte for byte" };

/// Holds the exam and returns what it found.
pub(crate) fn hold(options: &Options, seed: u64, programs: Programs, folder: &Folder) -> Result<Summary> {
    let mut phases = Phases::new();
    let mut site = Site::new(programs, folder.clone());
    let sample = Sample { seats: options.seats, questions: options.questions, seed };
    prepare(&mut phases, &mut site, sample)?;
    let sitting = site.sitting()?;
    let mut machines = sign_in(&mut phases, &site, options, &sitting, seed)?;
    start(&mut phases, &site, &sitting, seed)?;
    let expected = u64::from(options.seats) * u64::from(options.questions);
    let plan = Plan { expected, kill_at: kill_at(seed, expected), spare: options.seats + 1 };
    answer(&mut phases, &mut site, &mut machines, plan, &sitting)?;
    let exports = end(&mut phases, &mut site, machines, &sitting)?;
    let stock_tools = judge_bundle(&mut phases, &site, &exports.first)?;
    let compared = compare(&mut phases, &site, options.seats, exports.handed_over)?;
    let record_lines = record(&mut phases, &site, &sitting)?;
    Ok(Summary {
        seats: options.seats,
        logins_failed: exports.logins_failed.max(compared.extra_sign_ins),
        kills: compared.kills,
        restarts: compared.restarts,
        acked: compared.acked,
        journaled: compared.journaled,
        bundled: compared.bundled,
        lost: compared.lost,
        exports_equal: exports.equal,
        stock_tools,
        record_lines,
        seconds: phases.seconds(),
    })
}

fn prepare(phases: &mut Phases, site: &mut Site, sample: Sample) -> Result<()> {
    phases.run(FOUND, |_| site.found("示范考点").map(|()| String::new()))?;
    phases.run(PACKAGE, |_| {
        site.write_sample(sample)?;
        site.import_paper(&site.bank(), "理论知识 演示试卷")?;
        Ok(String::new())
    })?;
    phases.run(IMPORT, |_| {
        site.start_server()?;
        site.deliver_package()?;
        Ok(site.address()?.to_owned())
    })
}

/// The candidates' machines, and the spare one.
struct Machines {
    seats: Load,
    spare: Load,
}

fn sign_in(phases: &mut Phases, site: &Site, options: &Options, sitting: &str, seed: u64) -> Result<Machines> {
    let machines = RefCell::new(None);
    phases.run(SIGN_IN, |_| {
        Staff::new(site, sitting).appoint()?;
        site.act("admit-open", sitting)?;
        let orders = Orders {
            server: site.address()?.to_owned(),
            trust: site.public_file(),
            enrol: site.enrol_code(options.seats)?,
            seats: options.seats,
            stand_by: false,
            think_ms: options.think,
            seed,
            roster: site.write_seating()?,
            data: site.folder().seats(),
            ack_log: site.folder().ack_log(),
        };
        let desk = |no: u16| SeatNo::try_from(no).context("a seat's number");
        let spare = Orders {
            enrol: site.enrol_code(1)?,
            seats: 1,
            stand_by: true,
            roster: site.write_move(desk(SWAPPED)?, desk(options.seats + 1)?)?,
            data: site.folder().spares(),
            ack_log: site.folder().ack_log_of_spares(),
            ..orders.clone()
        };
        let mut seats = Load::start(site.load(), &orders, &site.folder().logs())?;
        let mut spare = Load::start(site.load(), &spare, &site.folder().logs())?;
        let failed = seats.wait_ready(READY_DEADLINE)? + spare.wait_ready(READY_DEADLINE)?;
        ensure!(failed == 0, "{failed} seats could not sign in; see logs/seats.err.log");
        machines.replace(Some(Machines { seats, spare }));
        Ok(format!("{} 考位 seats", options.seats))
    })?;
    machines.into_inner().context("the seats were started")
}

fn start(phases: &mut Phases, site: &Site, sitting: &str, seed: u64) -> Result<()> {
    phases.run(START, |phases| {
        phases.note(&format!("考生机已预存加密试卷 sealed papers waiting at the seats: {}", site.sealed_papers()?));
        let code = site.unlock_code(sitting)?;
        site.start_sitting(sitting, &foreign_code(seed))?
            .expect_code(EXIT_REFUSED)
            .context("a wrong unlock code must be refused")?;
        phases.note("错误的启封码已被拒绝 a wrong unlock code was refused");
        site.start_sitting(sitting, &code)?.expect_code(0)?;
        Ok(String::new())
    })
}

/// A well-formed code that belongs to no paper.
fn foreign_code(seed: u64) -> String {
    let hash = Sha256::of(format!("foreign code {seed}").as_bytes());
    let random = hash.as_bytes().first_chunk().expect("a hash is longer than a code");
    UnlockCode::from_random(*random).to_string()
}

#[derive(Clone, Copy)]
struct Plan {
    /// Answers if every seat gives every one once; a few items are answered twice.
    expected: u64,
    /// Acknowledged answers at which the server is killed.
    kill_at: u64,
    /// Where the spare machine stands.
    spare: u16,
}

/// A moment between 20 % and 70 % of the expected answers, drawn from the seed.
fn kill_at(seed: u64, expected: u64) -> u64 {
    let hash = Sha256::of(format!("kill {seed}").as_bytes());
    let percent = 20 + u64::from(hash.as_bytes()[0]) % 51;
    (expected * percent / 100).max(1)
}

fn answer(phases: &mut Phases, site: &mut Site, machines: &mut Machines, plan: Plan, sitting: &str) -> Result<()> {
    let (tenth, latest) = (Cell::new(0), Cell::new(0));
    let show = |phases: &Phases, acked: u64| {
        latest.set(acked);
        if acked * 10 / plan.expected > tenth.get() {
            tenth.set(acked * 10 / plan.expected);
            phases.note(&format!("已确认 acked {acked}"));
        }
    };
    phases.run(ANSWER, |phases| {
        machines.seats.wait_acked(plan.kill_at, SITTING_DEADLINE, |acked| show(phases, acked))?;
        site.kill_server()?;
        phases.note(&format!("服务器被强行终止 server killed (kill -9) after {} acked", latest.get()));
        site.start_server()?;
        phases.note("服务器已重新启动 server started again");
        Ok(String::new())
    })?;
    phases.run(ROOM, |phases| {
        Staff::new(site, sitting).before_the_cut(phases, plan.spare)?;
        site.kill_server()?;
        site.start_server()?;
        let staff = Staff::new(site, sitting);
        staff.after_the_cut(phases)?;
        staff.account_adds_up()?;
        Ok(String::new())
    })?;
    phases.run(REST, |phases| {
        machines.seats.wait_synced(SITTING_DEADLINE, |acked| show(phases, acked))?;
        machines.spare.wait_synced(SITTING_DEADLINE, |_| {})?;
        Ok(String::new())
    })
}

fn record(phases: &mut Phases, site: &Site, sitting: &str) -> Result<u64> {
    let count = Cell::new(0);
    phases.run(RECORD, |phases| {
        let lines = Staff::new(site, sitting).record()?;
        lines.iter().for_each(|line| phases.note(line));
        count.set(lines.len() as u64);
        Ok("room-record.txt".to_owned())
    })?;
    Ok(count.get())
}

struct Exports {
    first: PathBuf,
    equal: bool,
    logins_failed: u64,
    /// Versions a replaced machine had not sent in time.
    handed_over: u64,
}

fn end(phases: &mut Phases, site: &mut Site, machines: Machines, sitting: &str) -> Result<Exports> {
    let exports = RefCell::new(None);
    phases.run(EXPORT, |_| {
        site.act("end", sitting)?;
        let figures = machines.seats.wait_figures(SITTING_DEADLINE)?;
        machines.spare.wait_figures(SITTING_DEADLINE)?;
        fs::write(site.folder().logs().join("load.json"), format!("{figures:#}\n"))?;
        let first = site.export(sitting, &site.folder().bundle())?;
        let second = site.export(sitting, &site.folder().bundle_again())?;
        let equal = fs::read(&first)? == fs::read(&second)?;
        site.server(["verify"])?.expect_code(0)?;
        site.stop_server()?;
        exports.replace(Some(Exports {
            first,
            equal,
            logins_failed: figures["logins_failed"].as_u64().context("logins_failed")?,
            handed_over: figures["handed_over"].as_u64().context("handed_over")?,
        }));
        Ok(figures_in_words(&figures))
    })?;
    exports.into_inner().context("the bundle was exported")
}

fn figures_in_words(figures: &Value) -> String {
    let ms = |name: &str| figures[name]["p99"].to_string();
    format!("p99: login {} ms, start {} ms, ack {} ms", ms("login_ms"), ms("start_ms"), ms("ack_ms"))
}

fn judge_bundle(phases: &mut Phases, site: &Site, bundle: &PathBuf) -> Result<Option<bool>> {
    let folder = site.folder();
    phases.run(VERIFY, |phases| {
        site.verify_bundle(bundle)?.expect_code(0)?;
        site.open_bundle(bundle, &folder.opened())?;
        site.mark(&folder.opened(), &site.paper(), &folder.results())?;
        let changed = folder.logs().join("changed.age");
        let mut bytes = fs::read(bundle)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&changed, bytes)?;
        site.verify_bundle(&changed)?.expect_code(EXIT_INTEGRITY).context("a changed bundle must be refused")?;
        fs::remove_file(changed)?;
        phases.note("改动一个字节的成绩包已被拒绝 a bundle with one changed byte was refused");
        Ok(String::new())
    })?;
    let verdict = Cell::new(None);
    phases.run(STOCK, |_| {
        let found = stock::check(folder, bundle)?;
        verdict.set(found.complete().then_some(true));
        Ok(found.to_string())
    })?;
    Ok(verdict.get())
}

struct Compared {
    acked: u64,
    journaled: u64,
    bundled: u64,
    lost: u64,
    extra_sign_ins: u64,
    /// As the journal tells it: starts without a stop before them.
    kills: u32,
    restarts: u32,
}

fn compare(phases: &mut Phases, site: &Site, seats: u16, handed_over: u64) -> Result<Compared> {
    let compared = RefCell::new(None);
    phases.run(COMPARE, |phases| {
        let folder = site.folder();
        let public: SitePublic = serde_json::from_slice(&fs::read(site.public_file())?)?;
        let acked = fs::read_to_string(folder.ack_log())? + &fs::read_to_string(folder.ack_log_of_spares())?;
        let acked = answers::from_lines(&acked).context("ack logs of the seats")?;
        let journal = answers::from_lines(&site.journal_answers()?).context("answers in the server's journal")?;
        let bundle = answers::from_bundle(&folder.opened())?;
        let facts = answers::from_journal(&folder.opened(), &public.site)?;
        ensure!(facts.answers == bundle, "the bundle's answers and its facts tell two stories");
        ensure!(
            facts.orphans == handed_over,
            "the replaced machine handed over {handed_over} versions, the bundle has {}",
            facts.orphans
        );
        phases.note(&format!(
            "换机前未传的作答已留存 versions of the replaced machine kept for the candidate: {handed_over}"
        ));
        if facts.starts_with_answers.len() < 2 {
            phases.note(
                "重启后没有新答案，此次强行终止不足为证 no answer came after the restart: this kill proves little",
            );
        }
        let restarts = facts.starts.saturating_sub(1);
        let lost = lost(&acked, [&journal, &bundle]);
        compared.replace(Some(Compared {
            acked: acked.len() as u64,
            journaled: journal.len() as u64,
            bundled: bundle.len() as u64,
            lost,
            extra_sign_ins: facts.sign_ins.abs_diff(u64::from(seats)),
            kills: restarts.saturating_sub(facts.stops),
            restarts,
        }));
        Ok(String::new())
    })?;
    compared.into_inner().context("everything was compared")
}

fn lost(acked: &Account, kept: [&Account; 2]) -> u64 {
    let [journal, bundle] = kept.map(|account| answers::missing(acked, account));
    journal.union(&bundle).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kill_comes_between_a_fifth_and_seven_tenths_of_the_answers() {
        for seed in 0..1_000 {
            assert!((320..=1_120).contains(&kill_at(seed, 1_600)), "seed {seed}");
        }
        assert_eq!(kill_at(1, 1), 1, "even a single answer is waited for");
    }

    #[test]
    fn the_wrong_code_is_a_code_and_not_a_typing_slip() {
        assert!(UnlockCode::parse(&foreign_code(7)).is_ok());
    }
}
