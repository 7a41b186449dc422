//! The whole answer at one moment, in the forms that leave the program: a page, JSON, CSV, Markdown, Parquet.

use std::io;

use serde::{Deserialize, Serialize};

use crate::delivery::Content;
use crate::diff::{self, Brief, Change};
use crate::render::{self, Output};
use crate::view::admins::Admin;
use crate::view::checks::CheckFinding;
use crate::view::creators::Creator;
use crate::view::denials::Denial;
use crate::view::{Coverage, Finding};

mod html;
mod markdown;
mod pack;
mod parquet;
pub(crate) mod summary;

use summary::Summary;

pub(crate) const SCHEMA: &str = "eksplain.report/1";

/// `eksplain.report/1`. It says nothing of the clock, so that one lake gives the same bytes whenever it is asked.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: &'static str,
    pub(crate) version: &'static str,
    pub(crate) at: String,
    /// What was asked for.
    pub(crate) selection: Selection,
    pub(crate) summary: Summary,
    /// `None` where there is nothing to compare with.
    pub(crate) changes: Option<Changes>,
    /// Why there is nothing to compare with, where an earlier report is there.
    pub(crate) not_compared: Option<String>,
    pub(crate) coverage: Vec<Coverage>,
    pub(crate) admins: Vec<Admin>,
    pub(crate) creators: Vec<Creator>,
    pub(crate) denials: Vec<Denial>,
    pub(crate) checks: Vec<CheckFinding>,
}

/// What a report is about; two reports are comparable where it is the same.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selection {
    /// Names or globs; none means every cluster.
    pub(crate) clusters: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
    /// `access`, or `all` for refused calls of every AWS service.
    pub(crate) scope: String,
}

/// What an earlier report said otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct Changes {
    /// The moment of the earlier report.
    pub(crate) since: String,
    pub(crate) findings: Vec<Change>,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Form {
    /// One page that needs nothing else
    Html,
    /// report.json
    Json,
    /// A file for each question
    Csv,
    /// For a chat or a ticket
    Md,
    /// A file of findings for each question
    Parquet,
}

impl Form {
    pub(crate) const ALL: [Self; 5] = [Self::Html, Self::Json, Self::Csv, Self::Md, Self::Parquet];
}

impl Report {
    /// The answer at a moment; `summary` and `changes` follow from the findings.
    pub(crate) fn new(
        at: String,
        selection: Selection,
        coverage: Vec<Coverage>,
        (admins, creators, denials, checks): (Vec<Admin>, Vec<Creator>, Vec<Denial>, Vec<CheckFinding>),
    ) -> Self {
        let mut report = Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            at,
            selection,
            summary: Summary::default(),
            changes: None,
            not_compared: None,
            coverage,
            admins,
            creators,
            denials,
            checks,
        };
        report.summary = Summary::of(&report);
        report
    }

    /// Says what changed since an earlier report.
    pub(crate) fn compare_with(&mut self, earlier: &Brief) {
        if earlier.selection != self.selection {
            self.not_compared = Some(format!(
                "the report of {} is about another selection of clusters or calls: there is nothing to compare with",
                earlier.at
            ));
            self.changes = None;
            return;
        }
        self.not_compared = None;
        self.changes = Some(Changes {
            since: earlier.at.clone(),
            findings: diff::changes(earlier, &Brief::of(self)),
        });
    }

    /// The report's files in the forms asked for, by name; the page comes last.
    pub(crate) fn files(&self, forms: &[Form]) -> io::Result<Vec<Content>> {
        let mut files: Vec<Content> = Vec::new();
        for form in Form::ALL.into_iter().rev().filter(|form| forms.contains(form)) {
            match form {
                Form::Html => files.push(("report.html", html::page(self)?.into_bytes())),
                Form::Json => {
                    // For programs: spaces would be a third of it.
                    let mut text = Vec::new();
                    render::json_line(&mut text, self)?;
                    files.push(("report.json", text));
                }
                Form::Csv => files.extend([
                    ("admins.csv", csv(&self.admins)?),
                    ("creators.csv", csv(&self.creators)?),
                    ("denials.csv", csv(&self.denials)?),
                    ("checks.csv", csv(&self.checks)?),
                ]),
                Form::Md => files.push(("report.md", markdown::document(self)?)),
                Form::Parquet => files.extend([
                    ("admins.parquet", parquet::file(parquet::admins(), &self.admins)?),
                    ("creators.parquet", parquet::file(parquet::creators(), &self.creators)?),
                    ("denials.parquet", parquet::file(parquet::denials(), &self.denials)?),
                    ("checks.parquet", parquet::file(parquet::checks(), &self.checks)?),
                ]),
            }
        }
        Ok(files)
    }
}

fn csv<F: Finding>(findings: &[F]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    render::flat::findings(&mut text, findings)?;
    Ok(text)
}

fn table<F: Finding>(findings: &[&F], output: Output) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let rows: Vec<_> = findings.iter().map(|finding| finding.row()).collect();
    render::rows(&mut text, output, F::COLUMNS, &rows)?;
    Ok(text)
}
