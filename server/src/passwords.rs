//! Passwords of staff: Argon2id (19 MiB, two passes, one lane) by one worker that keeps its block of memory, behind a queue
//! with an end. Fresh memory for each hash, on any thread that is free, would stay resident and grow with every sign-on.
//! Never says which of account and password was wrong, in words or in time, and never keeps a password.

use crate::workers::on_thread;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use exam_protocol::{
    code::{ErrorCode, Refusal},
    ids::StationId,
    time::{SiteMs, seconds},
};
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};
use zeroize::Zeroizing;

/// Memory of one hash, KiB.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over it.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Salt of a hash, bytes.
const SALT_BYTES: usize = 16;
/// Length of a hash, bytes.
const HASH_BYTES: usize = 32;
/// Hashes that may wait; at some 25 ms each the last one waits below two seconds.
const WAITING_MAX: usize = 64;
/// How our PHC strings begin; other parameters are of another version of this program.
const PHC_HEAD: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// Wrong passwords at one console before it has to wait.
const FAILURES_MAX: u32 = 5;
/// How long it waits then, after each further one. Other consoles are not affected.
const FAILURE_PAUSE_MS: u64 = seconds(30);

struct Job {
    password: Zeroizing<Vec<u8>>,
    salt: [u8; SALT_BYTES],
    reply: oneshot::Sender<[u8; HASH_BYTES]>,
}

/// A handle to the worker; cheap to clone. The worker ends with the last handle.
#[derive(Clone, Debug)]
pub struct Passwords {
    jobs: mpsc::Sender<Job>,
}

impl Passwords {
    /// The handle and the work, for a worker to do. Its block is taken at the first password, so that a site without
    /// accounts pays nothing.
    pub fn new() -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        (Self { jobs }, work(waiting))
    }

    /// Starts the worker on a thread.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (passwords, work) = Self::new();
        on_thread("passwords", Box::pin(work))?;
        Ok(passwords)
    }

    /// A fresh PHC string (`$argon2id$…`) of a password.
    ///
    /// # Errors
    /// `Busy` when too many wait, `Internal` without randomness.
    pub async fn hash(&self, password: Zeroizing<Vec<u8>>) -> Result<String, ErrorCode> {
        let mut salt = [0; SALT_BYTES];
        SystemRandom::new().fill(&mut salt).map_err(|_| ErrorCode::Internal)?;
        let hash = self.derive(password, salt).await?;
        let text = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes);
        Ok(format!("{PHC_HEAD}{}${}", text(&salt), text(&hash)))
    }

    /// Whether a password is the one of `phc`. Without a hash (no such account) the same work is done, and the answer is no.
    ///
    /// # Errors
    /// `Busy` when too many wait.
    pub async fn verify(&self, password: Zeroizing<Vec<u8>>, phc: Option<&str>) -> Result<bool, ErrorCode> {
        let known = phc.and_then(parse);
        let (salt, expected) = known.unwrap_or(([0; SALT_BYTES], [0; HASH_BYTES]));
        let hash = self.derive(password, salt).await?;
        let differs = hash.iter().zip(&expected).fold(0, |differs, (a, b)| differs | (a ^ b));
        Ok(known.is_some() && differs == 0)
    }

    async fn derive(
        &self,
        password: Zeroizing<Vec<u8>>,
        salt: [u8; SALT_BYTES],
    ) -> Result<[u8; HASH_BYTES], ErrorCode> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job { password, salt, reply }).map_err(|e| match e {
            TrySendError::Full(_) => ErrorCode::Busy,
            TrySendError::Closed(_) => ErrorCode::Internal,
        })?;
        answer.await.map_err(|_| ErrorCode::Internal)
    }
}

async fn work(mut waiting: mpsc::Receiver<Job>) {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).expect("the parameters are possible");
    let mut memory: Vec<Block> = Vec::new();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    while let Some(Job { password, salt, reply }) = waiting.recv().await {
        memory.resize(MEMORY_KIB as usize, Block::default());
        let mut hash = [0; HASH_BYTES];
        match argon2.hash_password_into_with_memory(&password, &salt, &mut hash, memory.as_mut_slice()) {
            Ok(()) => drop(reply.send(hash)), // an asker that left needs no answer
            Err(error) => tracing::error!(%error, "a password could not be hashed"),
        }
    }
}

fn parse(phc: &str) -> Option<([u8; SALT_BYTES], [u8; HASH_BYTES])> {
    let (salt, hash) = phc.strip_prefix(PHC_HEAD)?.split_once('$')?;
    let bytes = |text: &str| data_encoding::BASE64_NOPAD.decode(text.as_bytes()).ok();
    Some((bytes(salt)?.try_into().ok()?, bytes(hash)?.try_into().ok()?))
}

