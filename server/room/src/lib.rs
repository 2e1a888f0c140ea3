//! The room's core: judges what people and machines ask, applies what has happened, and says who must hear of it.
//! Pure: no clock, file, socket, thread or randomness. Recovery, export and simulation are loops over [`Site::apply`].
//!
//! ```text
//! decide(&self, now, &Ask) -> Result<Vec<Fact>, Refusal>   judges, changes nothing
//! apply(&mut self, now, &Fact)                             changes, judges nothing
//! tell(&self, &Fact) -> Vec<Tell>                          who must hear of it
//! reply(&self, &Ask) -> Reply                              what the asker hears, once it is on disk
//! next_wake() -> Option<SiteMs>                            when time itself has something to say
//! ```
//! A rule is a file in `rules/`: its ask, its facts, and the two traits of [`rule`].

pub mod ask;
pub mod authority;
pub mod explain;
pub mod fact;
pub mod record;
pub mod roll;
pub mod rule;
pub mod rules;
pub mod state;
pub mod view;

pub use ask::{Ask, Reply};
pub use fact::{Fact, Scope};
pub use rule::Tell;
pub use state::Site;
