//! Files as people have them, turned into the words of the exam: rosters, room plans, photos, question banks, and marks.
//! Pure: bytes in, values out. Never opens a file, never guesses in silence, never lets half an import through.

pub mod bank;
pub mod fault;
pub mod fold;
pub mod header;
pub mod id_number;
pub mod mark;
pub mod photos;
pub mod rooms;
pub mod roster;
pub mod table;
