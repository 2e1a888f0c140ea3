//! What happens in a room while candidates work, through the command lines people would type: a leave, a machine swap, time
//! granted by two people and by HQ, a power cut with a restart, violations signed and refused. Then the room record is
//! read, and has to say exactly that. Never checks its own list: what is expected is written down here, entry by entry.

use crate::phases::Phases;
use anyhow::{Context, Result, ensure};
use exam_e2e::site::Site;
use serde_json::Value;
use std::{collections::BTreeMap, ffi::OsStr, fs, path::PathBuf};

/// `exam-server`: a rule said no.
const EXIT_REFUSED: i32 = 5;
/// Seats things happen to; more may only work.
pub(crate) const SEATS_MIN: u16 = 6;
/// Who moves to another machine.
pub(crate) const SWAPPED: u16 = 1;
const EXTENDED: u16 = 2;
const LEAVES: u16 = 3;
const STAYS: u16 = 4;
const WARNED: u16 = 5;
const REFUSES: u16 = 6;

/// Invented people: account, role, name, password.
const PEOPLE: [(&str, &str, &str, &str); 5] = [
    ("chief", "chief", "赵明", "demo-chief-1"),
    ("inspector", "inspector", "钱敏", "demo-inspector-1"),
    ("proctor-1", "proctor", "孙立", "demo-proctor-1"),
    ("proctor-2", "proctor", "李华", "demo-proctor-2"),
    ("helper", "staff", "周强", "demo-helper-1"),
];

/// What HQ grants, minutes.
const BY_HQ_MIN: u32 = 20;
/// What chief and inspector grant, minutes.
const ON_SITE_MIN: u32 = 5;
/// What has to be on the form, and how often, by 类别; kinds that depend on the load are left out.
const EXPECTED: [(&str, usize); 10] = [
    ("巡考", 2),
    ("暂离", 2),
    ("换机", 1),
    ("延时", 3), // proposed with the swap, by two people, by HQ
    ("暂停", 1),
    ("恢复", 1),
    ("违纪", 2),
    ("签名", 4), // the candidate; the refusal, and two proctors
    ("办结", 2),
    ("服务器", 2), // the kill in the middle, and the power cut
];

/// The people of the room and where their passwords lie.
pub(crate) struct Staff<'a> {
    site: &'a Site,
    sitting: &'a str,
}

impl<'a> Staff<'a> {
    pub(crate) fn new(site: &'a Site, sitting: &'a str) -> Self {
        Self { site, sitting }
    }

    /// Accounts for everybody; the chief answers for the server's machine.
    pub(crate) fn appoint(&self) -> Result<()> {
        for (account, role, name, password) in PEOPLE {
            fs::write(self.password(account), format!("{password}\n"))?;
            let mut args = vec!["staff", "add", account, "--name", name, "--role", role];
            if role == "proctor" {
                args.extend(["--room", "R1"]);
            }
            self.with_passwords(&args, &[account])?.expect_code(0)?;
        }
        self.sign_on("chief")
    }

    /// Everything that happens while candidates work, up to the power cut.
    pub(crate) fn before_the_cut(&self, phases: &Phases, spare: u16) -> Result<()> {
        self.visit(phases)?;
        self.leave(phases)?;
        self.swap(phases, spare)?;
        self.extend(phases)?;
        self.violations(phases)?;
        let whose = [self.sitting, "--cause", "power-cut", "--reason", "全场停电，服务器由 UPS 供电"];
        self.must(&[&["time", "pause"], &whose[..]].concat())?;
        phases.note("停电，全场停表 power cut: the clock stands still for everybody");
        Ok(())
    }

    /// The power is back within the hour, and so is the server.
    pub(crate) fn after_the_cut(&self, phases: &Phases) -> Result<()> {
        self.must(&["time", "resume", self.sitting])?;
        phases.note("恢复供电，继续计时 power is back, the clock runs on");
        Ok(())
    }

    fn visit(&self, phases: &Phases) -> Result<()> {
        self.sign_on("inspector")?;
        let begun = self.must(&["visit", "begin", self.sitting])?;
        let visit = begun["visit"].as_u64().or(begun["number"].as_u64()).context("the visit has a number")?.to_string();
        self.must(&["visit", "note", &visit, "秩序良好"])?;
        self.sign_on("chief")?;
        phases.note("巡考员已巡视并记录 the inspector visited the room and wrote it down");
        Ok(())
    }

