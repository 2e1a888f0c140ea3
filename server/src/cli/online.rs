//! Commands that act on a running server: they speak to it over QUIC as the site's administrator, while the exam runs.

use super::{args::RoleArg, exit::Coded, output::Output};
use anyhow::{Context, Result, anyhow};
use exam_link::{Link, LinkError, bulk};
use exam_protocol::{
    code::Phase,
    ids::{SeatNo, Sha256, SittingId},
    message::{
        admin::{
            Admit, AskStatus, BackUp, EndSitting, ExportBundle, ImportPackage, IssueCodes, OpenAdmission, SiteStatus,
            StandingBackup, StartSitting,
        },
        hello::Role,
    },
    tag::{Down, Up},
    time::SiteMs,
};
use exam_room::{Ask, rules::package::TakePackage};
use exam_server::{
    client::{self, ReachError},
    clock::SiteClock,
    import,
    journal::Journal,
    site::SiteKeys,
    vault::{self, Vault},
    watch::DISK_LOW_BYTES,
};
use serde_json::json;
use std::{io::IsTerminal, net::SocketAddr, path::Path};

/// Runs one conversation with the server.
pub(super) fn talk<T>(
    dir: &Path,
    server: Option<SocketAddr>,
    conversation: impl AsyncFnOnce(Link) -> Result<T>,
) -> Result<T> {
    Vault::new(dir).require_site()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (link, _welcome) = client::connect(dir, server).await.map_err(|error| unreached(error, dir, server))?;
        conversation(link).await
    })
}

/// Says what to look at when there is no answer; other errors say it themselves.
fn unreached(error: ReachError, dir: &Path, server: Option<SocketAddr>) -> anyhow::Error {
    let silent = matches!(error, ReachError::Link(LinkError::Unreachable(_)));
    let error = anyhow::Error::new(error);
    match server {
        _ if !silent => error,
        Some(addr) => {
            error.context(format!("asking {addr}: is that the address, and does the firewall let UDP through?"))
        }
        None => error
            .context(format!("asking the server of {}: has it stopped? `exam-server run` starts it", dir.display())),
    }
}

/// Asks one thing and expects one kind of answer.
pub(super) fn ask<T>(dir: &Path, message: impl Into<Up>, expect: impl FnOnce(Down) -> Option<T>) -> Result<T> {
    let message = message.into();
    talk(dir, None, async |link: Link| {
        let name = message.name();
        expect(link.ask(message).await?).ok_or_else(|| anyhow!("the server gave an unexpected answer to {name}"))
    })
}

pub(super) fn done(down: Down) -> Option<()> {
    matches!(down, Down::Done(_)).then_some(())
}

pub(super) fn enrol_code(dir: &Path, role: RoleArg, count: u16, uses: u16, output: Output) -> Result<()> {
    let role = match role {
        RoleArg::Station => Role::Station,
        RoleArg::Console => Role::Console,
    };
    let codes = talk(dir, None, async |link: Link| {
        let mut codes = Vec::new();
        for _ in 0..count {
            match link.ask(IssueCodes { role, uses }).await? {
                Down::IssuedCode(code) => codes.push(code),
                other => return Err(anyhow!("the server gave an unexpected answer: {}", other.name())),
            }
        }
        Ok(codes)
    })?;
    output.result(
        || {
            let lines: Vec<String> = codes
                .iter()
                .map(|code| format!("{}   可用 {} 台 · for {} machine(s)", code.code, code.uses, code.uses))
                .collect();
            lines.join("\n")
        },
        || json!({ "codes": codes }),
    );
    Ok(())
}

fn ask_status(dir: &Path) -> Result<SiteStatus> {
    ask(dir, AskStatus, |down| match down {
        Down::SiteStatus(status) => Some(status),
        _ => None,
    })
}

