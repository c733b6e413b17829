//! A limiter's state in a file, locked for each change.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use fs4::{FileExt, TryLockError};

use super::shared::BoxError;

/// How long a change waits for the lock. Holders keep it for less than a millisecond; one that was stopped meanwhile
/// must not stop the others.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// The time between two looks at the lock.
const LOCK_POLL: Duration = Duration::from_micros(500);

/// The largest state that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

pub(super) struct FileStore {
    path: Arc<Path>,
}

impl FileStore {
    pub fn new(path: PathBuf) -> Self {
        Self { path: path.into() }
    }

    pub fn location(&self) -> String {
        self.path.display().to_string()
    }

    /// Replaces the content by what `apply` makes of it and of the time.
    pub async fn update<T, F>(&self, apply: F) -> Result<T, BoxError>
    where
        T: Send + 'static,
        F: Fn(&[u8], u64) -> (T, Vec<u8>) + Send + 'static,
    {
        let path = Arc::clone(&self.path);
        let work = tokio::task::spawn_blocking(move || update(&path, apply));
        Ok(work.await??)
    }
}

fn update<T>(path: &Path, apply: impl Fn(&[u8], u64) -> (T, Vec<u8>)) -> io::Result<T> {
    // Opened each time, so that all processes see the same file after somebody removed it.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    lock(&file)?;
    let mut stored = Vec::new();
    (&mut file).take(MAX_BYTES).read_to_end(&mut stored)?;
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let now = u64::try_from(now.as_micros()).unwrap_or_default();
    let (result, new) = apply(&stored, now);
    file.rewind()?;
    file.write_all(&new)?;
    file.set_len(new.len() as u64)?;
    // The lock ends with the file.
    Ok(result)
}

fn lock(file: &File) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match FileExt::try_lock(file) {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if start.elapsed() > LOCK_TIMEOUT => {
                let held = "another process holds the lock";
                return Err(io::Error::new(io::ErrorKind::TimedOut, held));
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
        }
    }
}
