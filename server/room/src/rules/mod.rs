//! The rules, one file each. Numbers of the handbook are in `numbers.rs`.

pub mod admission;
pub mod answers;
pub mod ending;
pub mod enrolment;
pub mod export;
pub mod extension;
pub mod finding;
pub mod founding;
pub mod hand_in;
pub mod incident;
pub mod numbers;
pub mod package;
pub mod pause;
pub mod people;
pub mod report;
pub mod seating;
pub mod sign_in;
pub mod signature;
pub mod start;
pub mod violation;
