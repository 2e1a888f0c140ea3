//! Consoles at which people sign on, all in the same instant: what forty proctors cost who come to work together. Knows one
//! account, because who it is makes no difference to the work.

use crate::seats::{PATIENCE, SeatsArgs, ms};
use anyhow::{Context, Result, bail};
use exam_link::{Dial, Link};
use exam_protocol::{
    ids::AccountId,
    message::duty::{PeopleCall, SignOn},
    tag::Down,
};
use std::{fs, time::Instant};
use tokio::task::JoinSet;

/// Who signs on.
pub(crate) const ACCOUNT: &str = "chief";

pub(crate) async fn sign_on(args: &SeatsArgs, dials: Vec<Dial>) -> Result<serde_json::Value> {
    let password = fs::read_to_string(args.password.as_ref().context("--password")?)?;
    let account: AccountId = ACCOUNT.parse()?;
    let mut links = Vec::new();
    for dial in &dials {
        links.push(Link::connect(dial).await?);
    }
    let begun = Instant::now();
    let mut signing_on = JoinSet::new();
    for (link, _, mut pushes) in links {
        let wanted = SignOn { account: account.clone(), password: password.clone() };
        signing_on.spawn(async move {
            tokio::spawn(async move { while pushes.next().await.is_some() {} });
            match tokio::time::timeout(PATIENCE, link.ask(PeopleCall::SignOn(wanted))).await?? {
                Down::Done(_) => anyhow::Ok(ms(begun.elapsed())),
                other => bail!("signing on was answered with {}", other.name()),
            }
        });
    }
    let mut took = Vec::new();
    while let Some(one) = signing_on.join_next().await {
        took.push(one??);
    }
    Ok(serde_json::json!({"consoles": took.len(), "all_ms": took.iter().max()}))
}
