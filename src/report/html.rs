//! The page: one file, its scripts and style pinned by their hashes in the content security policy, its data packed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use eksplain_analyze::words::{Layer, RouteKind};
use libdeflater::{CompressionLvl, Compressor};
use minijinja::{Environment, context};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Report;
use super::pack::{Packed, Strings};
use crate::view::admins::Admin;

/// A page of this size opens at once and passes through mail; a larger one shows less evidence.
const LARGEST: usize = 9_900_000;
/// Pieces of evidence an item, from all that a finding has down to none.
const EVIDENCE: [usize; 4] = [5, 2, 1, 0];
const TITLE: &str = "Access to Amazon EKS";

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// In the order in which they run: each knows those before it.
const SCRIPTS: [&str; 14] = [
    include_str!("page/vendor/plot.min.js"),
    include_str!("page/unpack.js"),
    include_str!("page/dom.js"),
    include_str!("page/address.js"),
    include_str!("page/rows.js"),
    include_str!("page/articles.js"),
    include_str!("page/kinds.js"),
    include_str!("page/table.js"),
    include_str!("page/charts.js"),
    include_str!("page/reach.js"),
    include_str!("page/estate.js"),
    include_str!("page/cluster.js"),
    include_str!("page/summary.js"),
    include_str!("page/main.js"),
];

/// What the strings of a finding repeat, by kind.
const NAMES_OF_ADMINS: &[&str] = &[
    "principal",
    "principal/",
    "kubernetes_username",
    "cluster.name",
    "cluster.region",
    "cluster.account",
];
const NAMES_OF_CREATORS: &[&str] = &[
    "creator.principal",
    "creator.principal/",
    "creator.session",
    "cluster.name",
    "cluster.region",
    "cluster.account",
];
const NAMES_OF_DENIALS: &[&str] = &[
    "principal",
    "principal/",
    "kubernetes_username",
    "session",
    "cluster.name",
    "cluster.region",
    "cluster.account",
    "request.resource",
    "request.namespace",
    "request.name",
    "request.verb",
    "request.aws_action",
    "request.non_resource_url",
];
const NAMES_OF_CHECKS: &[&str] = &[
    "subject",
    "subject/",
    "cluster.name",
    "cluster.region",
    "cluster.account",
];

pub(super) fn page(report: &Report) -> io::Result<String> {
    let mut page = String::new();
    let mut most = usize::MAX;
    for evidence in EVIDENCE {
        // To keep as many as there are is what was tried already.
        if evidence >= most {
            continue;
        }
        let (data, seen) = data(report, evidence)?;
        most = seen;
        page = render(&data)?;
        if page.len() <= LARGEST {
            break;
        }
    }
    Ok(page)
}

fn render(data: &str) -> io::Result<String> {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())));
    let scripts: Vec<String> = SCRIPTS.iter().map(|script| hash(script)).collect();
    let csp = format!(
        "default-src 'none'; script-src {}; style-src {}; base-uri 'none'; form-action 'none'",
        scripts.join(" "),
        hash(STYLE)
    );
    Environment::empty()
        .render_str(
            FRAME,
            context! { title => TITLE, csp, style => STYLE, scripts => SCRIPTS, data },
        )
        .map_err(io::Error::other)
}

/// The report as `page/unpack.js` reads it: packed, compressed, in letters that mean nothing in HTML; and the most pieces of evidence
/// that an item of it has.
fn data(report: &Report, evidence: usize) -> io::Result<(String, usize)> {
    let mut strings = Strings::default();
    let tables = json!({
        "admins": packed(NAMES_OF_ADMINS, &report.admins, route_kinds, evidence, &mut strings)?,
        "creators": packed(NAMES_OF_CREATORS, &report.creators, nothing, evidence, &mut strings)?,
        "denials": packed(NAMES_OF_DENIALS, &report.denials, nothing, evidence, &mut strings)?,
        "checks": packed(NAMES_OF_CHECKS, &report.checks, nothing, evidence, &mut strings)?,
    });
    let data = json!({
        "schema": report.schema,
        "version": report.version,
        "at": report.at,
        "selection": report.selection,
        "summary": report.summary,
        "not_compared": report.not_compared,
        "changes": report.changes,
        "coverage": report.coverage,
        "evidence_kept": evidence,
        "denials_by_day": denials_by_day(report),
        "tables": tables,
        "strings": strings.to_value(),
    });
    let text = serde_json::to_vec(&data)?;
    let mut compressor = Compressor::new(CompressionLvl::new(9).unwrap_or_default());
    let mut packed = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(&text, &mut packed).map_err(io::Error::other)?;
    Ok((BASE64_STANDARD.encode(&packed[..length]), strings.most_evidence))
}

fn packed<F: Serialize>(
    names: &'static [&'static str],
    findings: &[F],
    beside: impl Fn(&F) -> Value,
    evidence: usize,
    strings: &mut Strings,
) -> io::Result<Value> {
    let mut packed = Packed::new(names);
    for finding in findings {
        packed.push(finding, beside(finding), evidence, strings)?;
    }
    Ok(packed.into_value(strings))
}

/// The kinds of an admin's routes in one text.
fn route_kinds(admin: &Admin) -> Value {
    let kinds: BTreeSet<RouteKind> = admin.routes.iter().map(|route| route.route).collect();
    let ids: Vec<&str> = kinds.into_iter().map(RouteKind::id).collect();
    json!({"route_kinds": ids.join(", ")})
}

fn nothing<F>(_: &F) -> Value {
    json!({})
}

/// Refused calls by day and layer, over all findings.
fn denials_by_day(report: &Report) -> Vec<Value> {
    let mut calls: BTreeMap<(&str, Layer), u64> = BTreeMap::new();
    for denial in &report.denials {
        for day in &denial.by_day {
            *calls.entry((&day.date, denial.layer)).or_default() += day.count;
        }
    }
    calls
        .into_iter()
        .map(|((date, layer), count)| json!({"date": date, "layer": layer, "count": count}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_scripts_of_the_page_declare_one_name() {
        // They share one scope, in which a second function of a name silently takes the place of the first.
        let mut names = BTreeSet::new();
        for line in SCRIPTS.iter().skip(1).flat_map(|script| script.lines()) {
            let words = ["async function ", "function ", "const ", "let ", "class "];
            let Some(rest) = words.iter().find_map(|word| line.strip_prefix(word)) else {
                continue;
            };
            let name: String = rest
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            assert!(names.insert(name.clone()), "{name} is declared twice");
        }
        assert!(names.len() > 50);
    }
}