pub(super) fn status(dir: &Path, output: Output) -> Result<()> {
    let status = ask_status(dir)?;
    output.result(
        || {
            let mut text = format!(
                "{}\n  日志 journal {} facts · 磁盘剩余 free {:.1} GiB · 考生机 stations {} 在线 online / {} 已登记 enrolled\n",
                status.site_name,
                status.facts,
                status.disk_free_bytes as f64 / f64::from(1 << 30),
                status.stations_connected,
                status.stations_enrolled
            );
            text.extend(disk_warning(status.disk_free_bytes));
            text.push_str(&backup_line(status.backup.as_ref(), status.now.at));
            text.push_str(&sitting_table(&status));
            text
        },
        || json!(status),
    );
    Ok(())
}

/// P14: where the standing backup is and how old, or how to get one.
fn backup_line(backup: Option<&StandingBackup>, now: SiteMs) -> String {
    let Some(StandingBackup { dir, taken, facts, failing }) = backup else {
        return "  备份 backup: 未设置；以 run --backup DIR 启动即每分钟备份到另一块盘 · none: start with run --backup DIR to have one on another disk\n"
            .to_owned();
    };
    let age = taken.map(|taken| now.since(taken) / 1_000);
    let stands = match age {
        Some(age) => format!("{age} 秒前 s ago, {facts} facts, {dir}"),
        None => format!("尚无 none yet, {dir}"),
    };
    let warning = if *failing {
        "  ⚠ 备份失败：检查该目录所在的盘是否插好、有无空间；原因见日志 · the backup fails: is its disk plugged in, with room on it? The log says why\n"
    } else {
        ""
    };
    format!("  备份 backup: {stands}\n{warning}")
}

/// P12: what to do about a disk that is filling up, while there is time to do it.
fn disk_warning(free_bytes: u64) -> Option<String> {
    let low = free_bytes < DISK_LOW_BYTES;
    low.then(|| {
        "  ⚠ 磁盘剩余不足 5 GiB：请现在腾出空间，写满后不再确认答案 · less than 5 GiB free: make room now; on a full disk no answer is acknowledged\n".to_owned()
    })
}

pub(super) fn sittings(dir: &Path, output: Output) -> Result<()> {
    let status = ask_status(dir)?;
    output.result(|| sitting_table(&status), || json!({ "sittings": status.sittings }));
    Ok(())
}

