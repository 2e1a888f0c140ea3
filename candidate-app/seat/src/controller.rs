//! The loop of one seat: hears link, disk, candidate and clock, asks the session, does what it says. Never decides.

use crate::{
    disk::{Appended, Lane, Opened, ReadBack},
    journal::Place,
    replies::Replies,
    seat::{News, NewsKind, SeatConfig},
    shelf::Shelf,
    vault::Vault,
};
use exam_link::{Link, LinkError, Pushes, bulk, reconnect};
use exam_protocol::{
    message::{candidate::AttemptId, hello::Welcome},
    paper::SealedPaper,
    tag::{Down, Up},
};
use exam_session::{Act, AskId, Effect, Event, Note, Session, View};
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

type Connecting = Pin<Box<dyn Future<Output = Result<(Link, Welcome, Pushes), LinkError>> + Send>>;

/// The way to the server: standing, or being tried.
enum Way {
    Up(Link, Pushes),
    Trying(Connecting),
}

/// Work that came to its end.
enum Finished {
    Opened(AttemptId, Option<Opened>),
    Appended(AttemptId, Option<Appended>),
    ReadBack(AttemptId, Option<ReadBack>),
    Said(Event),
}

/// What the loop hears next.
enum Heard {
    Stop,
    /// From the seat's owner: what the candidate did, or what the machine found out about itself.
    Owner(Option<Event>),
    Connected(Result<(Link, Welcome, Pushes), LinkError>),
    Pushed(Option<Down>),
    Replied(AskId, Result<Down, LinkError>),
    Finished(Finished),
    Time,
}

/// One seat's loop.
pub(crate) struct Controller {
    config: SeatConfig,
    vault: Arc<Vault>,
    lane: Lane,
    session: Session,
    views: watch::Sender<Arc<View>>,
    way: Way,
    /// Attempts to connect since the last connection.
    tries: u32,
    replies: Replies,
    tasks: JoinSet<Finished>,
    shelves: BTreeMap<AttemptId, Shelf>,
    attempt: Option<AttemptId>,
}

impl Controller {
    pub(crate) fn new(config: SeatConfig, vault: Arc<Vault>) -> (Self, watch::Receiver<Arc<View>>) {
        let session = Session::new(config.clock.boot());
        let (views, seen) = watch::channel(Arc::new(session.view()));
        let (lane, way) = (config.disk.lane(), Way::Trying(connect(&config, 0)));
        let (replies, tasks, shelves) = (Replies::default(), JoinSet::new(), BTreeMap::new());
        (Self { config, vault, lane, session, views, way, tries: 0, replies, tasks, shelves, attempt: None }, seen)
    }

    pub(crate) async fn run(
        mut self,
        newest: Option<AttemptId>,
        mut acts: mpsc::Receiver<Event>,
        mut stop: watch::Receiver<bool>,
    ) {
        self.event(Event::Started { newest }).await;
        if let Some(desk) = self.config.desk.clone() {
            self.event(Event::Acted(Act::ChooseSeat(desk))).await;
        }
        loop {
            match self.next(&mut acts, &mut stop).await {
                Heard::Stop | Heard::Owner(None) => break,
                Heard::Owner(Some(event)) => self.event(event).await,
                Heard::Connected(result) => self.connected(result).await,
                Heard::Pushed(Some(down)) => self.event(Event::Push(Box::new(down))).await,
                Heard::Replied(ask, Ok(down)) => self.event(Event::Reply { ask, down: Box::new(down) }).await,
                Heard::Pushed(None) | Heard::Replied(_, Err(_)) => self.unlinked().await,
                Heard::Finished(finished) => self.finished(finished).await,
                Heard::Time => self.event(Event::Tick).await,
            }
            self.write();
        }
        self.finish_writing().await;
    }

    async fn next(&mut self, acts: &mut mpsc::Receiver<Event>, stop: &mut watch::Receiver<bool>) -> Heard {
        let wake = self.config.clock.instant(self.session.next_wake());
        let retry = self.shelves.values().filter_map(Shelf::retry_at).min();
        let wake = retry.map_or(wake, |retry| retry.min(wake));
        let way = async {
            match &mut self.way {
                Way::Up(_, pushes) => Heard::Pushed(pushes.next().await),
                Way::Trying(connecting) => Heard::Connected(connecting.await),
            }
        };
        tokio::select! {
            biased;
            _ = stop.changed() => Heard::Stop,
            (ask, result) = self.replies.next() => Heard::Replied(ask, result),
            heard = way => heard,
            Some(finished) = self.tasks.join_next() => finished.map_or(Heard::Time, Heard::Finished),
            event = acts.recv() => Heard::Owner(event),
            () = sleep_until(wake) => Heard::Time,
        }
    }

