//! Where things are in the checkout, and the programs that the tests start.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// The checkout's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A text file of the project, by its path from the root.
///
/// # Errors
/// It cannot be read.
pub fn text(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))
}

/// A program that `make setup` installs: `python`, `aws`, `cargo-lambda`.
///
/// # Errors
/// It is not installed; the message says what to run.
pub fn installed(program: &str) -> Result<PathBuf> {
    let path = root().join(".venv/bin").join(program);
    ensure!(path.exists(), "{program} is not installed: run `make setup`");
    Ok(path)
}

/// A program that `make setup` installs beside the SAM CLI, whose own libraries differ: `sam`, `python`.
///
/// # Errors
/// It is not installed; the message says what to run.
pub fn installed_for_sam(program: &str) -> Result<PathBuf> {
    installed(&format!("../sam/bin/{program}"))
}

/// All files below a folder of the project whose names end in `ending`, in order, as paths from the root. Folders of
/// installed or built things are left out.
///
/// # Errors
/// A folder cannot be read.
pub fn files(folder: &str, ending: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    collect(Path::new(folder), ending, &mut found)?;
    found.sort();
    Ok(found)
}

/// Folders of what is installed and built.
const MADE: [&str; 6] = ["node_modules", "target", ".venv", ".tools", ".aws-sam", ".git"];

fn collect(folder: &Path, ending: &str, found: &mut Vec<String>) -> Result<()> {
    let absolute = root().join(folder);
    let entries =
        std::fs::read_dir(&absolute).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = folder.join(&name);
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && !MADE.contains(&name.as_str()) {
            collect(&path, ending, found)?;
        } else if !is_folder && name.ends_with(ending) {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
