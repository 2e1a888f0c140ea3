//! The staff at their console: opens the door, starts, lets out, swaps, stops the clock, grants time, exports. What may be
//! said twice is said until it is answered; what may not is said once. Never knows what the server has in memory.

use crate::{
    chronicle::Chronicle,
    dice::Dice,
    net::Net,
    power::Power,
    site::{Caller, Site, account, approval, console_ip, desk, sitting},
};
use anyhow::{Context, Result, bail};
use exam_link::{Dial, Link, LinkError};
use exam_protocol::{
    code::Refusal,
    message::{
        admin::{BundleReady, EndSitting, ExportBundle, OpenAdmission, StartSitting},
        attendance::{AskAttendance, Leave, LeaveStep, PresentNote, SwapMachine},
        duty::{CutDecision, ExtendTime, RunClock, StopCause, StopClock, TimeCall, Whose},
    },
    tag::{Down, Up},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// Longest wait for an answer before the connection is given up.
const PATIENCE: Duration = Duration::from_secs(6);
/// Tries of what may be said twice; at most some minutes of virtual time.
const TRIES_MAX: u32 = 200;

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Done.
    Yes,
    /// A rule said no.
    No(Refusal),
    /// No answer: it may have happened or not.
    Unknown,
}

/// The staff. Clones sit at the same console.
#[derive(Clone)]
pub struct Staff {
    dial: Dial,
    link: Arc<Mutex<Option<Link>>>,
    chronicle: Chronicle,
    code: String,
}

impl Staff {
    /// At the site's console.
    ///
    /// # Errors
    /// The system's.
    pub fn at_console(site: &Site, net: &Net, dice: Dice, chronicle: Chronicle) -> Result<Self> {
        let from = SocketAddr::new(console_ip(), 9_000);
        let endpoint = Caller { net, from, power: Power::default(), dice }.endpoint()?;
        let dial = site.dial(endpoint, &site.console);
        Ok(Self { dial, link: Arc::default(), chronicle, code: site.code.to_string() })
    }

    /// Says it once, over the connection there is or a new one.
    async fn once(&self, up: Up) -> Result<Down, LinkError> {
        let mut held = self.link.lock().await;
        let link = match held.take() {
            Some(link) => link,
            None => {
                let (link, _, mut pushes) = Link::connect(&self.dial).await?;
                tokio::spawn(async move { while pushes.next().await.is_some() {} });
                link
            }
        };
        match timeout(PATIENCE, link.request(up)).await {
            Ok(Ok(down)) => {
                *held = Some(link);
                Ok(down)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                link.close();
                Err(LinkError::Closed("no answer in time".to_owned()))
            }
        }
    }

    /// Says it until it is answered.
    async fn until_answered(&self, up: impl Into<Up>) -> Result<Down> {
        let up = up.into();
        for _ in 0..TRIES_MAX {
            match self.once(up.clone()).await {
                Ok(Down::Failed(_)) | Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
                Ok(down) => return Ok(down),
            }
        }
        bail!("the console was not answered {TRIES_MAX} times")
    }

    async fn say(&self, what: &str, up: impl Into<Up>) -> Said {
        let said = match self.once(up.into()).await {
            Ok(Down::Refused(refused)) => Said::No(refused.refusal),
            Ok(Down::Failed(_)) | Err(_) => Said::Unknown,
            Ok(_) => Said::Yes,
        };
        self.chronicle.note(match &said {
            Said::Yes => format!("staff: {what}"),
            Said::No(refusal) => format!("staff: {what}: refused, {refusal}"),
            Said::Unknown => format!("staff: {what}: no answer"),
        });
        said
    }

    /// Opens the door.
    ///
    /// # Errors
    /// Refused, or never answered.
    pub async fn open_door(&self) -> Result<()> {
        match self.until_answered(OpenAdmission { sitting: sitting() }).await? {
            Down::Done(_) => Ok(()),
            other => bail!("the door was not opened: {other:?}"),
        }
    }

    /// Starts the sitting.
    ///
    /// # Errors
    /// Refused, or never answered.
    pub async fn start(&self) -> Result<()> {
        match self.until_answered(StartSitting { sitting: sitting(), code: self.code.clone() }).await? {
            Down::Done(_) => Ok(()),
            other => bail!("the sitting was not started: {other:?}"),
        }
    }

