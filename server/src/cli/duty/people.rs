//! Accounts, signing on and off, and looking for a candidate. Never shows a password, but one it has just drawn.

use super::StaffCommand;
use crate::cli::{
    exit::Coded,
    online::{ask, done},
    output::Output,
    password,
};
use anyhow::{Result, anyhow};
use exam_protocol::{
    code::SeatState,
    ids::AccountId,
    message::duty::{
        ChangePassword, FindCandidate, Found, FoundCandidate, MakeAccount, People, PeopleCall, Person, ResetPassword,
        SignOn,
    },
    staff::StaffRole,
    tag::Down,
};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use std::path::Path;

/// Random bytes of a drawn password: 80 bits, sixteen characters.
const DRAWN_BYTES: usize = 10;

pub(super) fn run(dir: &Path, command: StaffCommand, output: Output) -> Result<()> {
    match command {
        StaffCommand::Add { account, name, role, room, stands_in_for, reason, generate, password } => {
            let (password, drawn) = if generate {
                let drawn = drawn()?;
                (drawn.clone(), Some(drawn))
            } else {
                (password::of(&account, &password)?, None)
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
            let password = password::of(&account, &password)?;
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
        StaffCommand::Password { account, reset, generate } => new_password(dir, account, reset, generate, output),
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

fn new_password(dir: &Path, account: AccountId, reset: bool, generate: bool, output: Output) -> Result<()> {
    let drawn = generate.then(drawn).transpose()?;
    let call = if reset {
        let new = drawn.clone().map_or_else(|| password::new(&account), Ok)?;
        PeopleCall::ResetPassword(ResetPassword { account: account.clone(), new })
    } else {
        let (old, new) = password::old_and_new(&account)?;
        PeopleCall::ChangePassword(ChangePassword { account: account.clone(), old, new })
    };
    ask(dir, call, done)?;
    let once = "只显示一次，请当面交给本人 · shown once, hand it over in person";
    output.result(
        || {
            let text = format!("密码已更改 · password changed: {account}");
            drawn.as_ref().map_or(text.clone(), |drawn| format!("{text}\n  密码 password  {drawn}\n  {once}"))
        },
        || json!({ "ok": true, "account": account, "password": drawn }),
    );
    Ok(())
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

fn role_text(role: StaffRole) -> String {
    format!("{} {}", role.zh(), role.en())
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

fn state_text(state: SeatState) -> String {
    format!("{} {}", state.zh(), state.en())
}