fn sitting_table(status: &SiteStatus) -> String {
    if status.sittings.is_empty() {
        return "没有场次 · no sittings yet: import a package".to_owned();
    }
    let line = |s: &exam_protocol::message::admin::SittingStatus| {
        format!(
            "  {:<16} {:<22} 名单 {:>4}  待核验 {:>4}  已准入 {:>4}  答题 {:>4}  交卷 {:>4}  结束 {:>4}  缺考 {:>4}  答案 {:>7}  {}",
            s.sitting.as_str(),
            phase_text(s.phase),
            s.candidates,
            s.signed_in,
            s.admitted,
            s.working,
            s.handed_in,
            s.stopped,
            s.absent,
            s.answer_versions,
            s.title
        ) + &cut_text(s.undecided_cut_ms)
    };
    status.sittings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// HB-27: what keeps a sitting from ending by itself, and what to do about it.
fn cut_text(undecided_ms: Option<u64>) -> String {
    undecided_ms.map_or_else(String::new, |ms| {
        let minutes = ms.div_ceil(60_000);
        format!(
            "\n    断电 {minutes} 分钟待裁定，裁定前本场不会自动结束 · a power cut of {minutes} min is undecided, the sitting does not end by itself: exam-server time cut"
        )
    })
}

fn phase_text(phase: Phase) -> String {
    format!("{} {}", phase.zh(), phase.en())
}

pub(super) fn admit_open(dir: &Path, sitting: SittingId, output: Output) -> Result<()> {
    ask(dir, OpenAdmission { sitting: sitting.clone() }, done)?;
    said(output, "入场已开放 · candidates may sign in", &sitting);
    Ok(())
}

pub(super) fn admit(dir: &Path, sitting: SittingId, seats: Vec<SeatNo>, output: Output) -> Result<()> {
    ask(dir, Admit { sitting: sitting.clone(), seats }, done)?;
    said(output, "已准入 · admitted", &sitting);
    Ok(())
}

pub(super) fn start(dir: &Path, sitting: SittingId, code: String, output: Output) -> Result<()> {
    ask(dir, StartSitting { sitting: sitting.clone(), code }, done)?;
    said(output, "已开考 · the sitting has started", &sitting);
    Ok(())
}

pub(super) fn end(dir: &Path, sitting: SittingId, yes: bool, output: Output) -> Result<()> {
    if !yes && std::io::stdin().is_terminal() {
        let status = ask_status(dir)?;
        let working = status.sittings.iter().find(|s| s.sitting == sitting).map_or(0, |s| s.working);
        if working > 0 && !confirmed(&sitting, working)? {
            return Err(Coded { text: "没有结束 · not ended: nothing was changed".to_owned(), code: 5 }.into());
        }
    }
    ask(dir, EndSitting { sitting: sitting.clone() }, done)?;
    said(output, "已结束 · answering has stopped", &sitting);
    Ok(())
}

/// An end cannot be taken back, so a person says it twice.
fn confirmed(sitting: &SittingId, working: u32) -> Result<bool> {
    eprint!(
        "{working} 名考生仍在答题，结束后不能恢复。\n{working} candidates are still working; an end cannot be taken back.\n请输入场次编号确认 · type the sitting id to confirm [{sitting}]: "
    );
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(typed.trim() == sitting.as_str())
}

pub(super) fn said(output: Output, people: &str, sitting: &SittingId) {
    output.result(|| format!("{people}: {sitting}"), || json!({ "ok": true, "sitting": sitting }));
}

pub(super) fn backup(dir: &Path, out: &Path, output: Output) -> Result<()> {
    let out = std::path::absolute(out)?;
    Vault::new(dir).require_site()?;
    if !vault::is_free(&out)? {
        let text =
            format!("{} is not empty: a backup never overwrites anything; choose an empty folder", out.display());
        return Err(Coded { text, code: 5 }.into());
    }
    let (facts, bytes) = match Vault::new(dir).claim() {
        Ok(_lock) => Vault::new(dir).back_up(&out)?,
        Err(_) => ask(dir, BackUp { dir: out.to_string_lossy().into_owned() }, |down| match down {
            Down::BackedUp(copy) => Some((copy.facts, copy.bytes)),
            _ => None,
        })
        .with_context(|| {
            let logs = Vault::new(dir).logs();
            format!(
                "the server copies to {}: is there room, and may it write there? Its log: {}",
                out.display(),
                logs.display()
            )
        })?,
    };
    output.result(
        || format!("备份已完成并校验 · backup written and checked: {facts} facts, {bytes} bytes in {}", out.display()),
        || json!({ "facts": facts, "bytes": bytes, "dir": out }),
    );
    Ok(())
}

pub(super) fn export(dir: &Path, sitting: SittingId, out: &Path, output: Output) -> Result<()> {
    let was_there = out.exists();
    std::fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    let written = talk(dir, None, async |link: Link| {
        let Down::BundleReady(ready) = link.ask(ExportBundle { sitting }).await? else {
            return Err(anyhow!("the server gave an unexpected answer"));
        };
        let path = out.join(&ready.file_name);
        if !already_there(&path, &ready.sealed)? {
            bulk::fetch_blob(&link, ready.sealed, &path).await.context("fetching the bundle")?;
        }
        Ok((ready, path))
    });
    let (ready, path) = written.inspect_err(|_| {
        if !was_there {
            let _ = std::fs::remove_dir(out); // only if nothing was written into it
        }
    })?;
    if hash_of(&path)? != ready.sealed {
        let text = format!("{} does not read back as it was written: use another disk or stick", path.display());
        return Err(Coded { text, code: 6 }.into());
    }
    output.result(
        || {
            format!(
                "成绩包已导出并复核 · bundle written, read back and checked:\n  {}\n  {} 人 attempts · {} 题 answers · SHA-256 {}",
                path.display(),
                ready.attempts,
                ready.answers,
                ready.sealed
            )
        },
        || {
            json!({ "file": path, "sealed": ready.sealed, "content": ready.content, "bytes": ready.sealed_bytes,
                "attempts": ready.attempts, "answers": ready.answers })
        },
    );
    Ok(())
}

/// A file of that name with the same bytes is fine; with others it is never overwritten.
fn already_there(path: &Path, wanted: &Sha256) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    if hash_of(path)? == *wanted {
        return Ok(true);
    }
    Err(Coded { text: format!("{} exists with other content: move it away first", path.display()), code: 5 }.into())
}

