//! `summary.json`: what the demo found, and whether that is good enough. Field names are stable: tests outside read them.
//! Never rounds a loss away.

use anyhow::{Result, ensure};
use exam_e2e::folder::Folder;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one demo found.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Candidates.
    pub(crate) seats: u16,
    /// Seats that could not sign in, or had to a second time.
    pub(crate) logins_failed: u64,
    /// `kill -9` of the server.
    pub(crate) kills: u32,
    /// Starts of the server after the first.
    pub(crate) restarts: u32,
    /// Answer versions that seats saw acknowledged.
    pub(crate) acked: u64,
    /// Answer versions in the server's journal.
    pub(crate) journaled: u64,
    /// Answer versions in the bundle.
    pub(crate) bundled: u64,
    /// Acknowledged versions that journal or bundle lack or tell differently.
    pub(crate) lost: u64,
    /// Whether two exports of the sitting are equal, byte for byte.
    pub(crate) exports_equal: bool,
    /// Whether `age`, `unzip`, `sha256sum` and `minisign` found the bundle good; null where one of them is not installed.
    pub(crate) stock_tools: Option<bool>,
    /// Lines of the room record; every one that had to be there is.
    pub(crate) record_lines: u64,
    /// Seconds, phase by phase.
    pub(crate) seconds: BTreeMap<&'static str, f64>,
}

impl Summary {
    /// Tells people what is where, and the figures that matter.
    pub(crate) fn explain(&self, folder: &Folder) {
        eprintln!();
        for (name, what) in [
            ("keys/", "密钥与公开文件 HQ's keys, the site's public files"),
            ("package/", "考试包 sealed exam package"),
            ("bundle/", "成绩包 signed, sealed result bundle"),
            ("opened/", "已开封的成绩包 the bundle, opened by HQ"),
            ("results.xlsx", "成绩表 marks"),
            ("room-record.txt", "考场情况记录表 room record"),
            ("logs/", "日志 what every program said"),
            ("summary.json", "以下数字 these figures"),
        ] {
            eprintln!("  {}  {what}", folder.root().join(name).display());
        }
        eprintln!(
            "\n考位 seats {}   登录失败 logins failed {}   强行终止 kills {}   重启 restarts {}",
            self.seats, self.logins_failed, self.kills, self.restarts
        );
        eprintln!(
            "已确认 acked by seats {} = 日志 in the journal {} = 成绩包 in the bundle {}   丢失 lost {}",
            self.acked, self.journaled, self.bundled, self.lost
        );
    }

    /// # Errors
    /// A check failed; the message says which.
    pub(crate) fn judge(&self, stock_tools_required: bool) -> Result<()> {
        ensure!(self.logins_failed == 0, "{} seats could not sign in, or had to sign in again", self.logins_failed);
        ensure!(self.kills > 0 && self.restarts == self.kills, "the server was not killed and started again");
        ensure!(self.acked > 0, "no answer was acknowledged");
        ensure!(self.lost == 0, "{} acknowledged answers are lost", self.lost);
        ensure!(
            self.acked == self.journaled && self.journaled == self.bundled,
            "seats, journal and bundle count differently"
        );
        ensure!(self.exports_equal, "two exports of one sitting differ");
        ensure!(self.stock_tools != Some(false), "a stock tool found fault with the bundle");
        ensure!(self.stock_tools.is_some() || !stock_tools_required, "a stock tool is not installed");
        Ok(())
    }
}
