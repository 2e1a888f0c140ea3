//! What two runs of one seed have in common, as lines and as their hash: every fact of the day with its time, every
//! acknowledgement, every fault and act. Random names (keys, ids of machines, seals) are left out or replaced by desks.

use crate::check::Evidence;
use exam_protocol::ids::Sha256;
use serde_json::Value;

/// Fields whose content is drawn by the product itself and means nothing for the day.
const DRAWN: &[&str] = &["order_seed", "secret", "anchor", "content", "sealed", "receipt"];

/// The lines, the journal's first `before` facts left out.
pub(crate) fn lines(evidence: &Evidence, before: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for told in evidence.facts.iter().skip(before) {
        let mut body: Value = serde_json::from_str(&told.fact.body()).unwrap_or_default();
        plain(&mut body, evidence);
        lines.push(format!("{} {} {} {body}", told.now.at.0, told.now.wall.0, told.fact.kind()));
    }
    let acked = evidence.kept.acked.iter();
    lines.extend(acked.map(|a| format!("{} acked {} {} {} {:?}", a.at, a.desk, a.item, a.number, a.answer)));
    lines.extend(evidence.kept.events.iter().map(|event| format!("{} {}", event.at, event.what)));
    lines
}

/// SHA-256 over the lines.
pub(crate) fn hash(lines: &[String]) -> String {
    Sha256::of(lines.join("\n").as_bytes()).hex()
}

fn plain(value: &mut Value, evidence: &Evidence) {
    match value {
        Value::String(text) => {
            if let Some(desk) = evidence.stations.iter().position(|station| station.as_str() == text) {
                *text = format!("desk {desk}");
            } else if text.starts_with("console-") || text.starts_with("admin-") {
                *text = "console".to_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plain(item, evidence)),
        Value::Object(fields) => {
            DRAWN.iter().for_each(|drawn| drop(fields.remove(*drawn)));
            fields.values_mut().for_each(|field| plain(field, evidence));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
