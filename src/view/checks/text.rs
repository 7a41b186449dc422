//! `check` for people: worst first, each rule once.

use std::io;

use eksplain_analyze::words::Severity;

use super::CheckFinding;
use crate::render::{Margin, Page, Style, Text};
use crate::view::words::{counted, fixes, grouped, heading_of};

pub(super) fn show(findings: &[CheckFinding], page: &mut Page<'_>) -> io::Result<()> {
    let groups = grouped(findings, |finding| finding.severity);
    for (at, (severity, found)) in groups.into_iter().enumerate() {
        if at > 0 {
            page.blank()?;
        }
        let title = Text::new().styled(style(severity), severity.id());
        page.line(&title.plain(&format!(": {}", counted(found.len() as u64, "finding"))))?;
        for (rule, found) in grouped(&found, |finding| finding.rule) {
            page.line(&Text::from("  ").strong(rule.id()))?;
            alike(page, found.into_iter().copied().collect())?;
        }
    }
    Ok(())
}

pub(super) fn next(findings: &[CheckFinding]) -> Option<(String, &'static str)> {
    let record = findings.iter().flat_map(|finding| &finding.evidence).next()?;
    Some((
        format!("evidence {}", record.id),
        "shows the record that proves the first",
    ))
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => Style::Error,
        Severity::Medium => Style::Warning,
        Severity::Low | Severity::Info => Style::Faint,
    }
}

/// Findings of one rule that are mended alike share the commands.
fn alike(page: &mut Page<'_>, found: Vec<&CheckFinding>) -> io::Result<()> {
    let fix = |finding: &CheckFinding| finding.fix.first().map(|fix| (fix.title.clone(), fix.commands.clone()));
    for found in grouped(&found, |finding| fix(finding)).into_values() {
        let rows: Vec<_> = found.iter().map(|finding| finding.told()).collect();
        page.rows(&Margin::of(4), &rows)?;
        if let Some(first) = found.first() {
            fixes(page, &Margin::of(6), &first.fix)?;
        }
    }
    Ok(())
}

impl CheckFinding {
    fn told(&self) -> Vec<Text> {
        let message = if self.message.contains(&self.subject) {
            Text::new()
        } else {
            Text::from(self.subject.as_str()).plain(": ")
        };
        vec![heading_of(self.cluster.as_ref()), message.plain(&self.message)]
    }
}