    async fn connected(&mut self, result: Result<(Link, Welcome, Pushes), LinkError>) {
        match result {
            Ok((link, welcome, pushes)) => {
                self.tries = 0;
                self.way = Way::Up(link, pushes);
                self.news(NewsKind::Linked).await;
                self.event(Event::Linked(Box::new(welcome))).await;
            }
            Err(error) => {
                self.tries = self.tries.saturating_add(1);
                self.way = Way::Trying(connect(&self.config, self.tries));
                match error {
                    LinkError::Refused(refusal) => self.event(Event::TurnedAway(refusal)).await,
                    LinkError::Unreachable(_) | LinkError::Closed(_) | LinkError::Failed(_) => {
                        tracing::debug!(seat = self.config.index, %error, "not connected");
                    }
                    LinkError::NotTrusted(_) | LinkError::NotKnown | LinkError::Protocol(_) | LinkError::Here(_) => {
                        tracing::warn!(seat = self.config.index, %error, "not connected");
                    }
                }
            }
        }
    }

    async fn unlinked(&mut self) {
        if let Way::Up(link, _) = &self.way {
            link.close();
            self.replies.clear();
            self.way = Way::Trying(connect(&self.config, self.tries));
            self.news(NewsKind::Unlinked).await;
            self.event(Event::Unlinked).await;
        }
    }

    async fn finished(&mut self, finished: Finished) {
        match finished {
            Finished::Said(event) => {
                if matches!(event, Event::PaperOpened(_)) {
                    self.news(NewsKind::PaperOpened).await;
                }
                self.event(event).await;
            }
            Finished::Opened(attempt, Some(opened)) => self.opened(attempt, opened).await,
            Finished::Appended(attempt, Some(appended)) => self.appended(attempt, appended).await,
            Finished::ReadBack(attempt, Some(read)) => self.read_back(attempt, read).await,
            Finished::Opened(_, None) | Finished::Appended(_, None) | Finished::ReadBack(_, None) => {} // the disk threads are ending, and so are we
        }
    }

    async fn opened(&mut self, attempt: AttemptId, opened: Opened) {
        let Some(shelf) = self.shelves.get_mut(&attempt) else { return };
        let (records, trouble) = match opened {
            Ok((journal, records, recovery)) => {
                shelf.opened(journal);
                (records, recovery.in_words())
            }
            Err(error) => {
                shelf.not_opened(Instant::now());
                (Vec::new(), Some(words_of(&error)))
            }
        };
        let failing = trouble.clone().filter(|_| !shelf.has_journal());
        if let Some(trouble) = &trouble {
            tracing::warn!(
                seat = self.config.index,
                attempt = attempt.0,
                trouble,
                "the journal was not as it should be"
            );
        }
        self.event(Event::Restored { attempt, records, trouble }).await;
        if let Some(why) = failing {
            self.event(Event::JournalFailing { why }).await; // answers go to the server alone meanwhile
        }
    }

    async fn appended(&mut self, attempt: AttemptId, appended: Appended) {
        let Some(shelf) = self.shelves.get_mut(&attempt) else { return };
        let result = shelf.appended(appended, Instant::now());
        if self.attempt != Some(attempt) {
            if shelf.is_idle() {
                self.shelves.remove(&attempt);
            }
            return;
        }
        match result {
            Ok(through) => self.event(Event::Journalled { through }).await,
            Err(why) => {
                tracing::warn!(seat = self.config.index, why, "the journal cannot be written");
                self.event(Event::JournalFailing { why }).await;
            }
        }
    }

    async fn read_back(&mut self, attempt: AttemptId, read: ReadBack) {
        let Some(shelf) = self.shelves.get_mut(&attempt) else { return };
        shelf.was_read(read.journal);
        if self.attempt != Some(attempt) {
            return; // its last records are written now, and then it goes
        }
        let (versions, more) = read.result.unwrap_or_else(|error| {
            tracing::warn!(seat = self.config.index, %error, "the journal cannot be read back");
            (Vec::new(), false)
        });
        self.event(Event::ReadBack { attempt, versions, more }).await;
    }

    /// Tells the session, does what it says, shows the new view.
    async fn event(&mut self, event: Event) {
        let effects = self.session.handle(self.config.clock.now(), event);
        for effect in effects {
            self.perform(effect).await;
        }
        self.views.send_replace(Arc::new(self.session.view()));
    }

