//! A process that dies leaves no image of its memory behind (P7, P18): an image would hold names, answers and, after the start,
//! questions. Never fails a start: where the system knows no such wish, nothing changes.

/// Asks the system to write no core image of this process and to hand none to a crash reporter. To be called first in `main`.
/// On Windows images are written only where somebody has set `LocalDumps` for the program.
pub fn leave_no_image() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit { current: Some(0), maximum: Some(0) };
        // Lowering a limit is refused by no system we know; a process that may still dump works as well as one that may not.
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Crash reporters that read from a pipe are told nothing by the limit.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
