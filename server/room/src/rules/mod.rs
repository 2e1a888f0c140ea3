//! The rules, one file each. Numbers of the handbook are in `numbers.rs`.

pub mod admission;
pub mod answers;
pub mod ending;
pub mod enrolment;
pub mod export;
pub mod extension;
pub mod founding;
pub mod hand;
pub mod hand_in;
pub mod message;
pub mod numbers;
pub mod package;
pub mod pause;
pub mod people;
pub mod seating;
pub mod sign_in;
pub mod start;
pub mod visit;