/// Wrong passwords by console. Gone with the process: a restart is nothing a guesser can cause.
#[derive(Debug, Default)]
pub struct Tries {
    table: Mutex<BTreeMap<StationId, Failures>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last_at: SiteMs,
}

impl Tries {
    /// A password is about to be tried at a console. It counts as wrong until [`right`](Self::right) says otherwise, so that
    /// many guesses at once gain nothing.
    ///
    /// # Errors
    /// [`Refusal::PasswordPause`].
    pub fn begin(&self, station: &StationId, at: SiteMs) -> Result<(), Refusal> {
        let mut table = self.table();
        let failures = table.entry(station.clone()).or_default();
        let wait_ms = failures.last_at.plus(FAILURE_PAUSE_MS).since(at);
        if failures.count >= FAILURES_MAX && wait_ms > 0 {
            return Err(Refusal::PasswordPause { wait_s: wait_ms.div_ceil(1_000) as u32 });
        }
        *failures = Failures { count: failures.count.saturating_add(1), last_at: at };
        Ok(())
    }

    /// The password was right.
    pub fn right(&self, station: &StationId) {
        self.table().remove(station);
    }

    fn table(&self) -> MutexGuard<'_, BTreeMap<StationId, Failures>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(password: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(password.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn a_password_opens_its_own_hash_and_no_other() {
        let passwords = Passwords::start().unwrap();
        let phc = passwords.hash(typed("correct horse")).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_ne!(phc, passwords.hash(typed("correct horse")).await.unwrap(), "a salt is used once");
        assert!(passwords.verify(typed("correct horse"), Some(&phc)).await.unwrap());
        assert!(!passwords.verify(typed("correct horse "), Some(&phc)).await.unwrap());
        assert!(!passwords.verify(typed("correct horse"), None).await.unwrap(), "nobody is not somebody");
        assert!(!passwords.verify(typed(""), Some("$argon2id$v=19$m=8,t=1,p=1$AA$AA")).await.unwrap());
    }

    #[tokio::test]
    async fn the_hash_is_argon2id_as_others_make_it() {
        let passwords = Passwords::start().unwrap();
        let ours = passwords.derive(typed("password"), *b"saltsaltsaltsalt").await.unwrap();
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).unwrap();
        let mut fresh = [0; HASH_BYTES];
        let mut memory = vec![Block::default(); MEMORY_KIB as usize];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(b"password", b"saltsaltsaltsalt", &mut fresh, memory.as_mut_slice())
            .unwrap();
        assert_eq!(ours, fresh);
        let again = passwords.derive(typed("password"), *b"saltsaltsaltsalt").await.unwrap();
        assert_eq!(again, fresh, "a used block gives the same hash as a fresh one");
    }

    #[tokio::test]
    async fn more_passwords_than_may_wait_are_told_to_come_again() {
        let passwords = Passwords::start().unwrap();
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..3 * WAITING_MAX {
            let passwords = passwords.clone();
            waiting.spawn(async move { passwords.derive(typed("x"), [0; SALT_BYTES]).await.map(drop) });
        }
        let outcomes = waiting.join_all().await;
        let busy = outcomes.iter().filter(|outcome| **outcome == Err(ErrorCode::Busy)).count();
        assert!(busy > 0, "the queue has an end");
        assert!(outcomes.len() - busy >= WAITING_MAX, "and up to there everybody is served");
    }

    #[test]
    fn five_failures_pause_one_console_and_no_other() {
        let tries = Tries::default();
        let (one, other): (StationId, StationId) = ("console-1".parse().unwrap(), "console-2".parse().unwrap());
        let at = |s: u64| SiteMs(seconds(s));
        (0..5).for_each(|s| tries.begin(&one, at(s)).unwrap());
        assert_eq!(tries.begin(&one, at(5)), Err(Refusal::PasswordPause { wait_s: 29 }));
        assert_eq!(tries.begin(&other, at(5)), Ok(()));
        assert_eq!(tries.begin(&one, SiteMs(seconds(34) - 1)), Err(Refusal::PasswordPause { wait_s: 1 }));
        assert_eq!(tries.begin(&one, at(34)), Ok(()));
        assert!(tries.begin(&one, at(35)).is_err(), "each further failure pauses again");
        tries.right(&one);
        assert_eq!(tries.begin(&one, at(35)), Ok(()), "who gets it right begins anew");
    }
}