    fn leave(&self, phases: &Phases) -> Result<()> {
        let [first, second] = [LEAVES, STAYS].map(|seat| seat.to_string());
        let out = |seat: &str, escort: &str| {
            let whose = ["--sitting", self.sitting, "--seat", seat, "--escort", escort, "--reason", "去洗手间"];
            self.run(&[&["attendance", "out"], &whose[..]].concat())
        };
        out(&first, "helper")?.expect_code(0)?;
        out(&second, "proctor-1")?.expect_code(EXIT_REFUSED).context("only one of a room may be out")?;
        self.must(&["attendance", "back", "--sitting", self.sitting, "--seat", &first])?;
        phases.note("一人暂离并返回，同时第二人被拒绝 one went out and came back, a second one was refused meanwhile");
        Ok(())
    }

    fn swap(&self, phases: &Phases, spare: u16) -> Result<()> {
        let [seat, spare] = [SWAPPED, spare].map(|seat| seat.to_string());
        let whose = ["--sitting", self.sitting, "--seat", &seat, "--to", &spare, "--trouble", "1", "--reason", "蓝屏"];
        self.must(&[&["attendance", "swap"], &whose[..]].concat())?;
        phases.note(&format!(
            "考位 {seat} 换到备用机 {spare}，旧机停止收卷 seat {seat} moved to the spare at {spare}; the old machine is fenced"
        ));
        Ok(())
    }

    fn extend(&self, phases: &Phases) -> Result<()> {
        let (seat, minutes) = (EXTENDED.to_string(), ON_SITE_MIN.to_string());
        let two = |approvers: &[&str]| {
            let whose = [self.sitting, "--seat", &seat, "--minutes", &minutes, "--reason", "设备重启"];
            let mut args = [&["time", "extend"], &whose[..]].concat();
            approvers.iter().for_each(|one| args.extend(["--approve", one]));
            self.with_passwords(&args, approvers)
        };
        two(&["chief"])?.expect_code(EXIT_REFUSED).context("one person must not grant time")?;
        two(&["chief", "inspector"])?.expect_code(0)?;
        let code = self.grant_code()?;
        let by_hq = || {
            let minutes = BY_HQ_MIN.to_string();
            let whose =
                [self.sitting, "--seat", &seat, "--minutes", &minutes, "--reason", "评价组织同意", "--code", &code];
            self.run(&[&["time", "extend-hq"], &whose[..]].concat())
        };
        by_hq()?.expect_code(0)?;
        by_hq()?.expect_code(EXIT_REFUSED).context("HQ's code must work once")?;
        phases.note(&format!(
            "考位 {seat} 延时：主考与巡考员 {ON_SITE_MIN} 分钟，评价组织授权码 {BY_HQ_MIN} 分钟 · extended by two people and by HQ's code; one person alone and a used code were refused"
        ));
        Ok(())
    }

    fn grant_code(&self) -> Result<String> {
        let (package, minutes) = (self.site.folder().package_file(), BY_HQ_MIN.to_string());
        let mut args: Vec<&OsStr> = ["code", "extend", "--package"].map(OsStr::new).to_vec();
        args.push(package.as_os_str());
        args.extend(["--sitting", self.sitting, "--minutes", &minutes].map(OsStr::new));
        let said = self.site.hq(args)?.expect_code(0)?.json()?;
        said["code"].as_str().map(str::to_owned).context("HQ's answer has a code")
    }

    /// One candidate signs with strokes; the other refuses, and every proctor present signs instead.
    fn violations(&self, phases: &Phases) -> Result<()> {
        let strokes = self.site.folder().logs().join("strokes.json");
        fs::write(&strokes, "[[[10,10,0],[40,60,80],[90,20,160]],[[20,70,400],[80,75,470]]]")?;
        let strokes = strokes.to_str().context("the folder's name is text")?;
        let signed = self.violation(WARNED, "warn", "考试中与邻座交谈")?;
        self.run(&["incident", "close", &signed])?.expect_code(EXIT_REFUSED).context("nobody has signed")?;
        self.must(&["incident", "sign", &signed, "--candidate", "--strokes", strokes])?;
        self.must(&["incident", "close", &signed])?;
        let refused = self.violation(REFUSES, "warn", "桌上有手机")?;
        self.must(&["incident", "refuse", &refused, "--reason", "不认可"])?;
        for proctor in ["proctor-1", "proctor-2"] {
            self.run(&["incident", "close", &refused])?.expect_code(EXIT_REFUSED).context("a signature is missing")?;
            self.sign_on(proctor)?;
            self.must(&["incident", "sign", &refused, "--strokes", strokes])?;
        }
        self.sign_on("chief")?;
        self.must(&["incident", "close", &refused])?;
        phases.note("两起违纪：一人签名，一人拒签、由在场监考员签名 two violations: one signed, one refused and signed by all proctors");
        Ok(())
    }

