//! One headless candidate from enrolment to the end, as a person would behave at the window. Never looks behind the view:
//! what the window could not know, the candidate does not know either.

use crate::{
    dice::Dice,
    progress::Progress,
    roster::Place,
    tally::{Versions, ms},
};
use anyhow::{Context, bail};
use exam_link::{Dial, LinkError, reconnect};
use exam_protocol::{
    code::Refusal,
    ids::{ItemId, Sha256},
    message::readiness::SeatReport,
};
use exam_seat::{
    Seat, SeatConfig, SeatHandle,
    journal::{self, Journal},
    station::{self, StationError},
    vault::Vault,
};
use exam_session::{Act, HandInView, Merge, Notice, Record, Saved, Screen, View};
use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, watch};

/// The server must have answered an enrolment within this.
const PATIENCE: Duration = Duration::from_secs(60);
/// After the sitting's end, unsaved answers may take this long to arrive.
const AFTER_END: Duration = Duration::from_secs(120);
/// A failed sign-in is pressed again after this.
const PRESS_AGAIN: Duration = Duration::from_millis(300);
/// Of ten items, this many are visited a second time.
const REVISITS_OF_TEN: usize = 3;

/// What one seat is to do.
pub(crate) struct Plan {
    pub(crate) place: Place,
    pub(crate) config: SeatConfig,
    pub(crate) code: Arc<str>,
    pub(crate) seed: u64,
    pub(crate) think_ms: u64,
    pub(crate) duration: Option<Duration>,
    pub(crate) hand_in: bool,
    /// Goes on changing answers until the end.
    pub(crate) endless: bool,
    /// A spare machine: the candidate is moved here.
    pub(crate) stand_by: bool,
    /// So many enrol at once.
    pub(crate) door: Arc<Semaphore>,
    pub(crate) progress: Arc<Progress>,
}

/// How one seat ended.
#[derive(Debug, Default)]
pub(crate) struct SeatEnd {
    pub(crate) login_ms: Option<u32>,
    /// What its journal holds, read back from disk.
    pub(crate) journal: Versions,
    pub(crate) unacked: usize,
    pub(crate) refused: usize,
    /// Versions the server took as a replaced machine's, for the candidate to choose about (HB-25).
    pub(crate) handed_over: BTreeSet<(ItemId, u32)>,
    pub(crate) answered: usize,
    pub(crate) handed_in: bool,
    /// The server was never reached.
    pub(crate) unreachable: bool,
    pub(crate) errors: Vec<String>,
}

/// A seat at work.
struct Sitter {
    plan: Plan,
    handle: SeatHandle,
    views: watch::Receiver<Arc<View>>,
    dice: Dice,
    end: SeatEnd,
}

/// Lives one candidate's sitting.
pub(crate) async fn sit(mut plan: Plan) -> SeatEnd {
    let mut end = SeatEnd::default();
    match enrol(&plan).await {
        Ok(dial) => plan.config.dial = dial,
        Err(error) => {
            end.unreachable = matches!(error.downcast_ref(), Some(StationError::Link(LinkError::Unreachable(_))));
            return failed(&plan, end, &error);
        }
    }
    plan.progress.enrolled.fetch_add(1, Ordering::Relaxed);
    let handle = match Seat::start(plan.config.clone()).await {
        Ok(handle) => handle,
        Err(error) => return failed(&plan, end, &error.into()),
    };
    handle.probed(report_of_a_good_machine()).await;
    let dice = Dice::new(plan.seed, plan.config.index);
    let mut sitter = Sitter { views: handle.views(), handle, dice, end, plan };
    if let Err(error) = sitter.sign_in().await {
        sitter.plan.progress.logins_failed.fetch_add(1, Ordering::Relaxed);
        sitter.plan.progress.logins.fetch_add(1, Ordering::Relaxed);
        sitter.end.errors.push(format!("{error:#}"));
        sitter.handle.stop().await;
        return sitter.end;
    }
    if let Err(error) = sitter.work().await {
        sitter.end.errors.push(format!("{error:#}"));
    }
    sitter.finish().await
}

