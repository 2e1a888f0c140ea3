//! Where a password comes from: a file, EXAM_STAFF_PASSWORD, a terminal that does not show it, or standard input, a line each.
//! Never the command line, where every other program of the machine could read it; never shown while it is typed.

use super::exit::Coded;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use exam_protocol::{ids::AccountId, message::duty::Approval};
use std::{
    io::{BufRead, IsTerminal, Read},
    path::{Path, PathBuf},
};

/// Where scripts put the password of the one person they act for.
const PASSWORD_VARIABLE: &str = "EXAM_STAFF_PASSWORD";
/// Largest password file, or line of standard input, looked at, in bytes.
const PASSWORD_BYTES_MAX: u64 = 4 * 1024;

/// Where a password comes from; without any, EXAM_STAFF_PASSWORD, else a terminal is asked.
#[derive(Args)]
pub(super) struct PasswordArg {
    /// File whose first line is the password; else EXAM_STAFF_PASSWORD, else a terminal is asked
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
}

/// Where the passwords of people who agree come from.
#[derive(Args)]
pub(super) struct PasswordFiles {
    /// Files with the passwords, in the same order; without them a terminal is asked, else standard input has one a line
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Vec<PathBuf>,
}

/// The password of the one person a command acts for.
pub(super) fn of(account: &AccountId, wanted: &PasswordArg) -> Result<String> {
    match (&wanted.password_file, std::env::var(PASSWORD_VARIABLE)) {
        (Some(file), _) => from_file(file),
        (None, Ok(password)) => Ok(password),
        (None, Err(_)) if std::io::stdin().is_terminal() => {
            let _silence = Silence::begin();
            typed(account, "的密码 · password of")
        }
        (None, Err(_)) => {
            let text =
                format!("no password for {account}: give --password-file, or set {PASSWORD_VARIABLE} for one person");
            Err(Coded { text, code: 2 }.into())
        }
    }
}

/// The people who agree to an act, in order, each with their password: from the files, else asked for one after the other.
pub(super) fn proofs(accounts: Vec<AccountId>, files: &[PathBuf]) -> Result<Vec<Approval>> {
    if !files.is_empty() && files.len() != accounts.len() {
        let text = format!("{} people agree, but {} password files are given", accounts.len(), files.len());
        return Err(Coded { text, code: 2 }.into());
    }
    let passwords = match files {
        [] => asked(&accounts.iter().map(|account| (account, "的密码 · password of")).collect::<Vec<_>>())?,
        files => files.iter().map(|file| from_file(file)).collect::<Result<_>>()?,
    };
    Ok(accounts.into_iter().zip(passwords).map(|(account, password)| Approval { account, password }).collect())
}

/// Passwords one after the other: asked for at a terminal, else a line each of standard input.
pub(super) fn asked(prompts: &[(&AccountId, &str)]) -> Result<Vec<String>> {
    if std::io::stdin().is_terminal() {
        let _silence = Silence::begin();
        return prompts.iter().map(|(account, what)| typed(account, what)).collect();
    }
    let mut lines = std::io::stdin().lock();
    prompts.iter().map(|(account, _)| next_line(&mut lines, account)).collect()
}

/// The old password and a new one.
pub(super) fn old_and_new(account: &AccountId) -> Result<(String, String)> {
    let _silence = Silence::begin();
    let old = asked(&[(account, "的旧密码 · old password of")])?.pop().unwrap_or_default();
    Ok((old, new(account)?))
}

/// A password nobody has used yet: a slip of the finger would shut its owner out, so a terminal asks twice.
pub(super) fn new(account: &AccountId) -> Result<String> {
    let _silence = Silence::begin();
    let what = "的新密码 · new password of";
    let mut typed = asked(&[(account, what)])?;
    let new = typed.pop().unwrap_or_default();
    if std::io::stdin().is_terminal()
        && asked(&[(account, "的新密码（再输一次）· once more, new password of")])? != [new.clone()]
    {
        let text = "两次输入不一致，密码没有更改 · the two differ: nothing was changed".to_owned();
        return Err(Coded { text, code: 3 }.into());
    }
    Ok(new)
}

fn next_line(lines: &mut impl BufRead, account: &AccountId) -> Result<String> {
    let mut line = String::new();
    let read = lines.by_ref().take(PASSWORD_BYTES_MAX).read_line(&mut line).context("reading a password")?;
    if read == 0 {
        return Err(Coded { text: format!("standard input has no password for {account}"), code: 2 }.into());
    }
    if !line.ends_with('\n') && read as u64 == PASSWORD_BYTES_MAX {
        return Err(Coded { text: format!("the password of {account} is too long"), code: 2 }.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn from_file(path: &Path) -> Result<String> {
    let bytes = exam_link::private_file::read_limited(path, PASSWORD_BYTES_MAX)
        .with_context(|| format!("reading the password file {}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is not UTF-8 text", path.display()))?;
    let first = text.trim_start_matches('\u{FEFF}').lines().next().unwrap_or_default().trim_end();
    Ok(first.to_owned())
}

fn typed(account: &AccountId, what: &str) -> Result<String> {
    rpassword::prompt_password(format!("{account} {what} {account}: ")).context("reading the password")
}

/// While it lives the terminal shows nothing that is typed: each prompt hides its own line, but words typed ahead of a prompt,
/// or pasted two lines at once, fall between two of them.
struct Silence {
    #[cfg(unix)]
    before: Option<(std::fs::File, rustix::termios::Termios)>,
}

impl Silence {
    #[cfg(unix)]
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let hidden = || {
            let terminal = std::fs::File::open("/dev/tty").ok()?;
            let before = tcgetattr(&terminal).ok()?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            tcsetattr(&terminal, OptionalActions::Now, &silent).ok()?;
            Some((terminal, before))
        };
        // Without a terminal of its own the prompt says what is wrong.
        Self { before: std::io::stdin().is_terminal().then(hidden).flatten() }
    }

    #[cfg(not(unix))]
    fn begin() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        if let Some((terminal, before)) = &self.before {
            // A terminal that is gone shows nothing anyway.
            let _ = rustix::termios::tcsetattr(terminal, rustix::termios::OptionalActions::Now, before);
        }
    }
}
