//! What `--stats` prints.

use std::time::{Duration, Instant};

use screening::index::Index;

/// Measurements of one run.
pub struct Statistics {
    start: Instant,
    /// Reading the index file, or building the index from the lists.
    read: Duration,
    load: Duration,
    first: Option<Duration>,
    screened: u32,
    entities: usize,
    names: usize,
    index_bytes: usize,
    lists: String,
}

#[expect(clippy::disallowed_methods, reason = "the binary measures, the library has no clock")]
fn now() -> Instant {
    Instant::now()
}

impl Statistics {
    pub fn start() -> Self {
        Self {
            start: now(),
            read: Duration::ZERO,
            load: Duration::ZERO,
            first: None,
            screened: 0,
            entities: 0,
            names: 0,
            index_bytes: 0,
            lists: String::new(),
        }
    }

    pub fn read(&mut self) {
        self.read = self.start.elapsed();
    }

    pub fn loaded(&mut self, index: &Index) {
        self.load = self.start.elapsed();
        self.entities = index.entity_count();
        self.names = index.name_count();
        self.index_bytes = index.as_bytes().len();
        self.lists = index.list_version();
    }

    /// Reading the older lists counts as loading too.
    pub fn restricted(&mut self) {
        self.load = self.start.elapsed();
    }

    pub fn screened(&mut self) {
        self.screened += 1;
        self.first.get_or_insert_with(|| self.start.elapsed());
    }

    pub fn print(&self) {
        let screening = self.start.elapsed().saturating_sub(self.load);
        let per_second = f64::from(self.screened) / screening.as_secs_f64().max(1e-9);
        eprintln!("lists                   {}", self.lists);
        eprintln!("entries, names          {}, {}", self.entities, self.names);
        let from_read = |moment: Duration| moment.saturating_sub(self.read).as_millis();
        eprintln!("index read or built     {} ms", self.read.as_millis());
        eprintln!("load                    {} ms", from_read(self.load));
        eprintln!("load and first answer   {} ms", from_read(self.first.unwrap_or(self.load)));
        eprintln!("index                   {} KB", self.index_bytes / 1024);
        eprintln!("screenings              {}", self.screened);
        eprintln!("screenings per second   {per_second:.0}");
        eprintln!("peak memory             {}", peak_memory());
    }
}

/// As the kernel counts it, where it does.
fn peak_memory() -> String {
    use std::io::Read;
    let mut status = String::new();
    let read = std::fs::File::open("/proc/self/status").and_then(|mut file| file.read_to_string(&mut status));
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).filter(|_| read.is_ok());
    line.map_or_else(|| "unknown on this system".to_owned(), |line| line.trim().to_owned())
}
