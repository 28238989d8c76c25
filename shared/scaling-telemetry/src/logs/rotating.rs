//! A log file that never grows beyond a limit: it keeps its name, and older parts get `.1`, `.2` and so on behind it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file is rotated before it gets longer than this, in bytes.
pub const LARGEST_FILE: u64 = 16 << 20;

/// How many older parts are kept.
pub const KEPT_FILES: usize = 4;

/// Appends to a file and rotates it by size. A line that is written in one call is never torn apart.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    /// `None` only after a rotation that could not open the next file; the next write tries again.
    file: Option<File>,
    written: u64,
    largest: u64,
    kept: usize,
}

impl RotatingFile {
    /// Opens the file at its end, and makes it and its folders when they are missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(path: &Path, largest: u64, kept: usize) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = append_to(path)?;
        let written = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file: Some(file), written, largest, kept })
    }

    fn part(&self, number: usize) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        if self.kept == 0 {
            std::fs::remove_file(&self.path)?;
        }
        for number in (0..self.kept).rev() {
            let from = if number == 0 { self.path.clone() } else { self.part(number) };
            match std::fs::rename(from, self.part(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.written = 0;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written > 0 && self.written + bytes.len() as u64 > self.largest {
            self.rotate()?;
        }
        let file = match self.file.take() {
            Some(file) => self.file.insert(file),
            None => self.file.insert(append_to(&self.path)?),
        };
        file.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(folder: &Path) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        all.sort();
        all
    }

    fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_newest_part_keeps_the_name_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(&folder.path().join("a.log"), 8, 2).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n", "five\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        let expected = named(&[("a.log", "five\n"), ("a.log.1", "four\n"), ("a.log.2", "three\n")]);
        assert_eq!(texts(folder.path()), expected);
    }

    #[test]
    fn a_line_longer_than_the_limit_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(&folder.path().join("a.log"), 8, 1).unwrap();
        file.write_all(b"a line of more than eight bytes\n").unwrap();
        file.write_all(b"short\n").unwrap();
        let expected = named(&[("a.log", "short\n"), ("a.log.1", "a line of more than eight bytes\n")]);
        assert_eq!(texts(folder.path()), expected);
    }

    #[test]
    fn an_existing_file_is_continued_and_its_length_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/a.log");
        RotatingFile::open(&path, 8, 1).unwrap().write_all(b"before\n").unwrap();
        RotatingFile::open(&path, 8, 1).unwrap().write_all(b"after\n").unwrap();
        let expected = named(&[("a.log", "after\n"), ("a.log.1", "before\n")]);
        assert_eq!(texts(path.parent().unwrap()), expected);
    }

    #[test]
    fn nothing_is_kept_where_nothing_is_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatingFile::open(&folder.path().join("a.log"), 4, 0).unwrap();
        file.write_all(b"one\n").unwrap();
        file.write_all(b"two\n").unwrap();
        assert_eq!(texts(folder.path()), named(&[("a.log", "two\n")]));
    }
}
