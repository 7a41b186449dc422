//! The one direction: no crate knows of one to its right.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;

/// Each crate with those that it may use.
const HOUSE: &[(&str, &[&str])] = &[
    ("parse", &[]),
    ("lake", &["eksplain-parse"]),
    ("ingest", &["eksplain-lake", "eksplain-parse"]),
    ("aws", &["eksplain-ingest", "eksplain-lake", "eksplain-parse"]),
    ("queries", &["eksplain-lake", "eksplain-parse"]),
    ("analyze", &["eksplain-parse", "eksplain-queries"]),
    (
        ".",
        &[
            "eksplain-analyze",
            "eksplain-aws",
            "eksplain-ingest",
            "eksplain-lake",
            "eksplain-queries",
        ],
    ),
];

#[test]
fn no_arrow_turns_back() {
    for (folder, allowed) in HOUSE {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml");
        let text = std::fs::read_to_string(manifest).unwrap();
        let dependencies = text
            .lines()
            .skip_while(|line| *line != "[dependencies]")
            .skip(1)
            .take_while(|line| !line.starts_with('['));
        let ours: Vec<&str> = dependencies
            .filter(|line| line.starts_with("eksplain-"))
            .filter_map(|line| line.split(['.', ' ']).next())
            .collect();
        assert_eq!(ours, *allowed, "{folder}");
    }
}
