//! The two sealed files that cross the border of a site: the exam package (考试包) in, the result bundle (成绩包) out.
//! Works on bytes and readers; never touches the network, a clock or a file by name.

pub mod bundle;
pub mod code;
pub mod json;
pub mod keys;
pub mod manifest;
pub mod package;
pub mod paper;
pub mod plan;
pub mod seal;
pub mod zipping;