/// What a machine in good order says of itself. Whether the desktop's lock holds it cannot say: nothing here locks.
fn report_of_a_good_machine() -> SeatReport {
    SeatReport {
        outside_reachable: false,
        foreign_programs: 0,
        lock_ok: None,
        clock_offset_ms: 0,
        disk_free_bytes: 64 << 30,
        version: concat!("exam-load ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

fn failed(plan: &Plan, mut end: SeatEnd, error: &anyhow::Error) -> SeatEnd {
    plan.progress.logins_failed.fetch_add(1, Ordering::Relaxed);
    plan.progress.logins.fetch_add(1, Ordering::Relaxed);
    end.errors.push(format!("{error:#}"));
    end
}

/// Gets this seat's identity, trying again while the server is away or busy.
async fn enrol(plan: &Plan) -> anyhow::Result<Dial> {
    let _permit = plan.door.acquire().await?;
    let (begun, mut tries) = (Instant::now(), 0);
    let host = format!("load-{}", plan.place.desk);
    let mut dice = Dice::new(plan.seed ^ 0xe0e0, plan.config.index);
    loop {
        let error = match station::identity(&plan.config.folder, &plan.config.dial, Some(&plan.code), &host).await {
            Ok(identity) => return Ok(Dial { identity: Some(identity), ..plan.config.dial.clone() }),
            Err(error) => error,
        };
        let again = matches!(
            error,
            StationError::Link(LinkError::Unreachable(_) | LinkError::Closed(_) | LinkError::Failed(_))
        );
        if !again || begun.elapsed() > PATIENCE {
            return Err(anyhow::Error::new(error).context("this seat could not enrol"));
        }
        tries += 1;
        tokio::time::sleep(reconnect::delay(tries, dice.next())).await;
    }
}

impl Sitter {
    fn view(&mut self) -> Arc<View> {
        self.views.borrow_and_update().clone()
    }

    async fn changed(&mut self) -> anyhow::Result<()> {
        self.views.changed().await.context("the seat ended")
    }

    /// Waits for the sign-in screen, signs in, and waits until the server lets the candidate in.
    async fn sign_in(&mut self) -> anyhow::Result<()> {
        let mut pressed: Option<Instant> = None;
        let mut seated = false;
        loop {
            let view = self.view();
            if !seated && view.desk.as_ref() == Some(&self.plan.place.desk) {
                seated = true;
                self.plan.progress.seated.fetch_add(1, Ordering::Relaxed);
                if self.plan.stand_by {
                    self.plan.progress.logins.fetch_add(1, Ordering::Relaxed); // ready: nobody signs in here
                }
            }
            match &view.screen {
                Screen::TurnedAway(refusal) => bail!("turned away: {refusal}"),
                Screen::ChoosingSeat if matches!(view.notice, Some(Notice::Refused(_))) => {
                    bail!("desk refused: {:?}", view.notice)
                }
                Screen::SigningIn if self.plan.stand_by => {}
                Screen::SigningIn if seated && view.linked && !view.signing_in => match &view.notice {
                    Some(Notice::Refused(refusal)) => bail!("sign-in refused: {refusal}"),
                    Some(_) => {
                        tokio::time::sleep(PRESS_AGAIN).await;
                        self.handle.act(Act::DismissNotice).await;
                    }
                    None => {
                        pressed.get_or_insert_with(Instant::now);
                        self.press_sign_in().await;
                    }
                },
                Screen::AwaitingAdmission | Screen::AwaitingStart | Screen::OpeningPaper | Screen::Working => break,
                Screen::HandingIn | Screen::Away | Screen::Paused if seated => break,
                screen if seated && is_over(screen) => break,
                _ => {}
            }
            self.changed().await?;
        }
        // A seat whose app was started again is signed in already.
        self.end.login_ms =
            Some(pressed.map_or(0, |pressed| ms(u64::try_from(pressed.elapsed().as_millis()).unwrap_or(u64::MAX))));
        if !self.plan.stand_by {
            self.plan.progress.logins.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn press_sign_in(&self) {
        let admission_no = self.plan.place.admission_no.clone();
        let password = admission_no.initial_password().to_owned();
        self.handle.act(Act::SignIn { admission_no, password }).await;
    }

    /// Waits for the paper, answers every item, waits until all is saved, hands in or waits for the end.
    async fn work(&mut self) -> anyhow::Result<()> {
        if !self.wait(|view| view.screen == Screen::Working).await? {
            self.plan.progress.synced.fetch_add(1, Ordering::Relaxed); // nothing to sync: the day is over here
            return Ok(());
        }
        self.plan.progress.papers.fetch_add(1, Ordering::Relaxed);
        self.answer_all().await?;
        while self.plan.endless && !is_over(&self.view().screen) {
            self.answer_all().await?;
        }
        self.plan.progress.answered.fetch_add(1, Ordering::Relaxed);
        self.wait(is_synced).await?; // or nothing can be synced from here any more
        self.plan.progress.synced.fetch_add(1, Ordering::Relaxed);
        if self.plan.hand_in {
            self.hand_in().await?;
        }
        self.wait(|_| false).await?;
        Ok(())
    }

    /// Waits until `wanted`, or until the sitting is over for this seat; says which.
    async fn wait(&mut self, wanted: impl Fn(&View) -> bool) -> anyhow::Result<bool> {
        loop {
            let view = self.view();
            if wanted(&view) {
                return Ok(true);
            }
            if is_over(&view.screen) {
                return Ok(false);
            }
            self.changed().await?;
        }
    }

    async fn answer_all(&mut self) -> anyhow::Result<()> {
        let until = self.plan.duration.map(|duration| Instant::now() + duration);
        let mut visits: Vec<ItemId> = self.view().items.iter().map(|item| item.item.clone()).collect();
        for _ in 0..visits.len() * REVISITS_OF_TEN / 10 {
            let again = visits[self.dice.below(visits.len())].clone();
            let place = self.dice.below(visits.len() + 1);
            visits.insert(place, again);
        }
        while !visits.is_empty() {
            for item in visits.drain(..) {
                let pause = Duration::from_millis(self.dice.pause_ms(self.plan.think_ms));
                tokio::time::sleep(pause).await;
                if until.is_some_and(|until| Instant::now() >= until)
                    || !self.wait(|view| view.closed.is_none()).await?
                {
                    return Ok(());
                }
                self.answer(&item).await?;
            }
            // What was typed while the app was busy reading was not taken: such items are visited once more.
            self.wait(is_synced).await?;
            visits = self
                .view()
                .items
                .iter()
                .filter(|item| item.saved == Saved::Untouched)
                .map(|item| item.item.clone())
                .collect();
        }
        Ok(())
    }

    /// Types an answer and sees it on screen: only then can "all saved" mean this one too.
    async fn answer(&mut self, item: &ItemId) -> anyhow::Result<()> {
        let view = self.view();
        let Some(found) = view.paper.as_ref().and_then(|paper| paper.paper.item(item)) else { return Ok(()) };
        let answer = self.dice.answer(found);
        self.handle.act(Act::Show(item.clone())).await;
        self.handle.act(Act::Type { item: item.clone(), answer: answer.clone() }).await;
        let shown = |view: &View| view.items.iter().any(|shown| shown.item == *item && *shown.answer == answer);
        self.wait(|view| view.closed.is_some() || shown(view)).await?;
        Ok(())
    }

    async fn hand_in(&mut self) -> anyhow::Result<()> {
        loop {
            self.handle.act(Act::DismissNotice).await;
            self.wait(|view| view.notice.is_none()).await?;
            self.handle.act(Act::HandIn).await;
            let told = |view: &View| view.notice.is_some() && view.hand_in == HandInView::Open;
            if !self.wait(told).await? {
                return Ok(());
            }
            let view = self.view();
            let Some(Notice::Refused(Refusal::HandInTooEarly { opens_in_s })) = view.notice else {
                bail!("hand-in refused: {:?}", view.notice);
            };
            let opens = Instant::now() + Duration::from_secs(u64::from(opens_in_s));
            if self.over_before(opens).await? {
                return Ok(());
            }
        }
    }

    /// Waits until `moment`; says whether the sitting was over first.
    async fn over_before(&mut self, moment: Instant) -> anyhow::Result<bool> {
        match tokio::time::timeout_at(moment.into(), self.wait(|_| false)).await {
            Ok(over) => over.map(|_| true),
            Err(_) => Ok(false),
        }
    }

    /// Waits for the last acknowledgements, stops the seat, and counts what its journal holds.
    async fn finish(mut self) -> SeatEnd {
        let saved = self.wait_saved();
        if tokio::time::timeout(AFTER_END, saved).await.is_err() {
            self.end.errors.push("answers were still not acknowledged two minutes after the end".to_owned());
        }
        let view = self.view();
        self.end.unacked = view.unsaved;
        self.end.answered = view.items.iter().filter(|item| item.answer.is_given()).count().max(view.answered);
        let (handed_over, refused): (Vec<_>, Vec<_>) =
            view.evidence.iter().partition(|evidence| evidence.refusal == Refusal::Fenced);
        self.end.handed_over = handed_over.iter().map(|one| (one.item.clone(), one.number)).collect();
        self.end.refused = refused.len();
        self.end.handed_in = matches!(view.hand_in, HandInView::Done { .. });
        self.end.errors.extend(refused.iter().map(|evidence| format!("answer refused: {}", evidence.refusal)));
        if self.end.handed_in {
            self.plan.progress.handed_in.fetch_add(1, Ordering::Relaxed);
        }
        self.handle.stop().await;
        let config = self.plan.config;
        match tokio::task::spawn_blocking(move || journaled(&config)).await {
            Ok(Ok(journal)) => self.end.journal = journal,
            Ok(Err(error)) => self.end.errors.push(format!("{error:#}")),
            Err(error) => self.end.errors.push(error.to_string()),
        }
        self.end
    }

    async fn wait_saved(&mut self) {
        // The server's view may say "handed in" before its receipt is here.
        let is_pending = |view: &View| view.unsaved > 0 || view.hand_in == HandInView::Pending;
        while is_pending(&self.view()) {
            if self.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Nothing more can be done at this seat: the end, a decision, or another machine has taken over.
fn is_over(screen: &Screen) -> bool {
    match screen {
        Screen::Over | Screen::HandedIn | Screen::Absent | Screen::Terminated | Screen::Denied | Screen::SwappedOut => {
            true
        }
        Screen::Loading
        | Screen::Connecting
        | Screen::TurnedAway(_)
        | Screen::ChoosingSeat
        | Screen::NoSitting
        | Screen::SigningIn
        | Screen::AwaitingAdmission
        | Screen::AwaitingStart
        | Screen::OpeningPaper
        | Screen::Working
        | Screen::HandingIn
        | Screen::Away
        | Screen::Paused => false,
    }
}

fn is_synced(view: &View) -> bool {
    view.linked && view.unsaved == 0 && view.merge == Merge::Done
}

/// Reads the seat's journal back from disk: the versions in it.
fn journaled(config: &SeatConfig) -> anyhow::Result<Versions> {
    let folder = config.journal_folder();
    let Some(attempt) = journal::newest(&folder) else { return Ok(Versions::new()) };
    let vault = Arc::new(Vault::load_or_create(&config.folder)?);
    let site = config.dial.trust.public().site.clone();
    let (_, records, recovery) = Journal::open(journal::Place { folder, site, attempt, vault })?;
    if let Some(words) = recovery.in_words() {
        bail!("the journal of seat {} was not as it should be: {words}", config.index);
    }
    let mut versions = Versions::new();
    for record in records {
        if let Record::Answered { item, number, answer, .. } = record {
            versions.insert((item, number), Sha256::of(serde_json::to_string(&answer)?.as_bytes()));
        }
    }
    Ok(versions)
}