    /// Who sits where.
    ///
    /// # Errors
    /// Never answered.
    pub async fn present(&self) -> Result<Vec<PresentNote>> {
        match self.until_answered(AskAttendance { sitting: sitting() }).await? {
            Down::AttendanceList(list) => Ok(list.present),
            other => bail!("no list of who is present: {other:?}"),
        }
    }

    /// The attempt at a desk, if anybody sits there.
    pub async fn at_desk(&self, index: usize) -> Option<PresentNote> {
        let present = self.present().await.ok()?;
        present.into_iter().find(|note| note.seat == desk(index).seat)
    }

    /// Lets a candidate out, or takes the candidate back.
    pub async fn leave(&self, index: usize, out: bool) -> Said {
        let Some(note) = self.at_desk(index).await else { return Said::Unknown };
        let step = match out {
            true => LeaveStep::Out { escort: account("proctor"), reason: None },
            false => LeaveStep::Back,
        };
        self.say(
            &format!("desk {index} {}", if out { "goes out" } else { "is back" }),
            Leave { attempt: note.attempt, step },
        )
        .await
    }

    /// Moves a candidate to another machine.
    pub async fn swap(&self, from: usize, to: usize) -> Said {
        let Some(note) = self.at_desk(from).await else { return Said::Unknown };
        let reason = "仿真换机".to_owned();
        let swap = SwapMachine { attempt: note.attempt, to: desk(to).seat, trouble_since: None, reason };
        self.say(&format!("desk {from} moves to desk {to}"), swap).await
    }

    /// Grants minutes, to one desk or to all.
    pub async fn extend(&self, whose: Option<usize>, minutes: u32) -> Said {
        let extend = ExtendTime {
            sitting: sitting(),
            whose: whose_of(whose),
            minutes,
            reason: "仿真延时".to_owned(),
            approvals: vec![approval("chief"), approval("inspector")],
        };
        self.say(&format!("{minutes} min more for {}", words_of(whose)), TimeCall::Extend(extend)).await
    }

    /// Stops the clock of one desk or of all.
    pub async fn stop_clock(&self, whose: Option<usize>) -> Said {
        let stop = StopClock {
            sitting: sitting(),
            whose: whose_of(whose),
            cause: StopCause::Network,
            reason: "仿真暂停".to_owned(),
        };
        self.say(&format!("the clock stops for {}", words_of(whose)), TimeCall::Stop(stop)).await
    }

    /// Lets it run again.
    pub async fn run_clock(&self, whose: Option<usize>) -> Said {
        let run = RunClock { sitting: sitting(), whose: whose_of(whose) };
        self.say(&format!("the clock runs for {}", words_of(whose)), TimeCall::Run(run)).await
    }

    /// After the faults: power cuts are decided, every clock runs, everybody is back.
    ///
    /// # Errors
    /// Never answered.
    pub async fn tidy_up(&self, cuts_count: bool) -> Result<()> {
        let decision = CutDecision { sitting: sitting(), counts: cuts_count, reason: "仿真停电".to_owned() };
        self.until_answered(TimeCall::DecideCut(decision)).await?; // refused when there is nothing to decide
        let run = |whose| TimeCall::Run(RunClock { sitting: sitting(), whose });
        self.until_answered(run(Whose::All)).await?;
        for note in self.present().await? {
            self.until_answered(run(Whose::Seat(note.seat))).await?;
            if note.out.is_some() {
                self.until_answered(Leave { attempt: note.attempt, step: LeaveStep::Back }).await?;
            }
        }
        Ok(())
    }

    /// Ends the sitting by hand.
    ///
    /// # Errors
    /// Refused, or never answered.
    pub async fn end(&self) -> Result<()> {
        match self.until_answered(EndSitting { sitting: sitting() }).await? {
            Down::Done(_) => Ok(()),
            other => bail!("the sitting was not ended: {other:?}"),
        }
    }

    /// Writes the bundle.
    ///
    /// # Errors
    /// Refused, or never answered.
    pub async fn export(&self) -> Result<BundleReady> {
        match self.until_answered(ExportBundle { sitting: sitting() }).await.context("exporting")? {
            Down::BundleReady(ready) => Ok(ready),
            other => bail!("no bundle: {other:?}"),
        }
    }
}

fn whose_of(whose: Option<usize>) -> Whose {
    whose.map_or(Whose::All, |index| Whose::Seat(desk(index).seat))
}

fn words_of(whose: Option<usize>) -> String {
    whose.map_or_else(|| "all".to_owned(), |index| format!("desk {index}"))
}
