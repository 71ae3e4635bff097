//! Decision records as lines of JSON, written by a thread of their own.

use std::{
    fmt,
    fs::OpenOptions,
    io::{self, BufWriter, Write},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread,
    time::Duration,
};

use serde::Serialize;

/// Lines that may wait for the writer.
const WAITING: usize = 8192;

/// How long the last owner waits for the lines that are still to be written.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Writes each decision record as one line of JSON to a file or another writer. Cheap to clone; several resources may share one.
///
/// A request never waits for the writer: when 8192 lines wait already, further ones are lost. They are counted
/// ([`DecisionCounts::records_lost`](crate::DecisionCounts::records_lost)), and the next line that is written says so: `{"lost":3}`. What waits when the
/// last clone is dropped is still written, for at most two seconds.
///
/// # Security
/// Records name issuers, subjects and clients: personal data. A file that does not exist is made readable for its owner only (on Unix).
#[derive(Debug, Clone)]
pub struct DecisionLog(Arc<Inner>);

struct Inner {
    /// Taken away to end the thread.
    lines: Option<SyncSender<Vec<u8>>>,
    lost: Arc<AtomicU64>,
    ended: Mutex<Receiver<()>>,
}

impl DecisionLog {
    /// Appends to a file, and makes it if there is none. Rotate it by copying and truncating: it is not opened again.
    ///
    /// # Errors
    /// The file cannot be opened for writing, or no thread can be started.
    pub fn to_file(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::to_writer(options.open(path)?)
    }

    /// Writes to anything, such as standard output.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn to_writer(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with_capacity(writer, WAITING)
    }

    fn with_capacity(writer: impl Write + Send + 'static, waiting: usize) -> io::Result<Self> {
        let (sender, lines) = sync_channel(waiting);
        let (end, ended) = sync_channel(1);
        let lost = Arc::new(AtomicU64::new(0));
        let mut writing = Writing {
            writer: BufWriter::new(writer),
            lost: Arc::clone(&lost),
            told: 0,
            failing: false,
        };
        thread::Builder::new().name("decision-log".into()).spawn(move || {
            writing.run(&lines);
            let _ = end.send(());
        })?;
        Ok(Self(Arc::new(Inner {
            lines: Some(sender),
            lost,
            ended: Mutex::new(ended),
        })))
    }

    /// Hands a record to the writer, or counts it as lost.
    pub(super) fn write(&self, record: &impl Serialize) {
        let line = serde_json::to_vec(record).map(|mut line| {
            line.push(b'\n');
            line
        });
        let sent = (line.ok().zip(self.0.lines.as_ref())).is_some_and(|(line, lines)| lines.try_send(line).is_ok());
        if !sent {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.lines.take());
        // A writer that hangs must not keep the server from stopping.
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(LAST_LINES);
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionLog")
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

/// The thread's side.
struct Writing<W: Write> {
    writer: BufWriter<W>,
    lost: Arc<AtomicU64>,
    /// Lost lines that a line has told of.
    told: u64,
    failing: bool,
}

impl<W: Write> Writing<W> {
    fn run(&mut self, lines: &Receiver<Vec<u8>>) {
        while let Some(line) = self.next(lines) {
            let written = self.tell_lost().and_then(|()| self.writer.write_all(&line));
            self.check(written, 1);
        }
        let _ = self.tell_lost().and_then(|()| self.writer.flush());
    }

    /// The next line. Flushes before it waits: a reader sees every line as soon as there is time.
    fn next(&mut self, lines: &Receiver<Vec<u8>>) -> Option<Vec<u8>> {
        match lines.try_recv() {
            Ok(line) => Some(line),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                let flushed = self.writer.flush();
                self.check(flushed, 0);
                lines.recv().ok()
            }
        }
    }

    fn tell_lost(&mut self) -> io::Result<()> {
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > self.told {
            writeln!(self.writer, "{{\"lost\":{}}}", lost - self.told)?;
            self.told = lost;
        }
        Ok(())
    }

    /// Says once that the writer fails, not for every line.
    fn check(&mut self, result: io::Result<()>, lines: u64) {
        match result {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.lost.fetch_add(lines, Ordering::Relaxed);
                if !self.failing {
                    tracing::error!(%error, "cannot write the decision log: records are lost until it can be written again");
                }
                self.failing = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Mutex, mpsc},
    };

    use super::*;

    /// A writer that waits before each write until it may go on, and then keeps what was written or fails.
    struct Slow {
        go_on: mpsc::Receiver<io::Result<()>>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go_on.recv().unwrap_or(Ok(()))?;
            self.written.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    type Slowed = (DecisionLog, mpsc::Sender<io::Result<()>>, Arc<Mutex<Vec<u8>>>);

    fn slow(waiting: usize) -> Slowed {
        let (release, go_on) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&written);
        let log = DecisionLog::with_capacity(Slow { go_on, written: kept }, waiting).unwrap();
        (log, release, written)
    }

    #[test]
    fn lines_that_find_no_place_are_counted_and_told_of_and_nobody_waits() {
        let (log, release, written) = slow(4);
        for number in 0..1000 {
            log.write(&number);
        }
        let lost = log.lost();
        assert!((1..=996).contains(&lost), "{lost}");
        drop(release);
        drop(log);
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let told: u64 = text
            .lines()
            .filter_map(|line| line.strip_prefix("{\"lost\":")?.strip_suffix('}')?.parse::<u64>().ok())
            .sum();
        let lines = text.lines().filter(|line| line.parse::<u32>().is_ok()).count();
        assert_eq!(told, lost);
        assert_eq!(u64::try_from(lines).unwrap() + lost, 1000);
    }

    #[test]
    fn what_waits_when_the_log_is_dropped_is_still_written() {
        let (log, release, written) = slow(100);
        drop(release);
        for number in 0..100 {
            log.write(&number);
        }
        drop(log);
        let lines: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(written.lock().unwrap().clone()).unwrap(), lines);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_file_is_for_its_owner_only_and_an_old_one_is_appended_to() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.jsonl");
        for number in 1..=2 {
            let log = DecisionLog::to_file(&path).unwrap();
            log.write(&number);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "1\n2\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
