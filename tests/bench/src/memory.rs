//! The memory of this process, as Linux counts it.

/// From now on the peak is counted anew, where the system lets one.
pub fn reset_peak() {
    // 5 resets the high-water mark; where it may not be written the peak is that of the whole run, which is no less
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// What is resident, in MB of 1 000 000 bytes; not a number where it is not told.
pub fn now_mb() -> f64 {
    status("VmRSS:")
}

/// The most that was resident since it was last reset.
pub fn peak_mb() -> f64 {
    status("VmHWM:")
}

fn status(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u32>().ok());
    kib.map_or(f64::NAN, |kib| f64::from(kib) * 1_024.0 / 1_000_000.0)
}
