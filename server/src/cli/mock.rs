//! Mock sittings from a terminal: what each candidate of the present run got. Never shows a mark of a real sitting; the server
//! has none.

use super::{online::ask, output::Output};
use anyhow::Result;
use clap::Subcommand;
use exam_protocol::{
    ids::SittingId,
    message::readiness::{AskMockPoints, MockPoints, MockRow, Points},
    tag::Down,
};
use serde_json::json;
use std::path::Path;

/// `mock …`.
#[derive(Subcommand)]
pub(super) enum MockCommand {
    /// Points of a mock sitting, where its paper came with its answer key (模拟考试成绩)
    Points {
        /// Which sitting
        #[arg(long, value_name = "ID")]
        sitting: SittingId,
    },
}

/// Runs one of them.
pub(super) fn run(dir: &Path, command: MockCommand, output: Output) -> Result<()> {
    let MockCommand::Points { sitting } = command;
    let table = ask(dir, AskMockPoints { sitting }, |down| match down {
        Down::MockPoints(table) => Some(table),
        _ => None,
    })?;
    output.result(|| text(&table), || json!(table));
    Ok(())
}

fn text(table: &MockPoints) -> String {
    let mut lines = vec![format!("模拟考试 {} · mock sitting {}", table.sitting, table.sitting)];
    if !table.has_key {
        lines.push("试卷未附答案，不评分 · the paper came without its answer key: nothing is marked".to_owned());
    }
    lines.extend(table.rows.iter().map(row));
    lines.join("\n")
}

fn row(row: &MockRow) -> String {
    let points = row.points.as_ref().map_or_else(|| "-".to_owned(), points);
    format!("考位 seat {:>3}  {}  {points}", row.seat, row.admission_no)
}

fn points(points: &Points) -> String {
    let of = |tenths: u64| format!("{}.{}", tenths / 10, tenths % 10);
    let mut text = format!(
        "{} / {} 分 points，全对 {} / {} 题 items right",
        of(points.points_tenths),
        of(points.max_tenths),
        points.right,
        points.items
    );
    if points.by_hand_tenths > 0 {
        text.push_str(&format!("，另有 {} 分须人工评 not marked by machine", of(points.by_hand_tenths)));
    }
    text
}