    fn violation(&self, seat: u16, measure: &str, facts: &str) -> Result<String> {
        let seat = seat.to_string();
        let whose = ["--sitting", self.sitting, "--seat", &seat, "--measure", measure, "--facts", facts];
        let said = self.must(&[&["incident", "violation"], &whose[..]].concat())?;
        Ok(said["record"].as_u64().context("a record has a number")?.to_string())
    }

    /// The account of the extended seat adds up: start, plan, what was given back, what was granted, end.
    pub(crate) fn account_adds_up(&self) -> Result<()> {
        let now = self.must(&["status"])?["now"]["at"].as_u64().context("the server tells its time")?.to_string();
        let seat = EXTENDED.to_string();
        let told = self.must(&["journal", "why", "--sitting", self.sitting, "--seat", &seat, "--at", &now])?;
        let why = &told["why"];
        let number = |value: &Value| value.as_u64().context("a number of milliseconds");
        let sum = |list: &Value, of: fn(&Value) -> &Value| -> Result<u64> {
            list.as_array().context("a list")?.iter().map(|one| number(of(one))).sum()
        };
        let granted = sum(&why["granted_ms"], |one| one)?;
        ensure!(granted == u64::from(ON_SITE_MIN + BY_HQ_MIN) * 60_000, "{granted} ms were granted to seat {seat}");
        let back = sum(&why["removed"], |one| &one["counted_ms"])?;
        ensure!(back > 0, "the power cut gave nothing back");
        let end = number(&why["started"])? + number(&why["plan_ms"])? + back + granted;
        ensure!(end == number(&why["ends"])?, "seat {seat} ends at {}, its account says {end}", why["ends"]);
        Ok(())
    }

    /// The room record as people read it is written to `room-record.txt`; it says what happened, entry by entry.
    ///
    /// Returns its lines.
    pub(crate) fn record(&self) -> Result<Vec<String>> {
        let told = self.must(&["record", "--sitting", self.sitting])?;
        let entries = told["entries"].as_array().context("the record has entries")?;
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        entries.iter().filter_map(|entry| entry["kind"].as_str()).for_each(|kind| *kinds.entry(kind).or_default() += 1);
        for (kind, times) in EXPECTED {
            let found = kinds.get(kind).copied().unwrap_or(0);
            ensure!(found == times, "the room record has {found} entries of {kind}, {times} happened");
        }
        let lines = self.site.server_in_words(&["record", "--sitting", self.sitting])?;
        fs::write(self.file(), &lines)?;
        Ok(lines.lines().map(str::to_owned).collect())
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.site.folder().root().join("room-record.txt")
    }

    fn sign_on(&self, account: &str) -> Result<()> {
        self.with_passwords(&["staff", "sign-on", account], &[account])?.expect_code(0)?;
        Ok(())
    }

    fn password(&self, account: &str) -> PathBuf {
        self.site.folder().keys().join(format!("{account}.password"))
    }

    fn with_passwords(&self, args: &[&str], accounts: &[&str]) -> Result<exam_e2e::process::Finished> {
        let files: Vec<PathBuf> = accounts.iter().map(|account| self.password(account)).collect();
        let mut all: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        files.iter().for_each(|file| all.extend([OsStr::new("--password-file"), file.as_os_str()]));
        self.site.server(all)
    }

    fn run(&self, args: &[&str]) -> Result<exam_e2e::process::Finished> {
        self.site.server(args)
    }

    fn must(&self, args: &[&str]) -> Result<Value> {
        self.run(args)?.expect_code(0)?.json()
    }
}
