//! Accounts, signing on and off, and looking for a candidate. Never shows a password, but one it has just drawn.

use super::{PasswordArg, StaffCommand};
use crate::cli::{
    exit::Coded,
    online::{ask, done},
    output::Output,
};
use anyhow::{Context, Result, anyhow};
use exam_protocol::{
    code::SeatState,
    ids::AccountId,
    message::duty::{FindCandidate, Found, FoundCandidate, MakeAccount, People, PeopleCall, Person, SignOn},
    staff::StaffRole,
    tag::Down,
};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

/// Where scripts put the password of the one person they act for.
const PASSWORD_VARIABLE: &str = "EXAM_STAFF_PASSWORD";
/// Largest password file looked at, in bytes.
const PASSWORD_FILE_BYTES_MAX: u64 = 4 * 1024;
/// Random bytes of a drawn password: 80 bits, sixteen characters.
const DRAWN_BYTES: usize = 10;

pub(super) fn run(dir: &Path, command: StaffCommand, output: Output) -> Result<()> {
    match command {
        StaffCommand::Add { account, name, role, room, stands_in_for, reason, generate, password } => {
            let (password, drawn) = if generate {
                let drawn = drawn()?;
                (drawn.clone(), Some(drawn))
            } else {
                (password_of(&account, &password)?, None)
            };
            let role = StaffRole::from(role);
            let made = MakeAccount { account: account.clone(), name, role, room, stands_in_for, reason, password };
            ask(dir, PeopleCall::Make(made), done)?;
            output.result(
                || {
                    let text = format!("账号已建立 · account made: {account} ({})", role_text(role));
                    let once = "只显示一次，请当面交给本人 · shown once, hand it over in person";
                    drawn.as_ref().map_or(text.clone(), |drawn| format!("{text}\n  密码 password  {drawn}\n  {once}"))
                },
                || json!({ "ok": true, "account": account, "role": role, "password": drawn }),
            );
            Ok(())
        }
        StaffCommand::SignOn { account, password } => {
            let password = password_of(&account, &password)?;
            ask(dir, PeopleCall::SignOn(SignOn { account: account.clone(), password }), done)?;
            output.result(
                || format!("已上岗 · signed on at this machine: {account}"),
                || json!({ "ok": true, "account": account }),
            );
            Ok(())
        }
        StaffCommand::SignOff => {
            ask(dir, PeopleCall::SignOff, done)?;
            output.result(|| "已离岗 · signed off".to_owned(), || json!({ "ok": true }));
            Ok(())
        }
        StaffCommand::List => {
            let people = ask(dir, PeopleCall::List, |down| match down {
                Down::People(people) => Some(people),
                _ => None,
            })?;
            output.result(|| people_table(&people), || json!(people));
            Ok(())
        }
    }
}

fn people_table(people: &People) -> String {
    if people.people.is_empty() {
        return "没有账号 · no accounts yet: `exam-server staff add`".to_owned();
    }
    let line = |person: &Person| {
        let own = if people.own.as_ref() == Some(&person.account) { "*" } else { " " };
        let state = if person.active { "" } else { "  已停用 retired" };
        let stands = person.stands_in_for.as_ref().map(|absent| format!("  替补 stands in for {absent}"));
        let room = person.room.as_ref().map(|room| format!("  考场 room {room}"));
        let rest = [room, stands].into_iter().flatten().collect::<String>();
        format!("{own} {:<16} {:<20} {}{rest}{state}", person.account.as_str(), role_text(person.role), person.name)
    };
    people.people.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn role_text(role: StaffRole) -> &'static str {
    match role {
        StaffRole::Chief => "主考 chief",
        StaffRole::Deputy => "副主考 deputy",
        StaffRole::Proctor => "监考员 proctor",
        StaffRole::Inspector => "巡考员 inspector",
        StaffRole::Admin => "系统管理员 admin",
        StaffRole::Staff => "工作人员 staff",
    }
}

/// The password of the one person a command acts for.
fn password_of(account: &AccountId, wanted: &PasswordArg) -> Result<String> {
    match (&wanted.password_file, std::env::var(PASSWORD_VARIABLE)) {
        (Some(file), _) => from_file(file),
        (None, Ok(password)) => Ok(password),
        (None, Err(_)) => typed(account),
    }
}

/// The passwords of the people who agree to an act, in order: from the files, else typed one after the other.
pub(super) fn passwords_of(accounts: &[AccountId], files: &[PathBuf]) -> Result<Vec<String>> {
    if !files.is_empty() && files.len() != accounts.len() {
        let text = format!("{} people agree, but {} password files are given", accounts.len(), files.len());
        return Err(Coded { text, code: 2 }.into());
    }
    match files {
        [] => accounts.iter().map(typed).collect(),
        files => files.iter().map(|file| from_file(file)).collect(),
    }
}

fn from_file(path: &Path) -> Result<String> {
    let bytes = exam_link::private_file::read_limited(path, PASSWORD_FILE_BYTES_MAX)
        .with_context(|| format!("reading the password file {}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8 text", path.display()))?;
    let first = text.trim_start_matches('\u{FEFF}').lines().next().unwrap_or_default().trim_end();
    Ok(first.to_owned())
}

fn typed(account: &AccountId) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let text =
            format!("no password for {account}: give --password-file, or set {PASSWORD_VARIABLE} for one person");
        return Err(Coded { text, code: 2 }.into());
    }
    rpassword::prompt_password(format!("密码 · password of {account}: ")).context("reading the password")
}

/// 80 random bits in groups that can be read aloud.
fn drawn() -> Result<String> {
    let mut bytes = [0; DRAWN_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("the system gives no randomness"))?;
    let letters = data_encoding::BASE32_NOPAD.encode(&bytes).to_ascii_lowercase();
    let groups = [&letters[..4], &letters[4..8], &letters[8..12], &letters[12..]];
    Ok(groups.join("-"))
}

pub(super) fn find(dir: &Path, query: String, output: Output) -> Result<()> {
    let found = ask(dir, FindCandidate { query }, |down| match down {
        Down::Found(found) => Some(found),
        _ => None,
    })?;
    if found.candidates.is_empty() {
        return Err(Coded { text: "没有找到 · nobody fits".to_owned(), code: 4 }.into());
    }
    output.result(|| found_table(&found), || json!(found));
    Ok(())
}

fn found_table(found: &Found) -> String {
    let line = |one: &FoundCandidate| {
        format!(
            "  {}  {}  {}  {} · 考位 seat {} · {} · {}",
            one.name,
            one.admission_no,
            one.id_masked,
            one.room_name,
            one.seat.seat,
            one.sitting,
            state_text(one.state)
        )
    };
    let mut lines: Vec<String> = found.candidates.iter().map(line).collect();
    if found.more {
        lines.push("  还有更多，请输入得更准确 · there are more: ask more exactly".to_owned());
    }
    lines.join("\n")
}

fn state_text(state: SeatState) -> &'static str {
    match state {
        SeatState::Waiting => "未登录 not signed in",
        SeatState::SignedIn => "待核验 awaiting admission",
        SeatState::Admitted => "已准入 admitted",
        SeatState::Working => "答题中 working",
        SeatState::Stopped => "已结束 stopped",
        SeatState::HandedIn => "已交卷 handed in",
        SeatState::Absent => "缺考 absent",
        SeatState::Away => "暂离 away",
        SeatState::Paused => "已暂停 paused",
        SeatState::Terminated => "已终止 terminated",
        SeatState::Denied => "拒绝准入 denied",
    }
}
