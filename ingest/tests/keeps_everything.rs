//! Whatever a file holds: reading ends, and each line is a record, a repetition or a reject.

use std::sync::atomic::AtomicBool;

use eksplain_ingest::{FileOptions, IngestReport, ingest_files};
use eksplain_lake::Lake;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> IngestReport {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let file = dir.path().join("log");
    std::fs::write(&file, bytes).expect("the file is written");
    let mut lake = Lake::open_or_create(&dir.path().join("lake")).expect("a new lake");
    ingest_files(
        &mut lake,
        &[file],
        &FileOptions::default(),
        &AtomicBool::new(false),
        &|_| {},
    )
    .expect("the lake is written")
}

fn line() -> impl Strategy<Value = String> {
    let grant = "time=\"2026-11-23T10:00:00Z\" level=info msg=\"access granted\" groups=\"[]\" username=";
    prop_oneof![
        "[a-z]{1,5}".prop_map(move |name| format!("{grant}{name}")),
        "[a-z ]{1,20}".prop_filter("not blank", |text| !text.trim().is_empty()),
        Just("{\"auditID\":\"a\",\"stage\":\"ResponseComplete\",\"verb\":\"get\"}".to_owned()),
        Just("{\"auditID\": \"cut".to_owned()),
        Just("{\"some\":\"object\"}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 1..400)) {
        let report = read(&bytes);
        prop_assert_eq!(report.read, report.kept + report.repeated + report.rejected);
    }

    #[test]
    fn every_line_is_accounted_for(lines in proptest::collection::vec(line(), 1..12)) {
        // A first line that is no whole value may begin a document over many lines.
        prop_assume!(!lines[0].starts_with("{\"auditID\": \"cut"));
        let report = read(lines.join("\n").as_bytes());
        prop_assert_eq!(report.read, lines.len() as u64, "{:?}", lines);
        prop_assert_eq!(report.read, report.kept + report.repeated + report.rejected);
    }
}
