//! The page: one file, its data as JSON, its script and style pinned by their hashes in the content security policy.

use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::Report;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

pub(super) fn page(report: &Report) -> io::Result<String> {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())));
    // Inside a script element only `<` can end the data; JSON may spell it otherwise.
    let data = serde_json::to_string(report)?.replace('<', "\\u003c");
    Ok(format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src {script_hash}; style-src {style_hash}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Access to Amazon EKS</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the answer</a>
<header><h1>Access to Amazon EKS</h1><p id="at"></p></header>
<main id="main" tabindex="-1"><noscript>This page shows its data by script; report.json and the CSV files beside it hold the same.</noscript></main>
<script type="application/json" id="data">{data}</script>
<script>{SCRIPT}</script>
</body>
</html>
"##,
        script_hash = hash(SCRIPT),
        style_hash = hash(STYLE),
    ))
}
