//! Child processes: one that runs to its end, and one that stays and speaks line by line.
//! Never waits without a deadline, never waits by sleeping, and never leaves a child behind.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, SendError, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// Lines a child may be ahead of us before it has to wait.
const LINES_WAITING_MAX: usize = 65_536;
/// Bytes of output that are kept of a command that runs to its end.
const OUTPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What a command gets that does one thing and ends.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(120);
/// Options whose value must not reach a log.
const SECRET_OPTIONS: &[&str] = &["--code", "--enrol"];

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The command line, secrets left out.
    pub line: String,
    /// Exit code; none if it was killed.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said besides.
    pub stderr: String,
}

impl Finished {
    /// Itself, if it ended with `code`.
    ///
    /// # Errors
    /// Another exit code; the message carries what the command said.
    pub fn expect_code(self, code: i32) -> Result<Self> {
        let said = self
            .stderr
            .trim()
            .lines()
            .rev()
            .take(8)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\n");
        ensure!(self.code == Some(code), "`{}` ended with {:?}, expected {code}:\n{said}", self.line, self.code);
        Ok(self)
    }

    /// Its output as one JSON value.
    ///
    /// # Errors
    /// The output is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(self.stdout.trim())
            .with_context(|| format!("`{}` did not print one JSON value: {}", self.line, self.stdout.trim()))
    }
}

/// Runs a command to its end, within `deadline`, and notes it in `log`.
///
/// # Errors
/// It cannot be started, or it does not end in time (it is killed then).
pub fn run(mut command: Command, deadline: Duration, log: &Path) -> Result<Finished> {
    let line = shown(&command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` cannot be started"))?;
    let stdout = read_all(child.stdout.take().context("stdout is piped")?);
    let stderr = read_all(child.stderr.take().context("stderr is piped")?);
    let until = Instant::now() + deadline;
    let texts = [stdout, stderr].map(|text| text.recv_timeout(until.saturating_duration_since(Instant::now())));
    if texts.iter().any(Result::is_err) {
        child.kill().ok();
        child.wait().ok();
        bail!("`{line}` did not end within {} s", deadline.as_secs());
    }
    let code = child.wait()?.code();
    let [stdout, stderr] = texts.map(|text| text.unwrap_or_default());
    let finished = Finished { line, code, stdout, stderr };
    note(log, &finished)?;
    Ok(finished)
}

fn read_all(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes);
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}

fn note(log: &Path, finished: &Finished) -> Result<()> {
    let mut file =
        OpenOptions::new().create(true).append(true).open(log).with_context(|| format!("{}", log.display()))?;
    writeln!(file, "$ {}\n{}[exit {:?}]", finished.line, finished.stderr, finished.code)?;
    Ok(())
}

/// The command line as people may read it: program without its folder, secrets left out.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut words = vec![program];
    for arg in command.get_args() {
        let secret = words.last().is_some_and(|word| SECRET_OPTIONS.contains(&word.as_str()));
        words.push(if secret { "…".to_owned() } else { arg.to_string_lossy().into_owned() });
    }
    words.join(" ")
}

/// A child that stays: both its outputs are read line by line and go to log files. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    lines: Receiver<Line>,
    stdout: String,
}

/// A line a child wrote.
struct Line {
    from_stdout: bool,
    text: String,
}

impl Running {
    /// Starts `command`; `name.out.log` and `name.err.log` in `logs` grow over restarts.
    ///
    /// # Errors
    /// It cannot be started, or its logs cannot be written.
    pub fn start(mut command: Command, name: &str, logs: &Path) -> Result<Self> {
        let open = |kind: &str| {
            let path = logs.join(format!("{name}.{kind}.log"));
            OpenOptions::new().create(true).append(true).open(&path).with_context(|| format!("{}", path.display()))
        };
        let (out, err) = (open("out")?, open("err")?);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{}` cannot be started", shown(&command)))?;
        let (send, lines) = sync_channel(LINES_WAITING_MAX);
        let (stdout, stderr) = (child.stdout.take().context("piped")?, child.stderr.take().context("piped")?);
        let also = send.clone();
        thread::spawn(move || forward(stdout, out, |text| send.send(Line { from_stdout: true, text })));
        thread::spawn(move || forward(stderr, err, |text| also.send(Line { from_stdout: false, text })));
        Ok(Self { name: name.to_owned(), child, lines, stdout: String::new() })
    }

    /// The next line; `None` when the child has ended its outputs.
    fn next_line(&mut self, until: Instant) -> Result<Option<String>, RecvTimeoutError> {
        match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if line.from_stdout && self.stdout.len() + line.text.len() < OUTPUT_BYTES_MAX as usize {
                    self.stdout.push_str(&line.text);
                    self.stdout.push('\n');
                }
                Ok(Some(line.text))
            }
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(timeout) => Err(timeout),
        }
    }

    /// Waits until `pick` finds what it wants in a line of JSON the child prints, to whichever output. Other lines
    /// are passed over.
    ///
    /// # Errors
    /// The deadline passes, or the child ends its output first.
    pub fn wait_for<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        mut pick: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        let until = Instant::now() + deadline;
        loop {
            match self.next_line(until) {
                Ok(Some(line)) => {
                    if let Some(found) = serde_json::from_str(&line).ok().as_ref().and_then(&mut pick) {
                        return Ok(found);
                    }
                }
                Ok(None) => bail!("{} ended before \"{what}\"; see its log", self.name),
                Err(_) => bail!("{} did not say \"{what}\" within {} s", self.name, deadline.as_secs()),
            }
        }
    }

    /// Its process id, to look at what it uses.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: the process gets no chance to tidy up.
    ///
    /// # Errors
    /// It cannot be killed.
    pub fn kill_hard(mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("{} cannot be killed", self.name))?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks the process to end, as a service manager does, and waits for it.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn stop(mut self, deadline: Duration) -> Result<ExitStatus> {
        ask_to_end(&mut self.child)?;
        Ok(self.finish(deadline)?.0)
    }

    /// Waits until the process has ended by itself. Returns how, and all it wrote to stdout.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn finish(mut self, deadline: Duration) -> Result<(ExitStatus, String)> {
        let until = Instant::now() + deadline;
        // The end of a child's outputs is the end of the child: nothing else holds its pipes.
        while self
            .next_line(until)
            .with_context(|| format!("{} did not end within {} s", self.name, deadline.as_secs()))?
            .is_some()
        {}
        Ok((self.child.wait()?, std::mem::take(&mut self.stdout)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn forward(from: impl Read, mut log: File, to: impl Fn(String) -> Result<(), SendError<Line>>) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        let _ = writeln!(log, "{line}");
        if to(line).is_err() {
            return; // nobody listens any more
        }
    }
}

#[cfg(unix)]
fn ask_to_end(child: &mut Child) -> Result<()> {
    let status = Command::new("kill").arg(child.id().to_string()).status().context("kill")?;
    ensure!(status.success(), "the process could not be asked to end");
    Ok(())
}

#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) -> Result<()> {
    child.kill().context("kill")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_shown_without_its_secrets() {
        let mut command = Command::new("/opt/bin/exam-server");
        command.args(["sitting", "start", "s1", "--code", "ABCD", "--json"]);
        assert_eq!(shown(&command), "exam-server sitting start s1 --code … --json");
    }
}
