//! What the binaries weigh as zips: each holds the functions of a workflow.

use std::path::{Path, PathBuf};
use std::process::Command;

use broker::Failure;
use broker::local::repository;

use crate::installation::Installation;
use crate::report::{Findings, Line, Parts, count, megabytes};

/// DESIGN: the largest zip but for the reader's, whose models are most of it.
const TARGET_MB: f64 = 5.0;
/// The binary that carries the models.
const READER: &str = "kyc-reader";
const MB: f64 = 1_000_000.0;
/// Deflates each file at the level that zips have, and prints the sizes.
const DEFLATE: &str =
    "import sys, zlib\nfor path in sys.argv[1:]: print(len(zlib.compress(open(path, 'rb').read(), 6)))";

/// Measures every binary and, where they are, the packages for Lambda.
///
/// # Errors
/// When a binary is not there or Python does not run.
pub fn measure(installation: &Installation) -> Result<Findings, Failure> {
    let names: Vec<&str> = installation.binaries().into_iter().collect();
    let paths = names.iter().map(|name| installation.binary(name)).collect::<Result<Vec<PathBuf>, _>>()?;
    let sizes = deflated(&paths)?;
    let packages: Vec<Option<f64>> = names.iter().map(|name| package(name)).collect();
    let counted = |at: &usize| names.get(*at).is_some_and(|name| *name != READER);
    let largest = (0..names.len()).filter(counted).filter_map(|at| sizes.get(at).copied()).fold(f64::NAN, f64::max);
    let zips = (0..names.len()).filter(counted).filter_map(|at| packages.get(at).copied().flatten());
    let mut lines = vec![Line::at_most("largest binary but the reader, deflated", largest / MB, TARGET_MB, megabytes)];
    if let Some(largest) = zips.reduce(f64::max) {
        lines.push(Line::at_most(
            "largest arm64 zip of make package but the reader",
            largest / MB,
            TARGET_MB,
            megabytes,
        ));
    }
    let rows = names.iter().zip(&paths).zip(sizes.iter().zip(&packages)).map(|((name, path), (size, package))| {
        let package = package.map_or_else(|| "-".to_owned(), |bytes| megabytes(bytes / MB));
        vec![(*name).to_owned(), megabytes(bytes(path) / MB), megabytes(size / MB), package]
    });
    let parts = Parts {
        title: "sizes".to_owned(),
        columns: vec!["workflow", "binary", "deflated", "arm64 zip"],
        rows: rows.collect(),
    };
    Ok(Findings { lines, parts: vec![parts] })
}

fn deflated(paths: &[PathBuf]) -> Result<Vec<f64>, Failure> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(&python).arg("-c").arg(DEFLATE).args(paths).output()?;
    if !output.status.success() {
        return Err(format!("{python}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::parse).collect::<Result<_, _>>()?)
}

fn bytes(path: &Path) -> f64 {
    let length = std::fs::metadata(path).ok().and_then(|found| usize::try_from(found.len()).ok());
    length.map_or(f64::NAN, count)
}

fn package(name: &str) -> Option<f64> {
    let path = repository().join("target/lambda").join(name).join("bootstrap.zip");
    path.is_file().then(|| bytes(&path))
}
