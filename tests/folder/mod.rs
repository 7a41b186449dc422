//! A folder with files and a lake, and records to put into files.

use std::io::Write;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

/// A line of the authenticator.
pub(crate) const GRANT: &str = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" \
    arn=\"arn:aws:iam::111122223333:role/Admin\" client=\"127.0.0.1:1\" groups=\"[system:masters]\" method=POST path=/authenticate \
    uid=\"aws-iam-authenticator:111122223333:AROAEXAMPLE\" username=admin";

/// Gone at the end of the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file; gives its path.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs it on the folder's lake: exit code, JSON answer, what it said.
    pub(crate) fn eksplain(&self, arguments: &[&str]) -> (i32, Value, String) {
        self.eksplain_with(arguments, b"")
    }

    /// The same with standard input.
    pub(crate) fn eksplain_with(&self, arguments: &[&str], input: &[u8]) -> (i32, Value, String) {
        let out = Command::cargo_bin("eksplain")
            .unwrap()
            .arg("--lake")
            .arg(self.path().join("lake"))
            .args(["-o", "json"])
            .args(arguments)
            .write_stdin(input)
            .output()
            .unwrap();
        (
            out.status.code().unwrap_or(-1),
            serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
            String::from_utf8_lossy(&out.stderr).into_owned(),
        )
    }

    /// Rows of a query, whatever the form of its document.
    pub(crate) fn query(&self, sql: &str) -> Vec<Value> {
        let (_, answer, said) = self.eksplain(&["query", sql]);
        let rows = answer.get("rows").unwrap_or(&answer).as_array().cloned();
        rows.unwrap_or_else(|| panic!("{sql}: {said}"))
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 3).unwrap()
}

/// A line and as many blank lines of a MiB, packed.
pub(crate) fn zstd_blanks(first: &str, count: usize) -> Vec<u8> {
    let mut encoder = ::zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(first.as_bytes()).unwrap();
    let mut line = vec![b' '; 1024 * 1024];
    line.push(b'\n');
    for _ in 0..count {
        encoder.write_all(&line).unwrap();
    }
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mtime(1_795_428_000);
        archive.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    archive.into_inner().unwrap()
}

pub(crate) fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = ::zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
