//! The rules, one file each. Numbers of the handbook are in `numbers.rs`.

pub mod absence;
pub mod admission;
pub mod answers;
pub mod consent;
pub mod deny;
pub mod ending;
pub mod enrolment;
pub mod export;
pub mod extension;
pub mod finding;
pub mod founding;
pub mod hand;
pub mod hand_in;
pub mod identity;
pub mod incident;
pub mod leave;
pub mod lost_time;
pub mod message;
pub mod numbers;
pub mod orphan;
pub mod package;
pub mod pause;
pub mod people;
pub mod report;
pub mod seating;
pub mod sign_in;
pub mod signature;
pub mod start;
pub mod swap;
pub mod terminate;
pub mod violation;

pub mod backup_paper;
pub mod call_off;
pub mod checklist;
pub mod mock;
pub mod password;
pub mod power_cut;
pub mod seal;
pub mod visit;
pub mod wall_clock;

pub mod unable;
