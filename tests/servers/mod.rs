//! Stand-ins for AWS: scripts of `tests/aws`, and moto where `tests/all` has installed it.
#![allow(dead_code, reason = "each test uses the stand-ins that it needs")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const EKSPLAIN: &str = env!("CARGO_BIN_EXE_eksplain");

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// The stand-in for LookupEvents.
    pub(crate) fn lookup_events(options: &Value) -> Self {
        Self::stand_in("lookup_events.py", &options.to_string())
    }

    /// A script of tests/aws that prints its port.
    pub(crate) fn stand_in(name: &str, options: &str) -> Self {
        let mut child = Command::new("python3")
            .args([script(name).as_os_str(), options.as_ref()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there: tests/all installs it");
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut port)
            .unwrap();
        Self {
            url: format!("http://127.0.0.1:{}", port.trim()),
            child,
        }
    }

    /// moto, where `tests/all` has installed it.
    pub(crate) fn moto() -> Option<(Self, PathBuf)> {
        let Some(python) = std::env::var_os("EKSPLAIN_MOTO_PYTHON").map(PathBuf::from) else {
            eprintln!("skipped: EKSPLAIN_MOTO_PYTHON names no Python with moto (tests/all sets it)");
            return None;
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new(&python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "moto did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        Some((server, python))
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    pub(crate) fn eksplain(&self, lake: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(EKSPLAIN);
        command
            .env_remove("AWS_PROFILE")
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .args(["--endpoint-url", &self.url, "-o", "json", "--lake"])
            .arg(lake)
            .args(words);
        command
    }
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws").join(name)
}