    async fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Restore(attempt) => self.restore(attempt),
            Effect::Journal { attempt, id, record } => {
                self.shelves.entry(attempt).or_insert_with(Shelf::new).put(id, *record);
            }
            Effect::ReadBack { attempt, lacking } => {
                self.shelves.entry(attempt).or_insert_with(Shelf::new).want(lacking);
            }
            Effect::Send { ask, mut up } => {
                if let Up::Heartbeat(beat) = &mut *up {
                    beat.wall = Some(self.config.clock.wall());
                }
                if let Way::Up(link, _) = &self.way {
                    self.replies.ask(link, ask, *up);
                }
            }
            Effect::Fetch(sealed) => self.fetch(sealed),
            Effect::OpenPaper { sealed, key } => {
                let (lane, path, hash) = (self.lane.clone(), self.config.paper_path(&sealed.hash), sealed.hash);
                self.tasks.spawn(async move {
                    Finished::Said(match lane.open_paper(path, sealed, key).await {
                        Ok(paper) => Event::PaperOpened(paper),
                        Err(why) => Event::PaperNotOpened { hash, why },
                    })
                });
            }
            Effect::Note(note) => {
                if matches!(note, Note::Released) {
                    tracing::debug!(seat = self.config.index, "the paper is released");
                }
                self.news(NewsKind::Noted(note)).await;
            }
            Effect::HangUp => {
                if let Way::Up(link, _) = &self.way {
                    link.close(); // its pushes end, and with them the connection for us
                }
            }
        }
    }

    fn restore(&mut self, attempt: AttemptId) {
        self.attempt = Some(attempt);
        self.shelves.retain(|held, shelf| *held != attempt && !shelf.is_idle());
        self.shelves.insert(attempt, Shelf::new());
        self.open_journal(attempt);
    }

    fn open_journal(&mut self, attempt: AttemptId) {
        let folder = self.config.journal_folder();
        let site = self.config.dial.trust.public().site.clone();
        let place = Place { folder, site, attempt, vault: Arc::clone(&self.vault) };
        let lane = self.lane.clone();
        self.tasks.spawn(async move { Finished::Opened(attempt, lane.open(place).await) });
    }

    fn fetch(&mut self, sealed: SealedPaper) {
        let (lane, path, hash) = (self.lane.clone(), self.config.paper_path(&sealed.hash), sealed.hash);
        let link = match &self.way {
            Way::Up(link, _) => Some(link.clone()),
            Way::Trying(_) => None,
        };
        let index = self.config.index;
        self.tasks.spawn(async move {
            if lane.holds(path.clone(), hash).await {
                return Finished::Said(Event::PaperFetched { hash });
            }
            let Some(link) = link else { return Finished::Said(Event::PaperNotFetched { hash }) };
            Finished::Said(match bulk::fetch_blob(&link, hash, &path).await {
                Ok(_) => Event::PaperFetched { hash },
                Err(error) => {
                    tracing::warn!(seat = index, error = words_of(&error), "the sealed paper was not fetched");
                    Event::PaperNotFetched { hash }
                }
            })
        });
    }

    /// Gives the disk what it can take.
    fn write(&mut self) {
        let now = Instant::now();
        let reopen: Vec<_> =
            self.shelves.iter_mut().filter_map(|(id, shelf)| shelf.reopen(now).then_some(*id)).collect();
        reopen.into_iter().for_each(|attempt| self.open_journal(attempt));
        for (attempt, shelf) in &mut self.shelves {
            if let Some((journal, records)) = shelf.take(now) {
                let (lane, attempt) = (self.lane.clone(), *attempt);
                self.tasks.spawn(async move { Finished::Appended(attempt, lane.append(journal, records).await) });
            } else if let Some((journal, lacking)) = shelf.take_reading() {
                let (lane, attempt) = (self.lane.clone(), *attempt);
                self.tasks.spawn(async move { Finished::ReadBack(attempt, lane.read_back(journal, lacking).await) });
            }
        }
    }

    /// What the candidate did last still reaches the disk.
    async fn finish_writing(&mut self) {
        if let Way::Up(link, _) = &self.way {
            link.close();
        }
        self.write();
        while let Some(finished) = self.tasks.join_next().await {
            let goes_on = match finished {
                Ok(Finished::Appended(attempt, Some(appended))) => {
                    let shelf = self.shelves.get_mut(&attempt);
                    shelf.is_some_and(|shelf| shelf.appended(appended, Instant::now()).is_ok())
                }
                Ok(Finished::ReadBack(attempt, Some(read))) => {
                    let shelf = self.shelves.get_mut(&attempt);
                    shelf.map(|shelf| shelf.was_read(read.journal)).is_some()
                }
                _ => false,
            };
            if goes_on {
                self.write();
            }
        }
    }

    async fn news(&mut self, kind: NewsKind) {
        if let Some(news) = &self.config.news {
            // Nobody listening is no reason to stop a seat.
            let _ = news.send(News { index: self.config.index, at: self.config.clock.now(), kind }).await;
        }
    }
}

/// One attempt to connect, after the wait its number asks for.
fn connect(config: &SeatConfig, tries: u32) -> Connecting {
    let dial = config.dial.clone();
    let random = (config.random)();
    Box::pin(async move {
        tokio::time::sleep(reconnect::delay(tries, random)).await;
        Link::connect(&dial).await
    })
}

/// An error with its causes, in one line.
fn words_of(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