fn hash_of(path: &Path) -> Result<Sha256> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {} again", path.display()))?;
    Ok(Sha256::of(&bytes))
}

pub(super) fn import(dir: &Path, server: Option<SocketAddr>, file: &Path, output: Output) -> Result<()> {
    if !file.is_file() {
        return Err(Coded { text: format!("there is no file {}", file.display()), code: 4 }.into());
    }
    Vault::new(dir).require_site()?;
    let bytes = std::fs::metadata(file).with_context(|| format!("reading {}", file.display()))?.len();
    if bytes > import::PACKAGE_BYTES_MAX {
        return Err(import::ImportError::TooLarge(bytes).into()); // before it fills the running server's disk
    }
    let stopped = server.is_none().then(|| Vault::new(dir).claim().ok()).flatten();
    let imported = match stopped {
        Some(_lock) => import_here(dir, file)?,
        None => talk(dir, server, async |link: Link| {
            let package = bulk::put_blob(&link, file).await.context("sending the package")?;
            match link.ask(ImportPackage { package }).await? {
                Down::PackageImported(imported) => Ok(imported),
                other => Err(anyhow!("the server gave an unexpected answer: {}", other.name())),
            }
        })?,
    };
    output.result(
        || {
            let state = if imported.changed {
                "考试包已导入 · package imported"
            } else {
                "考试包已在库中 · package was already here"
            };
            let sittings = imported.sittings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let hq = match imported.hq_key_is_new {
                true => format!(
                    "{} (首次信任，请与评价组织核对 · first package: compare this key id with HQ)",
                    imported.hq_key
                ),
                false => imported.hq_key.clone(),
            };
            format!(
                "{state}: {}\n  场次 sittings  {sittings}\n  考生 candidates  {}\n  评价组织 HQ key  {hq}",
                imported.exam, imported.candidates
            )
        },
        || json!(imported),
    );
    Ok(())
}

/// The server is not running: the same checks and the same fact, straight into the journal.
fn import_here(dir: &Path, file: &Path) -> Result<exam_protocol::message::admin::PackageImported> {
    let vault = Vault::new(dir);
    let keys = SiteKeys::load(dir)?;
    let (mut journal, mut site, last) = Journal::open(dir)?;
    let pinned = site.hq.as_ref().map(|hq| hq.minisign.clone());
    vault.create_folders()?;
    let content = import::read(file, &keys, &vault, pinned.as_deref())?;
    let imported = import::summary(&content, pinned.is_none(), site.exams.get(&content.exam).map(|exam| exam.package));
    let (clock, _) = SiteClock::resume(&site, last.wall);
    let mut now = clock.now();
    now.at = site.latest;
    let ask: Ask = TakePackage { content }.into();
    let facts: Vec<_> = site.decide(now, &ask)?.into_iter().map(|fact| (now, fact)).collect();
    journal.append(&facts)?;
    facts.iter().for_each(|(now, fact)| site.apply(*now, fact));
    journal.close()?;
    Ok(imported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_five_gibibytes_the_administrator_is_told_and_from_there_on_not() {
        assert!(disk_warning(DISK_LOW_BYTES - 1).is_some_and(|words| words.contains("5 GiB")));
        assert_eq!(disk_warning(DISK_LOW_BYTES), None);
    }
}
