//! How long the disk takes to keep something for good.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

/// How often it is tried.
const TRIES: usize = 100;

/// The median time in which 4 KB are appended to a file in this folder and kept (`fdatasync`).
///
/// # Errors
///
/// When the folder cannot be written to.
pub fn sync_time(folder: &Path) -> std::io::Result<Duration> {
    fs::create_dir_all(folder)?;
    let path = folder.join("sync-time");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(TRIES);
    for _ in 0..TRIES {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    fs::remove_file(&path)?;
    times.sort_unstable();
    Ok(times[TRIES / 2])
}
