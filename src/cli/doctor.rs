//! `doctor`: what keeps eksplain from working, each with its fix.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use eksplain_aws::doctor::{Check, Health, examine};
use eksplain_aws::{Aws, policy};
use eksplain_lake::Lake;
use serde_json::json;

use super::Global;
use super::ingest::aws::Access;
use crate::error::{Exit, Failure};
use crate::render::{self, Margin, Output, Page, Style, Text};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eksplain doctor
  eksplain doctor --regions all --profile audit
  eksplain doctor --policy > eksplain-policy.json       the least that eksplain needs to be allowed")]
pub(super) struct Arguments {
    #[command(flatten)]
    access: Access,
    /// Region to call if --regions is not given
    #[arg(long)]
    region: Option<String>,
    /// Print only the least-privilege policy
    #[arg(long)]
    policy: bool,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let region = arguments
        .region
        .clone()
        .or_else(|| arguments.access.regions.first().cloned());
    let policy = policy::for_region(region.as_deref().unwrap_or_default());
    let mut out = io::stdout().lock();
    if arguments.policy {
        render::json(&mut out, &policy)?;
        return Ok(Exit::Answered.into());
    }
    let mut checks = vec![lake(global)];
    let settings = arguments.access.settings(global, arguments.region.as_deref())?;
    let answer =
        crate::runtime::runtime()?.block_on(async { Ok(examine(&Arc::new(Aws::connect(settings).await?)).await) });
    match answer {
        Ok(found) => checks.extend(found),
        Err(fault) => {
            let fault: eksplain_aws::Fault = fault;
            checks.push(Check::ill(
                "credentials",
                fault.code.clone(),
                if fault.action.is_empty() {
                    fault.message.clone()
                } else {
                    fault.fix()
                },
            ));
        }
    }
    let is_ill = checks.iter().any(|check| check.health == Health::Ill);
    if matches!(global.output, Output::Json | Output::Jsonl) {
        let findings = checks.iter().map(|check| {
            json!({"check": check.name, "state": word(check.health), "message": check.message, "fix": check.fix})
        });
        let document = json!({
            "schema": "eksplain.doctor/1", "version": env!("CARGO_PKG_VERSION"),
            "findings": findings.collect::<Vec<_>>(), "policy": policy,
        });
        render::json(&mut out, &document)?;
    } else {
        let rows: Vec<_> = checks
            .iter()
            .map(|check| {
                let fix = check.fix.clone().unwrap_or_default();
                vec![
                    word(check.health).to_owned(),
                    check.name.clone(),
                    check.message.clone(),
                    fix,
                ]
            })
            .collect();
        if global.output == Output::Table {
            print(&mut out, &checks)?;
        } else {
            render::rows(&mut out, global.output, &["STATE", "CHECK", "WHAT", "DO"], &rows)?;
        }
        if is_ill {
            super::hint(
                global,
                "doctor --policy",
                "prints the least that eksplain needs to be allowed",
            );
        } else {
            super::hint(global, "plan", "shows what an ingest would take");
        }
    }
    Ok(if is_ill { Exit::Refused } else { Exit::Answered }.into())
}

/// A line a check, its fix below.
fn print(out: &mut dyn Write, checks: &[Check]) -> io::Result<()> {
    let mut page = Page::new(out);
    let longest = checks.iter().map(|check| Text::from(check.name.as_str()).width()).max();
    for check in checks {
        let (mark, style) = match check.health {
            Health::Well => ("✓", Style::Good),
            Health::Weak => ("◐", Style::Warning),
            Health::Ill => ("✗", Style::Error),
        };
        let state = Text::new().styled(style, &format!("{mark} {}", word(check.health)));
        let name = Text::new().strong(&check.name).padded(longest.unwrap_or(0));
        let row = vec![state.padded(STATE), name, Text::from(check.message.as_str())];
        page.rows(&Margin::default(), &[row])?;
        if let Some(fix) = &check.fix {
            page.verbatim(
                &Margin::of(STATE + 2).labelled(Text::new().literal("do").plain(": ")),
                fix,
            )?;
        }
    }
    Ok(())
}

/// Columns of the longest state with its mark.
const STATE: usize = 8;

fn word(health: Health) -> &'static str {
    match health {
        Health::Well => "ok",
        Health::Weak => "weak",
        Health::Ill => "failed",
    }
}

fn lake(global: &Global) -> Check {
    let name = "lake";
    match Lake::open(&global.lake) {
        Err(eksplain_lake::Error::NotFound { .. }) => Check::well(
            name,
            format!("none at {} yet: the first ingest makes it", global.lake.display()),
        ),
        Err(error) => Check::ill(
            name,
            format!("could not {error}"),
            "name another with --lake, or run eksplain lake verify",
        ),
        Ok(lake) => {
            let records: u64 = lake.holdings().values().map(|holding| holding.records).sum();
            Check::well(name, format!("{} has {records} records", global.lake.display()))
        }
    }
}
