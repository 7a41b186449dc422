//! `docs/troubleshooting.md`: every command on the page runs, and prints what the page shows. So does the README.
//!
//! `EKSPLAIN_WRITE_DOCS=1 cargo test --test docs` writes the output anew.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md")
}

/// What a shell would make of a line of the page: words, with double quotes around some.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted, mut letters) = (Vec::new(), String::new(), false, line.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\\' => word.extend(letters.next()),
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    words.push(word);
    words
}

fn run(folder: &Path, line: &str) -> String {
    let words = words(line);
    assert_eq!(words[0], "eksplain", "{line}");
    let mut command = Command::cargo_bin("eksplain").unwrap();
    let output = command
        .current_dir(folder)
        .env("EKSPLAIN_LAKE", "demo/lake")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "120")
        .args(&words[1..])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_end())
}

fn demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::cargo_bin("eksplain").unwrap();
    demo.current_dir(folder.path())
        .args(["demo", "--keep", "demo", "-q"])
        .assert()
        .success();
    folder
}

/// What the README shows is printed so; it may leave lines out where it says `…`.
#[test]
fn the_readme_shows_what_the_program_prints() {
    let folder = demo();
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = text
        .split("```console\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    let shown: Vec<&str> = blocks.flat_map(|block| block.split("$ ").skip(1)).collect();
    assert!(shown.len() >= 3, "{shown:?}");
    for shown in shown {
        let (command, shown) = shown.split_once('\n').unwrap();
        let printed = run(folder.path(), &format!("{command} --at 2026-11-23T12:00:00Z"));
        let mut rest = printed.as_str();
        for part in shown
            .split("…\n")
            .map(|part| part.trim_end_matches([' ', '\n']))
            .filter(|part| !part.is_empty())
        {
            let at = rest
                .find(part)
                .unwrap_or_else(|| panic!("{command} does not print\n{part}\nbut\n{printed}"));
            rest = &rest[at + part.len()..];
        }
    }
}

#[test]
fn the_troubleshooting_page_shows_what_the_program_prints() {
    let folder = demo();
    let text = std::fs::read_to_string(page()).unwrap();
    let (mut written, mut is_console, mut commands) = (String::new(), false, 0);
    for line in text.lines() {
        if line.starts_with("```") {
            is_console = line == "```console";
        }
        match line.strip_prefix("$ ").filter(|_| is_console) {
            Some(command) => {
                commands += 1;
                written.push_str(&format!("$ {command}\n{}", run(folder.path(), command)));
            }
            None if is_console && line != "```console" => {}
            None => written.push_str(&format!("{line}\n")),
        }
    }
    assert!(commands >= 10, "{commands}");
    if std::env::var_os("EKSPLAIN_WRITE_DOCS").is_some() {
        std::fs::write(page(), &written).unwrap();
    }
    assert!(
        written == std::fs::read_to_string(page()).unwrap(),
        "the page is older than the program: EKSPLAIN_WRITE_DOCS=1 cargo test --test docs"
    );
}
