//! The whole answer at one moment, in the forms that leave the program: HTML, JSON, CSV, Markdown.

use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::render::{self, Output};
use crate::view::admins::Admin;
use crate::view::checks::CheckFinding;
use crate::view::creators::Creator;
use crate::view::denials::Denial;
use crate::view::{Coverage, Finding};

mod html;

pub(crate) const SCHEMA: &str = "eksplain.report/1";

/// `eksplain.report/1`. It says nothing of the clock, so that one lake gives the same bytes whenever it is asked.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: &'static str,
    pub(crate) version: &'static str,
    pub(crate) at: String,
    pub(crate) coverage: Vec<Coverage>,
    pub(crate) admins: Vec<Admin>,
    pub(crate) creators: Vec<Creator>,
    pub(crate) denials: Vec<Denial>,
    pub(crate) checks: Vec<CheckFinding>,
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
}

impl Report {
    /// The report's files in the forms asked for, by name.
    pub(crate) fn files(&self, forms: &[Form]) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
        let mut files = Vec::new();
        for form in forms {
            match form {
                Form::Html => files.push(("report.html", html::page(self)?.into_bytes())),
                Form::Json => {
                    let mut text = Vec::new();
                    render::json(&mut text, self)?;
                    files.push(("report.json", text));
                }
                Form::Csv => {
                    files.push(("admins.csv", table(&self.admins, Output::Csv)?));
                    files.push(("creators.csv", table(&self.creators, Output::Csv)?));
                    files.push(("denials.csv", table(&self.denials, Output::Csv)?));
                    files.push(("checks.csv", table(&self.checks, Output::Csv)?));
                }
                Form::Md => files.push(("report.md", self.markdown()?)),
            }
        }
        Ok(files)
    }

    fn markdown(&self) -> io::Result<Vec<u8>> {
        let mut text = format!("# Access to Amazon EKS at {}\n\n", self.at).into_bytes();
        let mut part = |title: &str, table: Vec<u8>| {
            text.extend_from_slice(format!("## {title}\n\n").as_bytes());
            text.extend_from_slice(&table);
            text.push(b'\n');
        };
        part("Admins", table(&self.admins, Output::Md)?);
        part("Creators", table(&self.creators, Output::Md)?);
        part("Denials", table(&self.denials, Output::Md)?);
        part("Checks", table(&self.checks, Output::Md)?);
        Ok(text)
    }
}

fn table<F: Finding>(findings: &[F], output: Output) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let rows: Vec<_> = findings.iter().map(Finding::row).collect();
    render::rows(&mut text, output, F::COLUMNS, &rows)?;
    Ok(text)
}

/// Writes files that appear whole: `reports/date=…/` first, then `latest/` is replaced at once.
pub(crate) fn deliver(folder: &Path, day: &str, files: &[(&str, Vec<u8>)]) -> io::Result<()> {
    let write = |target: &Path| {
        let aside = target.with_extension("new");
        let _ = fs::remove_dir_all(&aside);
        fs::create_dir_all(&aside)?;
        for (name, content) in files {
            fs::write(aside.join(name), content)?;
        }
        // Two renames: a reader sees the old report or the new one, for an instant none, never a mixture.
        let old = target.with_extension("old");
        let _ = fs::remove_dir_all(&old);
        match fs::rename(target, &old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::rename(&aside, target)?;
        let _ = fs::remove_dir_all(&old);
        Ok(())
    };
    fs::create_dir_all(folder.join("reports"))?;
    write(&folder.join("reports").join(format!("date={day}")))?;
    write(&folder.join("latest"))
}
