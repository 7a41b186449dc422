//! Which keys each table takes, and where a key belongs that stands in the wrong one.
//!
//! `layout` in `[report]` is told `it belongs to a [[source]] from "files" or "s3"`.

/// Keys of the top.
pub(super) const TOP: &[&str] = &[
    "lake",
    "profile",
    "regions",
    "accounts",
    "assume-role",
    "external-id",
    "since",
    "until",
    "clusters",
    "max-rate",
    "source",
    "questions",
    "report",
    "notify",
    "accept",
];

/// Words of `from`.
pub(super) const KINDS: &[&str] = &["files", "s3", "cloudtrail", "cloudwatch", "snapshot"];

pub(super) const QUESTIONS: &[&str] = &["clusters", "account", "region", "scope", "fail-on"];
pub(super) const ACCEPT: &[&str] = &["rule", "reason", "fingerprint", "clusters", "why", "owner", "until"];
pub(super) const REPORT: &[&str] = &["to", "forms", "sse", "kms-key"];
pub(super) const NOTIFY: &[&str] = &["to", "when"];

/// Keys of an AWS source, but for those of its window.
pub(super) const ENTER: &[&str] = &[
    "profile",
    "regions",
    "accounts",
    "assume-role",
    "external-id",
    "max-rate",
];
pub(super) const WINDOW: &[&str] = &["since", "until"];
const HINTS: &[&str] = &["account", "region", "cluster", "layout", "keep-raw"];

/// Keys of each kind of source, with `from`.
pub(super) fn keys_of(kind: &str) -> Vec<&'static str> {
    let parts: &[&[&str]] = match kind {
        "files" => &[&["from", "paths"], HINTS],
        "s3" => &[&["from", "uris", "requester-pays"], HINTS, ENTER, WINDOW],
        "cloudtrail" => &[&["from", "event-sources"], ENTER, WINDOW],
        "cloudwatch" => &[
            &["from", "clusters", "log-groups", "only", "via", "export-to"],
            ENTER,
            WINDOW,
        ],
        _ => &[&["from", "clusters", "kubectl", "account", "region"], ENTER],
    };
    parts.concat()
}

/// Where a key belongs that stands in the wrong table.
pub(super) fn belongs(key: &str) -> Option<String> {
    let homes = [
        ("[questions]", QUESTIONS),
        ("[report]", REPORT),
        ("[notify]", NOTIFY),
        ("[[accept]]", ACCEPT),
    ];
    let only_top = ["lake", "source", "accept"];
    if only_top.contains(&key) {
        return Some("it belongs at the top, before every [table]".to_owned());
    }
    if key == "to" {
        return Some("[report] and [notify] have one".to_owned());
    }
    let home = homes.iter().find(|(_, keys)| keys.contains(&key));
    home.map(|(name, _)| format!("it belongs to {name}")).or_else(|| {
        let kinds: Vec<_> = KINDS.iter().filter(|kind| keys_of(kind).contains(&key)).collect();
        (!kinds.is_empty()).then(|| format!("it belongs to a [[source]] from {}", join(&kinds)))
    })
}

/// Where a key belongs that this kind of source does not have.
pub(super) fn elsewhere(kind: &str, key: &str) -> Option<String> {
    if kind == "files" && (ENTER.contains(&key) || WINDOW.contains(&key)) {
        return Some("files are read whole and without AWS: leave it out".to_owned());
    }
    if kind == "snapshot" && WINDOW.contains(&key) {
        return Some("a snapshot shows the present: leave it out".to_owned());
    }
    let others: Vec<_> = KINDS
        .iter()
        .filter(|other| **other != kind && keys_of(other).contains(&key))
        .collect();
    (!others.is_empty()).then(|| format!("it belongs to a source from {}; this one is from {kind}", join(&others)))
}

fn join(words: &[&&str]) -> String {
    words
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(" or ")
}
