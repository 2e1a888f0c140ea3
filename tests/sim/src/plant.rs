//! Planted faults, for negative controls: each breaks one promise of the server from outside, and a checker must see it.
//! Never part of an ordinary run.

use crate::server::Front;
use exam_protocol::{
    code::ErrorCode,
    ids::{SeatRef, Sha256, StationId},
    message::{
        attendance::SwapMachine,
        candidate::{AttemptId, Saved},
        hello::{Role, Welcome},
    },
    tag::{Down, Up},
};
use exam_server::{
    net::{Counter, Peer, UploadNo},
    reception::Reception,
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc;

/// What is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    /// The server's disk says it has synced and has not.
    LyingDisk,
    /// Answers are acknowledged before they are on disk.
    HastyAck,
    /// What a replaced machine sends is taken for the new one's.
    OpenFence,
    /// The network never heals.
    DeafNetwork,
    /// The server panics at an answer.
    Panic,
}

/// Stands before the reception and breaks its word.
#[derive(Clone, Debug)]
pub struct Breaker {
    plant: Plant,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    desks: BTreeMap<SeatRef, StationId>,
    moved: BTreeMap<AttemptId, StationId>,
}

impl Breaker {
    /// Breaks what `plant` says.
    pub fn new(plant: Plant) -> Self {
        Self { plant, known: Arc::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns who sits where, and pretends that a replaced machine is the one that replaced it.
    fn pretend(&self, peer: &Peer, message: &Up) -> Peer {
        let mut known = self.known();
        match message {
            Up::TakeSeat(wanted) => {
                if let Some(station) = &peer.station {
                    known.desks.insert(wanted.seat.clone(), station.clone());
                }
            }
            Up::SwapMachine(SwapMachine { attempt, to, .. }) => {
                let desk = known.desks.iter().find(|(desk, _)| desk.seat == *to).map(|(_, station)| station.clone());
                known.moved.extend(desk.map(|station| (*attempt, station)));
            }
            _ => {}
        }
        let attempt = match message {
            Up::SaveAnswer(save) => Some(save.attempt),
            Up::FetchAnswers(fetch) => Some(fetch.attempt),
            _ => None,
        };
        let station = attempt.and_then(|attempt| known.moved.get(&attempt)).or(peer.station.as_ref()).cloned();
        Peer { station, ..peer.clone() }
    }
}

impl Front for Breaker {
    type Counter = Broken;
    fn before(&self, reception: Reception) -> Broken {
        Broken { reception, breaker: self.clone() }
    }
}

/// A reception whose word is broken.
pub struct Broken {
    reception: Reception,
    breaker: Breaker,
}

impl Counter for Broken {
    async fn peer(&self, certificate: &Sha256) -> Result<Option<(Role, StationId)>, ErrorCode> {
        self.reception.peer(certificate).await
    }

    fn welcome(&self, peer: &Peer, version: u16) -> Welcome {
        self.reception.welcome(peer, version)
    }

    async fn answer(&self, peer: &Peer, message: Up) -> Down {
        match (self.breaker.plant, &message) {
            (Plant::HastyAck, Up::SaveAnswer(save)) => {
                let saved = Saved { item: save.item.clone(), number: save.number };
                let (reception, peer) = (self.reception.clone(), peer.clone());
                tokio::spawn(async move { reception.answer(&peer, message).await });
                saved.into()
            }
            (Plant::Panic, Up::SaveAnswer(_)) => panic!("as planted"),
            (Plant::OpenFence, _) => {
                let pretended = self.breaker.pretend(peer, &message);
                self.reception.answer(&pretended, message).await
            }
            _ => self.reception.answer(peer, message).await,
        }
    }

    fn joined(&self, peer: &Peer, outbox: mpsc::Sender<Down>) -> u64 {
        self.reception.joined(peer, outbox)
    }

    fn gone(&self, peer: &Peer, ticket: u64) {
        self.reception.gone(peer, ticket);
    }

    fn blob_path(&self, peer: &Peer, blob: &Sha256) -> Option<PathBuf> {
        self.reception.blob_path(peer, blob)
    }

    fn upload_dir(&self, peer: &Peer, blob: &Sha256, bytes: u64) -> Result<PathBuf, UploadNo> {
        self.reception.upload_dir(peer, blob, bytes)
    }
}
